/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds expectations that no client can meet, because they contradict other expectations, the fault
 * scripts, or the timeout. The document must be free of other errors.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_CONTRADICTIONS_H
#define SYNFAULT_RUNNER_SCENARIO_CONTRADICTIONS_H

#include "runner/scenario/loader.h"

/* What all checks share; everything is borrowed. */
struct checker {
	struct loader *loader;
	const struct scenario *scenario;
	int64_t n_instances; /* of the client, at least 1 */
};

/**
 * contradict_policy() - add an error if no client can meet @expectation
 *
 * So do the functions below, each for expectations of the kind in its name.
 */
void contradict_policy(struct checker *checker, const struct expectation *expectation);
void contradict_time(struct checker *checker, const struct expectation *expectation);
void contradict_connect_timeout(struct checker *checker, const struct expectation *expectation);
void contradict_read_timeout(struct checker *checker, const struct expectation *expectation);
void contradict_total_backoff(struct checker *checker, const struct expectation *expectation);
void contradict_gives_up(struct checker *checker, const struct expectation *expectation);
void contradict_concurrent_attempts(struct checker *checker, const struct expectation *expectation);
void contradict_connections(struct checker *checker, const struct expectation *expectation);
void contradict_reconnects(struct checker *checker, const struct expectation *expectation);
void contradict_stale(struct checker *checker, const struct expectation *expectation);
void contradict_retry_on(struct checker *checker, const struct expectation *expectation);
void contradict_fallback(struct checker *checker, const struct expectation *expectation);
/**
 * contradict_run_for() - add an error if all runs of a client with "run-for" don't fit into the
 * scenario's timeout
 */
void contradict_run_for(struct checker *checker);

#endif
