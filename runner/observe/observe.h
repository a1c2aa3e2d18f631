/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client did, with nothing expected of it: taken from a record, for `synfault try` and
 * `synfault record`, which say it in words or write it down as expectations.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_OBSERVE_H
#define SYNFAULT_RUNNER_OBSERVE_OBSERVE_H

#include "common/strbuf.h"
#include "runner/judge/fit.h"
#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

struct observed {
	bool ended; /* by itself; else its time ran out */
	int wait_status;
	int64_t duration_ns;

	size_t n_attempts;
	size_t n_by_family[N_FAMILIES];
	/*
	 * One less than there are attempts: from the end of one to the start of the next, 0 when
	 * the next began before.
	 */
	int64_t *waits_ns;
	size_t n_waits;
	bool overlaps; /* an attempt began before the one before had ended */

	/* Attempts that the client itself ended before an answer: how long it gave them. */
	size_t n_abandoned;
	int64_t shortest_ns, longest_ns;
	size_t n_open;      /* attempts without answer, never closed */
	size_t n_connected; /* handshakes */

	/* From the first attempt of the first family to that of the other; -1: there was none. */
	int64_t fallback_ns;

	/* By how much times may be off: see struct record; never negative. */
	int64_t harness_lag_ns, client_lag_ns;

	char *said; /* the last line of stderr, else of stdout, safe to print; NULL: nothing */
};

/* Pure; looks at all attempts. Free it with observed_free(). */
struct observed observe(const struct record *record);
void observed_free(struct observed *observed);

/* The policy that the waits of all runs look like; free it with fit_free(). */
struct fit observed_fit(const struct observed *runs, size_t n_runs);

/*
 * Adds a few lines, "  attempts    3" and so on, for one or more runs of the same; what differs
 * from run to run is given as a range.
 */
void observed_format(const struct observed *runs, size_t n_runs, struct strbuf *out);

#endif
