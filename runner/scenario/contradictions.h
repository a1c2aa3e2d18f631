/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations that no client can meet: each function adds an error where one contradicts another,
 * the fault scripts or the timeout. They take a document without other errors.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_CONTRADICTIONS_H
#define SYNFAULT_RUNNER_SCENARIO_CONTRADICTIONS_H

#include "runner/scenario/loader.h"

struct checker {
	struct loader *loader;
	const struct scenario *scenario;
	int64_t n_instances;
};

void contradict_policy(struct checker *checker, const struct expectation *expectation);
void contradict_time(struct checker *checker, const struct expectation *expectation);
void contradict_connect_timeout(struct checker *checker, const struct expectation *expectation);
void contradict_read_timeout(struct checker *checker, const struct expectation *expectation);
void contradict_total_backoff(struct checker *checker, const struct expectation *expectation);
void contradict_gives_up(struct checker *checker, const struct expectation *expectation);
void contradict_concurrent_attempts(struct checker *checker, const struct expectation *expectation);
void contradict_connections(struct checker *checker, const struct expectation *expectation);
void contradict_retry_on(struct checker *checker, const struct expectation *expectation);
void contradict_fallback(struct checker *checker, const struct expectation *expectation);
/* The client has to be stopped before the scenario's time is over, as often as it is run. */
void contradict_run_for(struct checker *checker);

#endif
