/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs scenarios side by side, each under a supervising process of its own, and judges each record
 * as it comes in.
 *
 * Scenarios sleep most of the time, and many run at once. But a scenario that starts (sandbox,
 * servers, the client's own start-up) needs a processor. Therefore the number of scenarios that
 * have not sent their first SYN is bounded by the number of processors: a crowd of starting
 * interpreters would make each other late.
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
	size_t jobs;          /* most scenarios at once; 0: schedule_default_jobs() */
	char *const *command; /* client command for all scenarios; NULL: their own */
	uint64_t seed;        /* of the run; each scenario's is drawn from it by name */
	enum isolation_mode isolation;
	struct judge_options judge;
	struct retry_policy retry;
	struct capture_policy capture;
	size_t max_failures; /* start nothing more after this many failures and errors; 0: never */
	int64_t global_timeout_ns; /* end all scenarios after this time; 0: never */
	bool require;              /* a missing capability is an error, not a skip */

	/*
	 * What isolation there is was found out, and nothing has run yet; NULL: there is none, and
	 * all scenarios are skipped. Can be NULL itself.
	 */
	void (*on_isolation)(void *userdata, const struct isolation *isolation);
	/* A scenario's result is complete. */
	void (*on_result)(void *userdata, struct result *result);
	/* Called several times a second, with the names of what runs. */
	void (*on_tick)(void *userdata, size_t n_done, const char *const *running,
			size_t n_running);
	/* SIGUSR1 came: what runs, the oldest first. */
	void (*on_status)(void *userdata, size_t n_done, const struct schedule_running *running,
			  size_t n_running);
	/* Something happened in a running scenario; @line as event_line_write() makes it. NULL:
	 * unwanted.
	 */
	void (*on_live)(void *userdata, const struct result *result, const char *line);
	void *userdata;
};

/* How many scenarios fit: 256, or less where memory or processes are scarce. */
size_t schedule_default_jobs(void);

/* The seed of one scenario: depends on the run's seed and its name alone. */
uint64_t schedule_scenario_seed(uint64_t run_seed, const struct scenario *scenario);

/*
 * The seed of a run that is repeated: all draws of repetition @repetition (from 1; 0 is the same as
 * 1) are those of a run with this seed.
 */
uint64_t schedule_repetition_seed(uint64_t run_seed, unsigned repetition);

/*
 * Runs all results that have a scenario, those that fail again where they are to be retried, and
 * fills in record, judgement and duration. SIGINT, SIGTERM and SIGPIPE, a time limit or enough
 * failures end it early: @results->stop says which (and ->interrupted whether it was a signal), and
 * results that were not run or cut short have interrupted set. No process is left when it returns.
 */
void schedule_run(const struct schedule_config *config, struct run_results *results);

#endif
