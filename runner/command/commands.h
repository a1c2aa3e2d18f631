/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program's commands as one table: what is run, and what help, manual pages and completions are
 * made from. A command that is added here is everywhere.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_COMMANDS_H
#define SYNFAULT_RUNNER_COMMAND_COMMANDS_H

#include "runner/command/options.h"

struct command {
	const char *name;
	const char *arguments; /* as the help shows them */
	const char *summary;   /* a few words */
	/* @argv: what follows the command's name. Returns the program's exit status. */
	int (*run)(int argc, char **argv, FILE *out, FILE *err);
	const struct option_table *options;
};

extern const struct command commands[];
extern const size_t n_commands;

#endif
