/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A baseline: scenarios that expect a client to behave again as it was observed to behave. An
 * expectation is written only if every run agrees on it, with tolerances that a busy machine does
 * not exhaust, and only if every observed run passes it.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_BASELINE_H
#define SYNFAULT_RUNNER_OBSERVE_BASELINE_H

#include "runner/observe/adhoc_scenario.h"
#include "runner/observe/standard_faults.h"

struct baseline {
	char *const *command; /* UTF-8 */
	const char *serve;    /* NULL: http */
	uint16_t port;        /* 0: choose a free one */
	int64_t timeout_ns;   /* of each run */
	bool silent;          /* no connection of the client carried data */
	bool draws;           /* its backoff after refusals is random */
	bool doubtful;        /* lag may explain differences between runs: see outliers.h */
	bool single;          /* there is only one run of each fault */
};

/**
 * baseline_draws_backoff() - find out whether the client draws its backoff at random
 * @runs: by standard fault, @n_runs of each
 * @n_runs: number of runs per fault
 * @seen: by standard fault; runs of a fault that was not observed are ignored
 *
 * Compares the same backoff in all runs of every standard fault that begins with a refusal: within
 * one fault alone, a few draws may agree by chance.
 *
 * Return: whether it differs between runs.
 */
bool baseline_draws_backoff(const struct observed *runs, size_t n_runs, const bool *seen);

/** baseline_is_silent() - return whether no connection in these runs carried data */
bool baseline_is_silent(struct record *const *records, size_t n_records);

/** baseline_begin() - write the start of the file: comments, and the defaults of all scenarios */
void baseline_begin(const struct baseline *baseline, struct strbuf *out);

/**
 * baseline_add() - write the scenario of one standard fault, after baseline_begin()
 * @baseline: of the whole file
 * @item: the fault
 * @records: of its runs, @n_runs of them
 * @runs: what was observed in each
 * @n_runs: number of runs
 * @out: gets the scenario, or a comment that says why there is nothing to expect
 *
 * If the client was still running when its time ran out, "run-for" ends it in the scenario.
 *
 * Return: whether a scenario was written.
 */
bool baseline_add(const struct baseline *baseline, const struct standard_fault *item,
		  struct record *const *records, const struct observed *runs, size_t n_runs,
		  struct strbuf *out);

/** baseline_add_unseen() - write a comment with the reason in place of a fault not observed */
void baseline_add_unseen(const struct standard_fault *item, const char *obstacle,
			 struct strbuf *out);

#endif
