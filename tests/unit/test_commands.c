/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands against what each command says and takes. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

#include "runner/command/commands.h"
#include "runner/scenario/scenario.h"

/* What a command prints on its standard output when it is given one word; the caller's. */
static char *output_of(const struct command *command, const char *word, int *ret_status)
{
	AUTO_FREE char *argument = xstrdup(word);
	char *argv[] = {argument, NULL}, *text = NULL, *complaints = NULL;
	size_t length = 0, n_complaints = 0;
	FILE *out = open_memstream(&text, &length);
	FILE *err = open_memstream(&complaints, &n_complaints);

	*ret_status = command_execute(
		command, 1, argv,
		&(struct command_context){.out = out, .err = err, .commands = commands});
	fclose(out);
	fclose(err);
	free(complaints);
	return text;
}

Test(commands, help_of_each_shows_the_options_that_the_table_says)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct command *command = commands[i];
		const struct option_table *options = command->options;
		int status;
		AUTO_FREE char *help = output_of(command, "--help", &status);

		cr_assert_eq(status, STATUS_PASSED, "%s --help", command->name);
		cr_assert_not_null(options, "%s has no table of options", command->name);
		for (size_t k = 0; k < options->n_specs; k++) {
			const struct option_spec *spec = &options->specs[k];
			AUTO_FREE char *option =
				xasprintf("--%s%s%s", spec->name, spec->argument ? " " : "",
					  spec->argument ? spec->argument : "");

			cr_assert_not_null(strstr(help, option), "%s --help does not show %s",
					   command->name, option);
		}
	}
}

Test(commands, each_refuses_an_option_that_its_table_does_not_have)
{
	for (size_t i = 0; commands[i]; i++) {
		int status;
		AUTO_FREE char *text = output_of(commands[i], "--no-such-option", &status);

		cr_assert_eq(status, STATUS_USAGE, "%s --no-such-option", commands[i]->name);
		cr_assert_str_empty(text);
	}
}

static bool begins_with(const char *text, const char *const *words)
{
	size_t length = strcspn(text, " ,");

	for (; *words; words++)
		if (strlen(*words) == length && strncmp(text, *words, length) == 0)
			return true;
	return false;
}

Test(commands, help_of_each_begins_with_verbs)
{
	static const char *const verbs[] = {
		"balance", "capture", "check", "compare",  "connect", "count",  "do",      "draw",
		"end",     "fail",    "find",  "inject",   "judge",   "keep",   "learn",   "list",
		"listen",  "look",    "merge", "multiply", "print",   "render", "replace", "rerun",
		"run",     "say",     "send",  "serve",    "set",     "show",   "start",   "stop",
		"take",    "trace",   "treat", "use",      "wait",    "write",  NULL,
	};

	for (size_t i = 0; commands[i]; i++) {
		const struct option_table *options = commands[i]->options;

		cr_expect(begins_with(commands[i]->summary, verbs), "%s: %s", commands[i]->name,
			  commands[i]->summary);
		for (size_t k = 0; k < options->n_specs; k++)
			cr_expect(begins_with(options->specs[k].help, verbs),
				  "%s --%s: \"%s\" does not begin with a verb that is known here",
				  commands[i]->name, options->specs[k].name,
				  options->specs[k].help);
	}
}

Test(commands, help_of_each_fits_80_columns)
{
	for (size_t i = 0; commands[i]; i++) {
		int status;
		AUTO_FREE char *help = output_of(commands[i], "--help", &status);

		for (char *rest = help, *line; (line = strsep(&rest, "\n"));)
			cr_expect_leq(strlen(line), (size_t)80, "%s: %s", commands[i]->name, line);
	}
}

/* What `synfault schema --format FORMAT` prints; the caller's. */
static char *schema_of(const char *format)
{
	AUTO_FREE char *word = xasprintf("--format=%s", format);
	int status;
	char *text = output_of(&command_schema, word, &status);

	cr_assert_eq(status, STATUS_PASSED, "%s", format);
	return text;
}

Test(commands, schema_has_each_document_as_json)
{
	static const char *const formats[] = {
		"json", "results",    "record",   "diagnosis",   "doctor",
		"list", "comparison", "protocol", "observation",
	};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		AUTO_FREE char *text = schema_of(formats[i]);
		json_error_t error;
		json_t *schema = json_loads(text, JSON_REJECT_DUPLICATES, &error);

		cr_assert_not_null(schema, "%s: %s", formats[i], error.text);
		cr_expect_str_eq(json_string_value(json_object_get(schema, "$schema")),
				 "http://json-schema.org/draft-07/schema#", "%s", formats[i]);
		cr_expect(json_is_string(json_object_get(schema, "title")), "%s", formats[i]);
		json_decref(schema);
	}
}

Test(commands, manual_names_each_expectation)
{
	AUTO_FREE char *text = schema_of("scdoc");

	for (int kind = 0; kind < EXPECT_N_KINDS; kind++)
		cr_expect(strstr(text, expectation_kind_name((enum expectation_kind)kind)), "%s",
			  expectation_kind_name((enum expectation_kind)kind));
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	cr_assert_fail("there is no command %s", name);
	return NULL;
}

/* Expects that a command line, with words up to a NULL, is refused with this complaint. */
static void expect_refused(const char *const *line, const char *complaint)
{
	char *words[8], *argv[8] = {NULL}, *text = NULL, *complaints = NULL;
	size_t n = 0, length = 0, n_complaints = 0;
	FILE *out = open_memstream(&text, &length),
	     *err = open_memstream(&complaints, &n_complaints);
	int status;

	while (line[n + 1]) {
		words[n] = argv[n] = xstrdup(line[n + 1]);
		n++;
	}
	status = command_execute(
		find_command(line[0]), (int)n, argv,
		&(struct command_context){.out = out, .err = err, .commands = commands});
	fclose(out);
	fclose(err);
	cr_expect_eq(status, STATUS_USAGE, "%s: %d", complaint, status);
	cr_expect_str_empty(text);
	cr_expect(strstr(complaints, complaint), "\"%s\" is not in: %s", complaint, complaints);
	/* The command has moved what was in argv. */
	while (n > 0)
		free(words[--n]);
	free(text);
	free(complaints);
}

Test(commands, say_what_is_wrong_with_a_command_line_before_they_do_anything)
{
	static const struct {
		const char *line[8], *complaint;
	} cases[] = {
		{{"ctl", "nxt"}, "unknown command \"nxt\": "},
		{{"ctl", "status", "now"}, "status takes no argument"},
		{{"ctl", "next", "a", "b"}, "next takes no second argument"},
		{{"ctl", "next", "caf\xe9"}, "a name after next is not UTF-8"},
		{{"ctl", "restart", "caf\xe9", "2s"}, "a name after restart is not UTF-8"},
		{{"ctl", "restart", "café", "soon"}, "\"soon\" is not a duration"},
		{{"ctl", "restart", "api", "soon"}, "\"soon\" is not a duration"},
		{{"ctl", "restart", "2s", "3s"}, "\"3s\" is not a duration"},
		{{"ctl", "restart", "0s"}, "a restart takes more than 0s"},
		{{"inject"}, "a scenario file, fault steps, or -e NAME=STEPS is needed"},
		{{"inject", "-e", "api=drop", "a.yaml"}, "-e goes without a file"},
		{{"inject", "-e", "api"}, "a name and steps are expected"},
		{{"inject", "-e", "api=drop", "-e", "api=drop"}, "api is given twice"},
		{{"inject", "refuse", "accept"}, "steps are one argument, with commas: "},
		{{"inject", "--port", "80", "a.yaml"}, "--port goes without a file"},
		{{"inject", "refuze x2"}, "(and there is no file \"refuze x2\")"},
		{{"inject", "--ready-fd", "999", "drop"}, "that descriptor is not open"},
		{{"inject", "--ready-fd", "x", "drop"}, "not the number of a descriptor"},
		{{"exec", "-e", "api=drop", "a.yaml", "--", "true"}, "-e goes without a file"},
		{{"exec", "--time", "virtual", "--", "true"}, "use synfault run"},
		{{"exec", "--listen", "1", "--isolation", "private", "--", "true"},
		 "--listen goes with --isolation shared"},
		{{"exec"}, "--"},
		{{"try", "--", "true"}, "the steps are needed"},
		{{"try", "", "--", "true"}, "a step is needed"},
		{{"try", "refuze", "--", "true"}, "unknown step \"refuze\""},
		{{"try", "--family", "ipv5", "drop", "--", "true"}, "ipv4, ipv6, or both"},
		{{"run", "--format", "json", "a.yaml"}, "--format json goes with --list"},
		{{"run", "--shard", "3/2", "a.yaml"}, "--shard"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refused(cases[i].line, cases[i].complaint);
}

/* Returns the answers to the completion scripts for the words up to a NULL; the caller owns them.
 */
static char *answers_to(const char *const *words)
{
	const struct command *command = find_command("completion");
	char *argv[8] = {(char[]){"words"}, (char[]){"--"}}, *text = NULL;
	size_t n = 2, length = 0;
	FILE *out = open_memstream(&text, &length);

	for (; *words; words++)
		argv[n++] = xstrdup(*words);
	cr_expect_eq(command_execute(command, (int)n, argv,
				     &(struct command_context){
					     .out = out, .err = stderr, .commands = commands}),
		     STATUS_PASSED);
	fclose(out);
	for (size_t i = 2; i < n; i++)
		free(argv[i]);
	return text;
}

Test(commands, completion_answers_what_can_come_next)
{
	static const struct {
		const char *words[5], *answers;
	} cases[] = {
		{{"run", "--color", ""}, "auto\t\nalways\t\nnever\t\n"},
		{{"run", "--color="}, "--color=auto\t\n--color=always\t\n--color=never\t\n"},
		{{"run", "--junit", ""}, ":file\n"},
		{{"run", "--records", ""}, ":directory\n"},
		{{"run", "-j", ""}, ":other\n"},
		{{"run", "a"}, ":file\n"},
		{{"run", "--quiet", ""}, ":file\n"},
		{{"try", "drop", "--", "ec"}, ":command\n"},
		{{"try", "--", "curl", "--color"}, ":file\n"},
		{{"completion", ""}, "bash\t\nzsh\t\nfish\t\n"},
		{{"merge", "-"}, "--help\tshow this help\n-h\tshow this help\n"},
		{{"no-such-command", "-"}, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *answers = answers_to(cases[i].words);

		cr_expect_str_eq(answers, cases[i].answers, "case %zu", i);
	}
}

Test(commands, completion_knows_every_command)
{
	AUTO_FREE char *answers = answers_to((const char *const[]){"", NULL});

	for (size_t i = 0; commands[i]; i++) {
		AUTO_FREE char *line =
			xasprintf("%s\t%s\n", commands[i]->name, commands[i]->summary);

		cr_expect(strstr(answers, line), "%s", line);
	}
}
