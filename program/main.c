/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: runs a command and turns its result into an exit status. */
#include <linux/capability.h>
#include <locale.h>
#include <unistd.h>

#include "common/confine.h"
#include "common/text.h"
#include "runner/command/commands.h"
#include "runner/command/manual.h"

/* More than there are commands. */
#define MAX_COMMANDS 64

/* With sanitizers, a program traces itself when it ends. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

static void print_help(FILE *out)
{
	fputs("Shows how a client behaves when TCP connections are refused, dropped or slow.\n\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  synfault %-11s %s\n", commands[i]->name, commands[i]->summary);
	fputs("  synfault help [COMMAND] | --version\n\n"
	      "'synfault COMMAND --help' shows a command's options.\n\n"
	      "Exit status: 0 all passed; 1 a client failed; 2 interrupted; 3 not judged;\n"
	      "4 usage or scenario error; 5 nothing ran.\n",
	      out);
}

/* Words that people know from other tools. */
static const struct {
	const char *words, *meant;
} foreign_words[] = {
	{" test execute start ", "run"},
	{" validate verify lint syntax ", "check"},
	{" ls show ", "list"},
	{" html render ", "report"},
	{" replay rejudge ", "judge"},
	{" diff ", "compare"},
	{" learn baseline observe ", "record"},
	{" daemon serve attach proxy ", "inject"},
	{" control send ", "ctl"},
	{" explain why ping ", "diagnose"},
	{" info env ", "doctor"},
	{" version -V -v ", "--version"},
};

static const char *meant_command(const char *word)
{
	AUTO_FREE char *framed = xasprintf(" %s ", word);
	const char *names[MAX_COMMANDS + 3] = {"--version", "--help"};

	for (size_t i = 0; i < ARRAY_SIZE(foreign_words); i++)
		if (strstr(foreign_words[i].words, framed))
			return foreign_words[i].meant;
	for (size_t i = 0; i < MAX_COMMANDS && commands[i]; i++)
		names[i + 2] = commands[i]->name;
	return text_nearest(word, names);
}

static int unknown_command(const char *word)
{
	AUTO_STRBUF struct strbuf list = {0};
	const char *meant = meant_command(word);

	if (access(word, F_OK) == 0) {
		fprintf(stderr, "synfault: a command is needed; did you mean synfault run %s?\n",
			word);
		return STATUS_USAGE;
	}
	if (meant) {
		fprintf(stderr, "synfault: unknown command \"%s\"; did you mean %s?\n", word,
			meant);
		return STATUS_USAGE;
	}
	for (size_t i = 0; commands[i]; i++) {
		strbuf_puts(&list, i == 0 ? "" : commands[i + 1] ? ", " : " and ");
		strbuf_puts(&list, commands[i]->name);
	}
	fprintf(stderr, "synfault: unknown command \"%s\"; commands are %s\n", word,
		strbuf_text(&list));
	return STATUS_USAGE;
}

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(word, commands[i]->name))
			return commands[i];
	return NULL;
}

/* Gives up what a command does not need before it reads anything. What can't be given up stays. */
static void confine_command(const struct command *command)
{
	const uint64_t files = 1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH | 1 << CAP_CHOWN |
			       1 << CAP_FOWNER | 1 << CAP_FSETID;

	if (command->confinement == CONFINED_NOT)
		return;
	(void)confine_capabilities(files);
#ifndef SANITIZED
	(void)confine(command->confinement == CONFINED_TO_FILES ? CONFINE_KEEP_WRITING : 0);
#endif
}

static int dispatch(int argc, char **argv)
{
	const struct command_context context = {stdout, stderr, commands};
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct command *command;
	char help[] = "--help";

	if (!word) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	command = find_command(word);
	if (command) {
		confine_command(command);
		return command_execute(command, argc - 2, argv + 2, &context);
	}
	/* for the manual page */
	if (!strcmp(word, "help") && argc > 2 && !strcmp(argv[2], "--format=scdoc")) {
		AUTO_STRBUF struct strbuf text = {0};

		manual_commands(commands, &text);
		fputs(strbuf_text(&text), stdout);
		return STATUS_PASSED;
	}
	command = !strcmp(word, "help") && argc > 2 ? find_command(argv[2]) : NULL;
	if (command)
		return command_execute(command, 1, (char *[]){help, NULL}, &context);
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
