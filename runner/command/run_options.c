/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `synfault run`: see run_options.h. */
#include "runner/command/run_options.h"

static bool parse_shard(void *field, const char *value, char **ret_message)
{
	struct shard *shard = field;

	if (!shard_parse(value, shard, ret_message))
		return false;
	shard->origin = "--shard";
	return true;
}

#define TO(member) OPTION_FIELD(struct run_options, member)
static const struct option_spec rows[] = {
	OPTION_ROW_FILTER(struct run_options),
	OPTION_ROW_TAG(struct run_options),
	{"last-failed", 0, NULL, "run only scenarios that did not pass here last time", OPTION_FLAG,
	 TO(last_failed)},
	{"shard", 0, "K/N", "run only part K of N (default: set by the CI system)", OPTION_CUSTOM,
	 TO(shard), .parse = parse_shard},
	{"durations", 0, "FILE", "balance shards using the durations in this JUnit report",
	 OPTION_FILE, TO(durations)},
	{"list", 0, NULL, "list what would run, and run nothing", OPTION_FLAG, TO(list)},
	OPTION_ROW_FORMAT(struct run_options, json, "print the list as text or json"),
	{"dry-run", 0, NULL, "check everything, and run nothing", OPTION_FLAG, TO(dry_run)},
	{"no-tests", 0, "RESULT", "fail (default) or pass when nothing is selected", OPTION_CHOICE,
	 TO(no_tests_pass), .words = "fail pass"},
	{"jobs", 'j', "N", "run N scenarios at once (default: as many as fit, at most 256)",
	 OPTION_COUNT, TO(jobs), 1, 100000},
	{"exitfirst", 'x', NULL, "stop after the first failure, as --max-fail 1 does", OPTION_FLAG,
	 TO(max_failures)},
	{"max-fail", 0, "N", "start no more scenarios after N failures", OPTION_COUNT,
	 TO(max_failures), 1, 1000000},
	{"retries", 0, "N", "rerun scenarios that do not pass, up to N times", OPTION_COUNT,
	 TO(retry.retries), 0, 1000},
	{"late-retries", 0, "N",
	 "rerun scenarios whose timing was inconclusive, one at a time, up to N times (default: 2)",
	 OPTION_COUNT, TO(retry.late_retries), 0, 1000},
	{"flaky-result", 0, "RESULT", "count a pass in a retry as pass (default) or fail",
	 OPTION_CHOICE, TO(retry.flaky_fails), .words = "pass fail"},
	{"repeat", 0, "N", "run each scenario N times", OPTION_COUNT, TO(repeat), 1, 100000},
	{"require", 0, NULL, "treat a missing capability as an error", OPTION_FLAG, TO(require)},
	{"timeout", 0, "TIME", "replace the timeout of every scenario", OPTION_DURATION,
	 TO(timeout_ns)},
	{"global-timeout", 0, "TIME", "end the whole run after this time", OPTION_DURATION,
	 TO(global_timeout_ns)},
	OPTION_ROW_ISOLATION(struct run_options, isolation),
	OPTION_ROW_TIME(struct run_options, time),
	OPTION_ROW_SEED(struct run_options, seed),
	OPTION_ROW_TIMING_SCALE(struct run_options, timing_scale,
				"multiply all timing tolerances by F"),
	OUTPUT_OPTIONS(struct run_options),
	{"records", 0, "DIR", "write each scenario's record to this directory, as JSON",
	 OPTION_FILE, TO(records)},
	{"capture", 0, "WHEN",
	 "capture packets: never (default), failed (of what does not pass) or always",
	 OPTION_CHOICE, TO(capture.mode), .words = "never failed always"},
	{"capture-dir", 0, "DIR",
	 "write captures to this directory (default: that of --records, or ./captures)",
	 OPTION_FILE, TO(capture.directory)},
	{"capture-size", 0, "SIZE", "keep at most SIZE bytes of packets each (default: 16M)",
	 OPTION_SIZE, TO(capture.size), CAPTURE_MIN_SIZE, CAPTURE_MAX_SIZE},
	SHOWN_OPTIONS(struct run_options,
		      "show events live, and attempts and expectations of passed scenarios"),
	OPTION_ROW_HELP,
};

static const struct run_options defaults = {
	.timing_scale = 1,
	.time = TIME_N_MODES,
	.retry.late_retries = RETRY_LATE_DEFAULT,
	.capture = {.mode = CAPTURE_N_MODES, .size = CAPTURE_DEFAULT_SIZE},
};

const struct option_table run_option_table = {rows, ARRAY_SIZE(rows), sizeof(defaults), &defaults};

bool run_options_complete(struct run_options *options, char **ret_message)
{
	AUTO_FREE char *format = option_variable("format");

	if (options->shard.count == 0 && !shard_from_environment(&options->shard, ret_message))
		return false;
	/* The variable may be set for `synfault list` in the same job. */
	if (options->json && !options->list && !getenv(format)) {
		*ret_message = xstrdup("--format json goes with --list; for results there is "
				       "--json");
		return false;
	}
	captures_complete(&options->capture, options->records ? options->records : "captures");
	/* One shard is the whole suite. */
	if (options->shard.count == 1)
		options->shard = (struct shard){0};
	return true;
}
