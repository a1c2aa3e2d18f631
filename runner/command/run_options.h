/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `synfault run`, from the command line and the environment. */
#ifndef SYNFAULT_RUNNER_COMMAND_RUN_OPTIONS_H
#define SYNFAULT_RUNNER_COMMAND_RUN_OPTIONS_H

#include "runner/command/captures.h"
#include "runner/command/outputs.h"
#include "runner/command/select.h"
#include "runner/sandbox/isolation.h"
#include "runner/schedule/retry.h"
#include "runner/schedule/shard.h"

/* Texts are borrowed from the command line or the environment. */
struct run_options {
	struct output_options outputs; /* the first: see OUTPUT_OPTIONS */

	/* what is run */
	struct selection selection;
	struct shard shard;
	const char *durations;
	unsigned repeat; /* 0: once */
	bool last_failed, list, json, dry_run, no_tests_pass;

	/* how */
	size_t jobs;                           /* 0: as many as fit */
	int64_t timeout_ns, global_timeout_ns; /* 0: not given */
	size_t max_failures;
	struct retry_policy retry;
	uint64_t seed;
	bool seed_given, require, help;
	double timing_scale;
	enum isolation_mode isolation;
	struct capture_policy capture;
	bool capture_given;

	/* what is told */
	const char *records;
};

extern const struct option_table run_option_table;

/*
 * Reads them, as options_parse() does, and finds out the shard. Returns true, or false with
 * *@ret_message (owned by the caller).
 */
bool run_options_parse(int argc, char **argv, struct run_options *options, int *ret_n_operands,
		       char ***ret_rest, char **ret_message);
void run_options_help(struct strbuf *out);
void run_options_free(struct run_options *options);

#endif
