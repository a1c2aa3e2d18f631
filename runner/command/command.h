/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command of the program: what its help, manual page and completion show, and how it is run. */
#ifndef SYNFAULT_RUNNER_COMMAND_COMMAND_H
#define SYNFAULT_RUNNER_COMMAND_COMMAND_H

#include "runner/command/options.h"
#include "runner/report/result.h"

/* Whether a client's command may follow after "--". */
enum client_use {
	CLIENT_NONE,
	CLIENT_OPTIONAL,
	CLIENT_REQUIRED,
};

/* What a command that reads what others wrote is confined to before it runs (common/confine.h). */
enum confinement {
	CONFINED_NOT,
	CONFINED_TO_FILES,   /* it reads and writes files, and does nothing else */
	CONFINED_TO_READING, /* it writes only to what is open */
};

/* What a command runs with. */
struct command_context {
	FILE *out, *err;                       /* borrowed */
	const struct command *const *commands; /* all of them, NULL-terminated */
};

struct command {
	const char *name;
	const char *arguments;   /* as the help shows them */
	const char *summary;     /* a few words, verb first */
	const char *description; /* of the help: paragraphs of lines up to 80 columns */
	const struct option_table *options;
	int min_operands, max_operands; /* max_operands: -1 for any number */
	const char *needs;              /* the error when their number is wrong */
	enum client_use client;
	enum confinement confinement;
	/* Returns the program's exit status. @parsed: the options. */
	int (*run)(void *parsed, const struct operands *operands,
		   const struct command_context *context);
};

/* All of them; each is in the file of its name. */
extern const struct command command_check, command_compare, command_completion, command_ctl,
	command_diagnose, command_doctor, command_exec, command_inject, command_judge, command_list,
	command_merge, command_record, command_report, command_run, command_schema, command_try;

/**
 * command_execute() - run a command, or print its help or what is wrong with its command line
 * @argv: what follows the command's name
 *
 * Return: the program's exit status.
 */
int command_execute(const struct command *command, int argc, char **argv,
		    const struct command_context *context);

/** command_usage_error() - print an error in the command line; return the exit status */
int command_usage_error(const struct command *command, FILE *err, const char *message);

#endif
