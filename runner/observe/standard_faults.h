/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The standard faults: those that `record` shows to every client. */
#ifndef SYNFAULT_RUNNER_OBSERVE_STANDARD_FAULTS_H
#define SYNFAULT_RUNNER_OBSERVE_STANDARD_FAULTS_H

#include "runner/observe/observe.h"

struct standard_fault {
	const char *name;   /* also the scenario's */
	const char *asks;   /* what it shows, as a question */
	const char *faults; /* steps for step_list_split() */
	bool dual;          /* both families by name, IPv6 first: needs private isolation */
	/* The result depends on when attempts happen: their number may differ by one. */
	bool timed;
	/* A client that neither sends nor reads meets it only if it does not exit first. */
	bool needs_talk;
};

/* How long the standard outage lasts, from the first attempt. */
#define STANDARD_OUTAGE_NS (2 * NS_PER_S)

extern const struct standard_fault standard_faults[];
extern const size_t n_standard_faults;

/** standard_faults_begins_with_refusal() - return whether the first attempt is refused */
bool standard_faults_begins_with_refusal(const struct standard_fault *item);

/**
 * standard_faults_summary() - sum up all faults in a few lines
 * @runs: by standard fault, @n_runs of each
 * @n_runs: number of runs per fault
 * @seen: by standard fault; runs of a fault that was not observed are ignored
 * @out: gets which faults are retried, when the client gives up, its backoff, its fallback
 */
void standard_faults_summary(const struct observed *runs, size_t n_runs, const bool *seen,
			     struct strbuf *out);

#endif
