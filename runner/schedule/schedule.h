/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs scenarios side by side, each under a supervisor process of its own, and judges each record
 * as it comes in.
 *
 * Scenarios sleep most of the time, which lets many run at once. But a scenario that starts
 * (sandbox, servers, the client's own start-up) needs a processor, and a crowd of starting
 * interpreters would make each other late. So the number of scenarios that have not sent their
 * first SYN is at most the number of processors.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_SCHEDULE_H
#define SYNFAULT_RUNNER_SCHEDULE_SCHEDULE_H

#include "runner/sandbox/isolation.h"
#include "runner/schedule/captures.h"
#include "runner/schedule/retry.h"

struct schedule_running {
	const struct result *result;
	int64_t elapsed_ns;
};

struct schedule_config {
	size_t jobs;          /* maximum of scenarios at once; 0: limits_default_jobs() */
	char *const *command; /* client command for all scenarios; NULL: each has its own */
	uint64_t seed;        /* of the run; each scenario's is drawn from it by name */
	enum isolation_mode isolation;
	enum time_mode time; /* TIME_N_MODES: each scenario's own */
	struct judge_options judge;
	struct retry_policy retry;
	struct capture_policy capture;
	size_t max_failures; /* start nothing more after this many failures and errors; 0: never */
	int64_t global_timeout_ns; /* end all scenarios after this time; 0: never */
	bool require;              /* a missing capability is an error, not a skip */
	bool observe;              /* record everything that any expectation needs */

	/*
	 * Called when the isolation is known, and before anything runs. NULL as @isolation: none
	 * works, and all scenarios are skipped. This and the next four may be NULL.
	 */
	void (*on_isolation)(void *userdata, const struct isolation *isolation);
	/* Called when a scenario's result is complete. */
	void (*on_result)(void *userdata, struct result *result);
	/* Called several times a second, with the names of what runs. */
	void (*on_tick)(void *userdata, size_t n_done, const char *const *running,
			size_t n_running);
	/* Called upon SIGUSR1 with what runs, the oldest first. */
	void (*on_status)(void *userdata, size_t n_done, const struct schedule_running *running,
			  size_t n_running);
	/* Called for each event of a running scenario; @line as event_line_write() makes it. */
	void (*on_live)(void *userdata, const struct result *result, const char *line);
	void *userdata;
};

/** schedule_scenario_seed() - derive a scenario's seed from the run's seed and its name alone */
uint64_t schedule_scenario_seed(uint64_t run_seed, const struct scenario *scenario);

/**
 * schedule_repetition_seed() - derive the seed of one repetition of a run
 * @repetition: from 1; 0 is the same as 1
 *
 * A run with the returned seed draws what the repetition draws.
 */
uint64_t schedule_repetition_seed(uint64_t run_seed, unsigned repetition);

/**
 * schedule_run() - run all results that have a scenario, with retries
 * @results: get record, judgement and duration
 *
 * SIGINT, SIGTERM and SIGPIPE, a time limit or enough failures end the run early. Then
 * @results->stop says which, ->interrupted whether it was a signal, and results that did not run or
 * were cut short have interrupted set. No process is left when it returns.
 */
void schedule_run(const struct schedule_config *config, struct run_results *results);

#endif
