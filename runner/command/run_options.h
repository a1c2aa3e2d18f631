/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `synfault run`, from the command line and the environment. */
#ifndef SYNFAULT_RUNNER_COMMAND_RUN_OPTIONS_H
#define SYNFAULT_RUNNER_COMMAND_RUN_OPTIONS_H

#include "runner/command/outputs.h"
#include "runner/command/select.h"
#include "runner/sandbox/isolation.h"
#include "runner/schedule/captures.h"
#include "runner/schedule/retry.h"
#include "runner/schedule/shard.h"

/* Texts are borrowed from the command line or the environment. */
struct run_options {
	struct output_options outputs;

	/* what to run */
	struct selection selection;
	struct shard shard;
	const char *durations;
	unsigned repeat; /* 0 or 1: once */
	bool last_failed, list, json, dry_run, no_tests_pass;

	/* how */
	size_t jobs;                           /* 0: as many as fit */
	int64_t timeout_ns, global_timeout_ns; /* 0: not given */
	size_t max_failures;
	struct retry_policy retry;
	struct option_seed seed;
	bool require;
	double timing_scale;
	enum isolation_mode isolation;
	enum time_mode time;           /* TIME_N_MODES: not given */
	struct capture_policy capture; /* mode: CAPTURE_N_MODES: not given */

	const char *records;
};

extern const struct option_table run_option_table;

/**
 * run_options_complete() - find the shard and where captures go, after parsing
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Return: false on an error.
 */
bool run_options_complete(struct run_options *options, char **ret_message);

#endif
