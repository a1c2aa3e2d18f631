/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: picks the subcommand and turns its result into an exit status. */
#include <locale.h>

#include "runner/command/doctor.h"
#include "runner/command/inspect.h"
#include "runner/command/merge.h"
#include "runner/command/run.h"

struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	int (*run)(int argc, char **argv, FILE *out, FILE *err);
};

static const struct command commands[] = {
	{"run", "[OPTION...] PATH... [-- CLIENT ARG...]", "run scenarios and judge the client",
	 command_run},
	{"check", "[OPTION...] PATH...", "find all errors in scenario files", command_check_main},
	{"list", "[OPTION...] PATH...", "list the scenarios in files", command_list_main},
	{"doctor", "[OPTION...]", "find out what this machine lacks", command_doctor},
	{"merge", "OUT IN...", "make one result of those of several machines", command_merge},
};

static void print_help(FILE *out)
{
	fputs("Shows how a client behaves when TCP connections are refused, dropped or slow.\n\n"
	      "Usage:\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  synfault %-6s %-40s %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	fputs("  synfault help | --version\n\n"
	      "'synfault COMMAND --help' shows a command's options.\n\n"
	      "Exit status: 0 all passed; 1 a client failed; 2 interrupted; 3 the harness could "
	      "not\n"
	      "judge; 4 usage or scenario error; 5 nothing ran.\n",
	      out);
}

static int dispatch(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(word, commands[i].name))
			return commands[i].run(argc - 2, argv + 2, stdout, stderr);
	if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h")) {
		print_help(stdout);
		return STATUS_PASSED;
	}
	if (!strcmp(word, "--version")) {
		puts("synfault " SYNFAULT_VERSION);
		return STATUS_PASSED;
	}
	fprintf(stderr, "synfault: unknown command \"%s\"; commands are run, check and list\n",
		word);
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	int status;

	/* Characters only: numbers keep their point in every locale. */
	setlocale(LC_CTYPE, "");
	status = dispatch(argc, argv);
	/* What nobody could read has not been said. */
	if ((ferror(stdout) || fflush(stdout) != 0) && status == STATUS_PASSED) {
		fputs("synfault: the results can't be written to standard output\n", stderr);
		status = STATUS_UNJUDGED;
	}
	return status;
}
