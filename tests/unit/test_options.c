/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of options from the command line and the environment. */
#include <criterion/criterion.h>

#include "runner/command/commands.h"
#include "runner/command/run_options.h"

TestSuite(options);

/* Options of `run`, from one line of arguments separated by blanks. */
struct parsed {
	struct run_options options;
	char *words[32], *line, *message;
	bool good;
	int n_operands;
	char **rest;
};

static void parse(struct parsed *parsed, const char *line)
{
	char *rest;
	int n = 0;

	*parsed = (struct parsed){.line = xstrdup(line)};
	rest = parsed->line;
	for (char *word; (word = strsep(&rest, " ")) && n < 31;)
		if (*word)
			parsed->words[n++] = word;
	parsed->good = run_options_parse(n, parsed->words, &parsed->options, &parsed->n_operands,
					 &parsed->rest, &parsed->message);
}

static void parsed_free(struct parsed *parsed)
{
	run_options_free(&parsed->options);
	free(parsed->line);
	free(parsed->message);
}
#define AUTO_PARSED CLEANUP(parsed_free)

Test(options, of_run_are_all_read)
{
	AUTO_PARSED struct parsed parsed;

	parse(&parsed,
	      "-x --retries=3 --flaky-result fail --repeat 2 --require a.yaml --timeout 5s "
	      "--shard 2/3 --no-tests pass -t a,!b");
	cr_assert(parsed.good, "%s", parsed.message);
	cr_assert_eq(parsed.options.max_failures, 1);
	cr_assert_eq(parsed.options.retry.retries, 3);
	cr_assert(parsed.options.retry.flaky_fails && parsed.options.require &&
		  parsed.options.no_tests_pass);
	cr_assert_eq(parsed.options.repeat, 2);
	cr_assert_eq(parsed.options.timeout_ns, INT64_C(5000000000));
	cr_assert_eq(parsed.options.shard.number, 2);
	cr_assert_eq(parsed.options.shard.count, 3);
	cr_assert_eq(parsed.options.selection.n_tags, 1);
	cr_assert_eq(parsed.n_operands, 1);
}

Test(options, that_are_wrong_are_named)
{
	static const struct {
		const char *line, *complaint;
	} cases[] = {
		{"--retries x", "--retries: a number from 0 to 1000 is expected, not \"x\""},
		{"--max-fail 0", "--max-fail: a number from 1"},
		{"--repeat 0", "--repeat: a number from 1"},
		{"--flaky-result maybe", "--flaky-result: pass or fail is expected, not \"maybe\""},
		{"--no-tests maybe", "--no-tests: fail or pass is expected"},
		{"--format xml", "--format: text or json is expected"},
		{"--format json", "--format json goes with --list"},
		{"--timeout 5", "--timeout: a duration such as 30s or 1m30s is expected"},
		{"--timeout 0s", "--timeout: a duration"},
		{"--global-timeout soon", "--global-timeout: a duration"},
		{"--shard 9/8", "--shard: K/N is expected, part K (from 1) of N, not \"9/8\""},
		{"--tag a,", "--tag: tags such as a,!b are expected"},
		{"--color no", "--color: auto, always or never is expected"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed;

		parse(&parsed, cases[i].line);
		cr_assert(!parsed.good, "%s", cases[i].line);
		cr_assert(strstr(parsed.message, cases[i].complaint), "%s: %s", cases[i].line,
			  parsed.message);
	}
}

Test(options, are_taken_from_the_environment)
{
	AUTO_PARSED struct parsed parsed;

	setenv("SYNFAULT_MAX_FAIL", "4", 1);
	setenv("SYNFAULT_SHARD", "2/3", 1);
	setenv("SYNFAULT_REQUIRE", "yes", 1);
	setenv("SYNFAULT_QUIET", "0", 1);
	setenv("SYNFAULT_JUNIT", "", 1);
	setenv("SYNFAULT_HELP", "1", 1);
	setenv("SYNFAULT_TAG", "a", 1);
	setenv("CI_NODE_INDEX", "1", 1);
	setenv("CI_NODE_TOTAL", "5", 1);
	parse(&parsed, "a.yaml");
	cr_assert(parsed.good, "%s", parsed.message);
	cr_assert_eq(parsed.options.max_failures, 4);
	cr_assert_eq(parsed.options.shard.count, 3, "the CI system's word counts less");
	cr_assert(parsed.options.require);
	cr_assert(!parsed.options.outputs.console.quiet, "0 is off");
	cr_assert_null(parsed.options.outputs.junit, "an empty variable is none");
	cr_assert(!parsed.options.help, "nobody wants help from the environment");
	cr_assert_str_eq(parsed.options.selection.tags[0], "a");
}

Test(options, on_the_command_line_count_more_than_the_environment)
{
	AUTO_PARSED struct parsed parsed;

	setenv("SYNFAULT_MAX_FAIL", "not looked at", 1);
	setenv("SYNFAULT_TAG", "a", 1);
	parse(&parsed, "--max-fail 2 --tag b a.yaml");
	cr_assert(parsed.good, "%s", parsed.message);
	cr_assert_eq(parsed.options.max_failures, 2);
	cr_assert_eq(parsed.options.selection.n_tags, 1, "not one of both");
	cr_assert_str_eq(parsed.options.selection.tags[0], "b");
}

Test(options, that_are_wrong_in_the_environment_are_named_as_variables)
{
	static const struct {
		const char *variable, *value, *complaint;
	} cases[] = {
		{"SYNFAULT_JOBS", "many", "SYNFAULT_JOBS: a number from 1 to 100000 is expected"},
		{"SYNFAULT_REQUIRE", "maybe",
		 "SYNFAULT_REQUIRE: 1 or 0 is expected, not \"maybe\""},
		{"SYNFAULT_GLOBAL_TIMEOUT", "7", "SYNFAULT_GLOBAL_TIMEOUT: a duration"},
		{"SYNFAULT_FLAKY_RESULT", "x", "SYNFAULT_FLAKY_RESULT: pass or fail"},
		{"CI_NODE_INDEX", "1", "CI_NODE_INDEX is set"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PARSED struct parsed parsed;

		setenv(cases[i].variable, cases[i].value, 1);
		parse(&parsed, "a.yaml");
		cr_assert(!parsed.good, "%s", cases[i].variable);
		cr_assert(strstr(parsed.message, cases[i].complaint), "%s", parsed.message);
		unsetenv(cases[i].variable);
	}
}

Test(options, one_part_is_the_whole_whatever_the_ci_system_says)
{
	AUTO_PARSED struct parsed parsed;

	setenv("CI_NODE_INDEX", "1", 1);
	setenv("CI_NODE_TOTAL", "5", 1);
	parse(&parsed, "--shard 1/1 a.yaml");
	cr_assert(parsed.good);
	cr_assert_eq(parsed.options.shard.count, 0);
}

/* Whether a value of the one's variable could be meant for the other. */
static bool same_variable(const struct option_spec *a, const struct option_spec *b)
{
	if (strcmp(a->name, b->name) != 0 || a->command_line_only || b->command_line_only)
		return true;
	if (!a->argument || !b->argument)
		return !a->argument && !b->argument;
	return !strcmp(a->words ? a->words : "", b->words ? b->words : "");
}

Test(options, have_variables_that_mean_the_same_for_all_commands)
{
	for (size_t i = 0; i < n_commands; i++)
		for (size_t k = 0; k < i; k++)
			for (size_t a = 0; a < commands[i].options->n_specs; a++)
				for (size_t b = 0; b < commands[k].options->n_specs; b++)
					cr_expect(same_variable(&commands[i].options->specs[a],
								&commands[k].options->specs[b]),
						  "--%s of %s and of %s",
						  commands[i].options->specs[a].name,
						  commands[i].name, commands[k].name);
}
