/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The standard standard_faults: the faults that any client should be seen with. */
#ifndef SYNFAULT_RUNNER_OBSERVE_STANDARD_FAULTS_H
#define SYNFAULT_RUNNER_OBSERVE_STANDARD_FAULTS_H

#include "runner/observe/observe.h"

struct standard_fault {
	const char *name;   /* of the scenario, too */
	const char *asks;   /* what it shows, as a question */
	const char *faults; /* steps, as adhoc_scenario_split_steps() takes them */
	bool dual;          /* both families, IPv6 first, by a name: needs private isolation */
	/* What happens depends on when attempts fall: their number may differ by one. */
	bool timed;
	/* A client that says and awaits nothing meets it or not, as its exit and it race. */
	bool needs_talk;
};

extern const struct standard_fault standard_faults[];
extern const size_t n_battery;

/* Whether the first attempt is refused: then its waits are those after a refusal. */
bool standard_faults_begins_with_refusal(const struct standard_fault *item);

/*
 * Adds what all of it comes to, a few lines: which faults are followed by another attempt, when it
 * gives up, how long it waits, whether it falls back. @runs: by item, @n_runs of each, those of an
 * item that was not observed (@seen false) are not looked at.
 */
void standard_faults_summary(const struct observed *runs, size_t n_runs, const bool *seen,
			     struct strbuf *out);

#endif
