/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A baseline: what a client was seen to do, as scenarios that expect it to do the same again. What
 * it did is expected only as far as it did so in each run, with tolerances that a busy machine does
 * not use up; and only what each of the runs that were seen passes is written at all.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_BASELINE_H
#define SYNFAULT_RUNNER_OBSERVE_BASELINE_H

#include "runner/observe/adhoc_scenario.h"
#include "runner/observe/standard_faults.h"

struct baseline {
	char *const *command; /* UTF-8 */
	const char *serve;    /* NULL: http */
	uint16_t port;        /* 0: one that is free */
	int64_t timeout_ns;   /* that each run had */
	bool silent;          /* nothing was said on any connection of the client's */
	bool draws;           /* its waits after refusals are drawn */
	bool doubtful;        /* lag leaves open what the client does: see doubt.h */
};

/*
 * Whether the same wait after a refusal differs from run to run, over all items of the
 * standard_faults that begin with one: in one item alone a few draws may be alike. @runs: by item,
 * @n_runs of each, those of an item that was not observed (@seen false) are not looked at.
 */
bool baseline_draws_waits(const struct observed *runs, size_t n_runs, const bool *seen);

/* Whether nothing was said on the connections of these runs, as far as there were any. */
bool baseline_is_silent(struct record *const *records, size_t n_records);

/* The start of the file: comments, and the defaults of all scenarios. */
void baseline_begin(const struct baseline *baseline, struct strbuf *out);
/*
 * The scenario of one item of the standard_faults, after baseline_begin(); or, where nothing can be
 * expected of it, a comment that says why. Returns whether it is a scenario.
 *
 * A client that was still running when its time was over is ended by timeout(1) in the scenario.
 */
bool baseline_add(const struct baseline *baseline, const struct standard_fault *item,
		  struct record *const *records, const struct observed *runs, size_t n_runs,
		  struct strbuf *out);
/* In its place, of an item that was not observed: a comment with the reason. */
void baseline_add_unseen(const struct standard_fault *item, const char *obstacle,
			 struct strbuf *out);

#endif
