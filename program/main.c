/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: runs a command and turns its result into an exit status. */
#include <locale.h>

#include "common/text.h"
#include "runner/command/commands.h"
#include "runner/command/manual.h"

/* More than there are commands. */
#define MAX_COMMANDS 64

static void print_help(FILE *out)
{
	fputs("Shows how a client behaves when TCP connections are refused, dropped or slow.\n\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  synfault %-11s %s\n", commands[i]->name, commands[i]->summary);
	fputs("  synfault help | --version\n\n"
	      "'synfault COMMAND --help' shows a command's options.\n\n"
	      "Exit status: 0 all passed; 1 a client failed; 2 interrupted; 3 not judged;\n"
	      "4 usage or scenario error; 5 nothing ran.\n",
	      out);
}

static int unknown_command(const char *word)
{
	AUTO_STRBUF struct strbuf list = {0};
	const char *names[MAX_COMMANDS + 1] = {0}, *nearest;

	for (size_t i = 0; i < MAX_COMMANDS && commands[i]; i++) {
		names[i] = commands[i]->name;
		strbuf_puts(&list, i == 0 ? "" : commands[i + 1] ? ", " : " and ");
		strbuf_puts(&list, names[i]);
	}
	nearest = text_nearest(word, names);
	if (nearest)
		fprintf(stderr, "synfault: unknown command \"%s\"; did you mean %s?\n", word,
			nearest);
	else
		fprintf(stderr, "synfault: unknown command \"%s\"; commands are %s\n", word,
			strbuf_text(&list));
	return STATUS_USAGE;
}

static int dispatch(int argc, char **argv)
{
	const struct command_context context = {stdout, stderr, commands};
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(word, commands[i]->name))
			return commands[i]->run(argc - 2, argv + 2, &context);
	/* for the manual page */
	if (!strcmp(word, "help") && argc > 2 && !strcmp(argv[2], "--format=scdoc")) {
		AUTO_STRBUF struct strbuf text = {0};

		manual_commands(commands, &text);
		fputs(strbuf_text(&text), stdout);
		return STATUS_PASSED;
	}
	if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h")) {
		print_help(stdout);
		return STATUS_PASSED;
	}
	if (!strcmp(word, "--version")) {
		puts("synfault " SYNFAULT_VERSION);
		return STATUS_PASSED;
	}
	return unknown_command(word);
}

int main(int argc, char **argv)
{
	int status;

	/* Only characters follow the locale: numbers always have a decimal point. */
	setlocale(LC_CTYPE, "");
	status = dispatch(argc, argv);
	/* A pass that could not be written is not a pass. */
	if ((ferror(stdout) || fflush(stdout) != 0) && status == STATUS_PASSED) {
		fputs("synfault: the results can't be written to standard output\n", stderr);
		status = STATUS_UNJUDGED;
	}
	return status;
}
