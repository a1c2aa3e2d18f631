/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `synfault run`: see run_options.h. */
#include "runner/command/run_options.h"

/* ---- values ---- */

/* A whole number; most options that take one have nothing else to say. */
static bool read_number(const char *value, int64_t low, int64_t high, int64_t *ret,
			char **ret_message)
{
	if (option_number(value, low, high, ret))
		return true;
	*ret_message = xasprintf("a number from %lld to %lld is expected", (long long)low,
				 (long long)high);
	return false;
}

static bool apply_jobs(void *options, const char *value, char **ret_message)
{
	int64_t jobs;

	if (!read_number(value, 1, 100000, &jobs, ret_message))
		return false;
	((struct run_options *)options)->jobs = (size_t)jobs;
	return true;
}

static bool apply_filter(void *options, const char *value, char **ret_message)
{
	selection_add_glob(&((struct run_options *)options)->selection, value);
	return true;
}

static bool apply_tag(void *options, const char *value, char **ret_message)
{
	if (selection_add_tags(&((struct run_options *)options)->selection, value))
		return true;
	*ret_message = xstrdup("tags such as a,!b are expected, each one word");
	return false;
}

static bool apply_last_failed(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->last_failed = true;
	return true;
}

static bool apply_shard(void *options, const char *value, char **ret_message)
{
	struct shard *shard = &((struct run_options *)options)->shard;

	if (!shard_parse(value, shard, ret_message))
		return false;
	shard->origin = "--shard";
	return true;
}

static bool apply_durations(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->durations = value;
	return true;
}

static bool apply_list(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->list = true;
	return true;
}

static bool apply_format(void *options, const char *value, char **ret_message)
{
	return option_format(value, &((struct run_options *)options)->json, ret_message);
}

static bool apply_dry_run(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->dry_run = true;
	return true;
}

static bool apply_no_tests(void *options, const char *value, char **ret_message)
{
	static const char *const words[] = {"fail", "pass", NULL};
	size_t index;

	if (!option_choice(value, words, &index, ret_message))
		return false;
	((struct run_options *)options)->no_tests_pass = index == 1;
	return true;
}

static bool apply_exitfirst(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->max_failures = 1;
	return true;
}

static bool apply_max_fail(void *options, const char *value, char **ret_message)
{
	int64_t failures;

	if (!read_number(value, 1, 1000000, &failures, ret_message))
		return false;
	((struct run_options *)options)->max_failures = (size_t)failures;
	return true;
}

static bool apply_retries(void *options, const char *value, char **ret_message)
{
	int64_t retries;

	if (!read_number(value, 0, 1000, &retries, ret_message))
		return false;
	((struct run_options *)options)->retry.retries = (unsigned)retries;
	return true;
}

static bool apply_late_retries(void *options, const char *value, char **ret_message)
{
	int64_t retries;

	if (!read_number(value, 0, 1000, &retries, ret_message))
		return false;
	((struct run_options *)options)->retry.late_retries = (unsigned)retries;
	return true;
}

static bool apply_flaky_result(void *options, const char *value, char **ret_message)
{
	static const char *const words[] = {"pass", "fail", NULL};
	size_t index;

	if (!option_choice(value, words, &index, ret_message))
		return false;
	((struct run_options *)options)->retry.flaky_fails = index == 1;
	return true;
}

static bool apply_repeat(void *options, const char *value, char **ret_message)
{
	int64_t times;

	if (!read_number(value, 1, 100000, &times, ret_message))
		return false;
	((struct run_options *)options)->repeat = times > 1 ? (unsigned)times : 0;
	return true;
}

static bool apply_require(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->require = true;
	return true;
}

static bool apply_timeout(void *options, const char *value, char **ret_message)
{
	return option_duration(value, &((struct run_options *)options)->timeout_ns, ret_message);
}

static bool apply_global_timeout(void *options, const char *value, char **ret_message)
{
	return option_duration(value, &((struct run_options *)options)->global_timeout_ns,
			       ret_message);
}

static bool apply_seed(void *options, const char *value, char **ret_message)
{
	struct run_options *run = options;

	run->seed_given = true;
	return option_seed(value, &run->seed, ret_message);
}

static bool apply_timing_scale(void *options, const char *value, char **ret_message)
{
	if (option_decimal(value, 0.01, 1000, &((struct run_options *)options)->timing_scale))
		return true;
	*ret_message = xstrdup("a factor from 0.01 to 1000 is expected");
	return false;
}

static bool apply_records(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->records = value;
	return true;
}

static bool apply_capture(void *options, const char *value, char **ret_message)
{
	const char *words[CAPTURE_N_MODES + 1] = {0};
	size_t index;

	for (int mode = 0; mode < CAPTURE_N_MODES; mode++)
		words[mode] = capture_mode_name((enum capture_mode)mode);
	if (!option_choice(value, words, &index, ret_message))
		return false;
	((struct run_options *)options)->capture.mode = (enum capture_mode)index;
	((struct run_options *)options)->capture_given = true;
	return true;
}

static bool apply_capture_dir(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->capture.directory = value;
	return true;
}

static bool apply_capture_size(void *options, const char *value, char **ret_message)
{
	return captures_parse_size(value, &((struct run_options *)options)->capture.size,
				   ret_message);
}

static bool apply_isolation(void *options, const char *value, char **ret_message)
{
	return option_isolation(value, &((struct run_options *)options)->isolation, ret_message);
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->help = true;
	return true;
}

/* ---- the table ---- */

static const struct option_spec run_options[] = {
	{"filter", 'f', "GLOB", "only scenarios whose name matches; again: or this one",
	 apply_filter},
	{"tag", 't', "A,!B", "only those tagged A and not B; again: or these", apply_tag},
	{"last-failed", 0, NULL, "only those that did not pass when last run here",
	 apply_last_failed},
	{"shard", 0, "K/N", "only part K of N (default: as the CI system says)", apply_shard},
	{"durations", 0, "FILE", "make parts even by the times in a JUnit report", apply_durations},
	{"list", 0, NULL, "list what would run, and run nothing", apply_list},
	{"format", 0, "FORMAT", "of --list: text or json", apply_format, .words = "text json"},
	{"dry-run", 0, NULL, "check everything, and run nothing", apply_dry_run},
	{"no-tests", 0, "RESULT", "when nothing is selected: fail (default) or pass",
	 apply_no_tests, .words = "fail pass"},
	{"jobs", 'j', "N", "scenarios at once (default: as many as fit, at most 256)", apply_jobs},
	{"exitfirst", 'x', NULL, "the same as --max-fail 1", apply_exitfirst},
	{"max-fail", 0, "N", "start no more after N failures", apply_max_fail},
	{"retries", 0, "N", "run what does not pass up to N times again", apply_retries},
	{"late-retries", 0, "N",
	 "run what the machine was too slow for up to N times again, alone (default: 2)",
	 apply_late_retries},
	{"flaky-result", 0, "RESULT", "what passed in a retry is a pass (default) or fail",
	 apply_flaky_result, .words = "pass fail"},
	{"repeat", 0, "N", "run each scenario N times", apply_repeat},
	{"require", 0, NULL, "a missing capability is an error, no skip", apply_require},
	{"timeout", 0, "TIME", "for every scenario, whatever its file says", apply_timeout},
	{"global-timeout", 0, "TIME", "for the whole run, which is ended then",
	 apply_global_timeout},
	{"isolation", 0, "HOW", "private or shared namespaces, or auto (docs/isolation.md)",
	 apply_isolation, .words = "auto private shared"},
	{"seed", 0, "N", "seed of everything that is drawn (default: a new one)", apply_seed},
	{"timing-scale", 0, "F", "multiply all tolerances of time by F", apply_timing_scale},
	OUTPUT_OPTIONS,
	{"records", 0, "DIR", "write each scenario's record there, as JSON", apply_records},
	{"capture", 0, "WHEN",
	 "packet captures: never (default), failed (of what does not pass) or always",
	 apply_capture, .words = "never failed always"},
	{"capture-dir", 0, "DIR", "write them there (default: as --records, else captures)",
	 apply_capture_dir},
	{"capture-size", 0, "SIZE", "at most so many bytes of packets each (default: 16M)",
	 apply_capture_size},
	SHOWN_OPTIONS("show events live, and attempts and expectations of what passed, too"),
	{"help", 'h', NULL, "show this help", apply_help, .command_line_only = true},
};

const struct option_table run_option_table = OPTION_TABLE(run_options);

void run_options_help(struct strbuf *out)
{
	options_help(run_options, ARRAY_SIZE(run_options), out);
	strbuf_puts(out, "\nEach is also an environment variable, SYNFAULT_JOBS for --jobs, "
			 "SYNFAULT_MAX_FAIL\nfor --max-fail; what is given here counts more.\n");
}

/* A directory alone says that captures are wanted; where they go, if not to a directory given. */
static void complete_capture(struct run_options *options)
{
	struct capture_policy *capture = &options->capture;

	if (capture->directory && !options->capture_given)
		capture->mode = CAPTURE_FAILED;
	if (!capture->directory)
		capture->directory = options->records ? options->records : "captures";
	if (!capture->size)
		capture->size = CAPTURE_DEFAULT_SIZE;
}

/* What only the whole of them shows. */
static bool check_options(struct run_options *options, char **ret_message)
{
	AUTO_FREE char *format = option_variable("format");

	if (options->shard.count == 0 && !shard_from_environment(&options->shard, ret_message))
		return false;
	/* The variable may be there for `synfault list` in the same job. */
	if (options->json && !options->list && !getenv(format)) {
		*ret_message = xstrdup("--format json goes with --list; for results there is "
				       "--json");
		return false;
	}
	complete_capture(options);
	/* One part is the whole. */
	if (options->shard.count == 1)
		options->shard = (struct shard){0};
	return true;
}

bool run_options_parse(int argc, char **argv, struct run_options *options, int *ret_n_operands,
		       char ***ret_rest, char **ret_message)
{
	return options_parse(run_options, ARRAY_SIZE(run_options), argc, argv, options,
			     ret_n_operands, ret_rest, ret_message) &&
	       (options->help || check_options(options, ret_message));
}

void run_options_free(struct run_options *options)
{
	selection_free(&options->selection);
}
