/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of options from the command line and the environment. */
#include <criterion/criterion.h>

#include "runner/command/commands.h"
#include "runner/command/run_options.h"

TestSuite(options);

/* One row of each kind. */
struct sample {
	bool flag;
	size_t once;
	const char *string, *word, *file;
	uint16_t small;
	int64_t large, duration_ns;
	uint64_t bytes;
	double factor;
	struct option_seed seed;
	enum { NEVER, OFTEN, ALWAYS } when;
	unsigned letters, even;
};

static bool parse_letters(void *field, const char *value, char **ret_message)
{
	if (*value) {
		*(unsigned *)field += (unsigned)strlen(value);
		return true;
	}
	*ret_message = xstrdup("letters are expected");
	return false;
}

static bool parse_even(void *field, const char *value, char **ret_message)
{
	*(unsigned *)field = (unsigned)strlen(value);
	if (strlen(value) % 2 == 0)
		return true;
	*ret_message = xasprintf("%zu letters can't be paired", strlen(value));
	return false;
}

#define TO(member) OPTION_FIELD(struct sample, member)
static const struct option_spec sample_rows[] = {
	{"flag", 'f', NULL, "set a bool", OPTION_FLAG, TO(flag)},
	{"once", 0, NULL, "set an integer to 1", OPTION_FLAG, TO(once)},
	{"string", 's', "S", "take any text", OPTION_STRING, TO(string)},
	{"word", 0, "W", "take one of the words", OPTION_STRING, TO(word), .words = "one two"},
	{"file", 0, "FILE", "take a name that is not empty", OPTION_FILE, TO(file)},
	{"small", 0, "N", "take a small number", OPTION_COUNT, TO(small), 1, 65535},
	{"large", 'l', "N", "take a large number", OPTION_COUNT, TO(large), -5, INT64_MAX},
	{"bytes", 0, "SIZE", "take a size", OPTION_SIZE, TO(bytes), 4096, 1 << 30},
	{"factor", 0, "F", "take a factor", OPTION_FACTOR, TO(factor)},
	{"duration", 0, "D", "take a duration", OPTION_DURATION, TO(duration_ns)},
	{"seed", 0, "N", "take a seed", OPTION_SEED, TO(seed)},
	{"when", 0, "WHEN", "take the index of a word", OPTION_CHOICE, TO(when),
	 .words = "never often always"},
	{"letters", 0, "L", "count letters", OPTION_CUSTOM, TO(letters), .parse = parse_letters},
	{"even", 0, "L", "count pairs of letters", OPTION_CUSTOM, TO(even), .parse = parse_even,
	 .explains = true},
	OPTION_ROW_HELP,
};
static const struct option_table sample_table = {sample_rows, ARRAY_SIZE(sample_rows)};

/* Parses words separated by bars. Returns the error, owned by the caller, or NULL. */
static char *parse_sample(const char *line, struct sample *ret, struct operands *ret_operands)
{
	AUTO_FREE char *copy = xstrdup(line);
	char *words[32], *rest = copy, *message = NULL;
	int n = 0;

	*ret = (struct sample){0};
	*ret_operands = (struct operands){0};
	while (rest && n < 31)
		words[n++] = strsep(&rest, "|");
	words[n] = NULL;
	options_parse(&sample_table, n, words, ret, ret_operands, &message);
	ret->string = NULL; /* points into what is freed here */
	return message;
}

Test(options, each_kind_of_row_sets_its_field)
{
	char line[] = "-f|--once|-stext|--word=two|--file|x|--small|65535|-l|-5|--bytes|512K|"
		      "--factor|0.5|--duration|1m30s|--seed|0x1f|--when|always|--letters|ab|"
		      "--letters=c|operand|--help|--|client";
	char *words[32] = {NULL}, *rest = line;
	int n = 0;
	AUTO_FREE char *message = NULL;
	struct sample sample = {0};
	struct operands operands;

	while (rest)
		words[n++] = strsep(&rest, "|");
	cr_assert(options_parse(&sample_table, n, words, &sample, &operands, &message), "%s",
		  message);
	cr_expect(sample.flag);
	cr_expect_eq(sample.once, 1);
	cr_expect_str_eq(sample.string, "text");
	cr_expect_str_eq(sample.word, "two");
	cr_expect_str_eq(sample.file, "x");
	cr_expect_eq(sample.small, 65535);
	cr_expect_eq(sample.large, -5);
	cr_expect_eq(sample.bytes, UINT64_C(512) << 10);
	cr_expect_eq(sample.factor, 0.5);
	cr_expect_eq(sample.duration_ns, INT64_C(90000000000));
	cr_expect(sample.seed.given && sample.seed.value == 0x1f);
	cr_expect_eq(sample.when, ALWAYS);
	cr_expect_eq(sample.letters, 3, "a row with a function may be repeated");
	cr_expect_eq(operands.n, 1);
	cr_expect_str_eq(operands.items[0], "operand");
	cr_expect_str_eq(operands.client[0], "client");
	cr_expect(operands.help);
}

Test(options, each_kind_of_row_refuses_other_values)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{"--flag=1", "--flag takes no value"},
		{"--string", "--string needs a value: S"},
		{"-s", "-s needs a value: S"},
		{"-x", "unknown option -x"},
		{"--strong|x", "unknown option --strong; did you mean --string?"},
		{"--word=three", "--word: one or two is expected, not \"three\""},
		{"--word=on", "--word: one or two is expected, not \"on\""},
		{"--file=", "--file: a name is expected; standard output is /dev/stdout, not \"\""},
		{"--file=-",
		 "--file: a name is expected; standard output is /dev/stdout, not \"-\""},
		{"--small=0", "--small: a number from 1 to 65535 is expected, not \"0\""},
		{"--small=65536", "--small: a number from 1 to 65535 is expected, not \"65536\""},
		{"--small=1x", "--small: a number from 1 to 65535 is expected, not \"1x\""},
		{"--bytes=4095",
		 "--bytes: a size from 4K to 1G is expected, such as 64M, not \"4095\""},
		{"--bytes=2G",
		 "--bytes: a size from 4K to 1G is expected, such as 64M, not \"2G\""},
		{"--bytes=99999999999G",
		 "--bytes: a size from 4K to 1G is expected, such as 64M, not \"99999999999G\""},
		{"--bytes=K", "--bytes: a size from 4K to 1G is expected, such as 64M, not \"K\""},
		{"--factor=0", "--factor: a factor from 0.01 to 1000 is expected, not \"0\""},
		{"--factor=nan", "--factor: a factor from 0.01 to 1000 is expected, not \"nan\""},
		{"--duration=5", "--duration: a duration such as 30s or 1m30s is expected (did you "
				 "mean \"5s\" or \"5ms\"?), not \"5\""},
		{"--duration=2 min", "--duration: a duration such as 30s or 1m30s is expected "
				     "(did you mean \"2m\"?), not \"2 min\""},
		{"--duration=soon", "--duration: a duration such as 30s or 1m30s is expected "
				    "(does not start with a number), not \"soon\""},
		{"--duration=0s", "--duration: a duration such as 30s or 1m30s is expected (has to "
				  "be more than 0), not \"0s\""},
		{"--seed=-1", "--seed: a number such as 0x1f or 17 is expected, not \"-1\""},
		{"--when=seldom", "--when: never, often or always is expected, not \"seldom\""},
		{"--letters=", "--letters: letters are expected, not \"\""},
		{"--even=abc", "--even \"abc\": 3 letters can't be paired"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sample sample;
		struct operands operands;
		AUTO_FREE char *message = parse_sample(cases[i].line, &sample, &operands);

		cr_assert_not_null(message, "%s", cases[i].line);
		cr_expect_str_eq(message, cases[i].message);
	}
}

/* The rows of choices list words; these are the names of the enums that they set. */
Test(options, words_of_choices_are_in_the_order_of_their_enums)
{
	AUTO_FREE char *message = NULL;

	for (int mode = 0; mode < ISOLATION_N_MODES; mode++)
		cr_expect_eq(option_choice(isolation_mode_name((enum isolation_mode)mode),
					   "auto private shared", &message),
			     mode);
	cr_expect_eq(option_choice("never", "never failed always", &message), CAPTURE_NEVER);
	cr_expect_eq(option_choice("failed", "never failed always", &message), CAPTURE_FAILED);
	cr_expect_eq(option_choice("always", "never failed always", &message), CAPTURE_ALWAYS);
}

Test(options, help_is_wrapped_to_80_columns)
{
	static const struct option_spec rows[] = {
		{"a-name-that-is-longer-than-its-column", 0, "ARGUMENT", "begin on a new line",
		 OPTION_STRING, TO(string)},
		{"b", 0, NULL,
		 "say so much that it does not fit into one line, with more words, and more of "
		 "them",
		 OPTION_FLAG, TO(flag)},
	};
	const struct option_table table = {rows, ARRAY_SIZE(rows)};
	AUTO_STRBUF struct strbuf text = {0};

	options_help(&table, &text);
	cr_expect_str_eq(
		strbuf_text(&text),
		"      --a-name-that-is-longer-than-its-column ARGUMENT\n"
		"                            begin on a new line\n"
		"      --b                   say so much that it does not fit into one line, with\n"
		"                            more words, and more of them\n");
}
#undef TO

/* Options of `run`, from one line of arguments separated by blanks. */
struct parsed {
	struct run_options options;
	char *words[32], *line, *message;
	bool good;
	struct operands operands;
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
	parsed->options = *(const struct run_options *)run_option_table.defaults;
	parsed->good = options_parse(&run_option_table, n, parsed->words, &parsed->options,
				     &parsed->operands, &parsed->message) &&
		       run_options_complete(&parsed->options, &parsed->message);
}

static void parsed_free(struct parsed *parsed)
{
	selection_free(&parsed->options.selection);
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
	cr_assert_eq(parsed.operands.n, 1);
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
		{"--timeout 5", "--timeout: a duration such as 30s or 1m30s is expected "
				"(did you mean \"5s\" or \"5ms\"?), not \"5\""},
		{"--timeout 5sec", "--timeout: a duration such as 30s or 1m30s is expected "
				   "(did you mean \"5s\"?), not \"5sec\""},
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
	cr_assert(!parsed.operands.help, "help does not come from the environment");
	cr_assert_str_eq(parsed.options.selection.tags[0], "a");
}

Test(options, on_the_command_line_take_precedence_over_the_environment)
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

Test(options, one_shard_is_everything_on_every_ci_system)
{
	AUTO_PARSED struct parsed parsed;

	setenv("CI_NODE_INDEX", "1", 1);
	setenv("CI_NODE_TOTAL", "5", 1);
	parse(&parsed, "--shard 1/1 a.yaml");
	cr_assert(parsed.good);
	cr_assert_eq(parsed.options.shard.count, 0);
}

/* Returns whether a value of the one's variable could be meant for the other. */
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
	for (size_t i = 0; commands[i]; i++)
		for (size_t k = 0; k < i; k++)
			for (size_t a = 0; a < commands[i]->options->n_specs; a++)
				for (size_t b = 0; b < commands[k]->options->n_specs; b++)
					cr_expect(same_variable(&commands[i]->options->specs[a],
								&commands[k]->options->specs[b]),
						  "--%s of %s and of %s",
						  commands[i]->options->specs[a].name,
						  commands[i]->name, commands[k]->name);
}
