/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client did when nothing was expected of it. Taken from a record for `synfault try`, which
 * reports it, and for `synfault record`, which writes it down as expectations.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_OBSERVE_H
#define SYNFAULT_RUNNER_OBSERVE_OBSERVE_H

#include "common/strbuf.h"
#include "runner/judge/fit.h"
#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

struct observed {
	bool ended; /* on its own; otherwise its time ran out */
	int wait_status;
	int64_t duration_ns;

	size_t n_attempts;
	size_t n_after_exit; /* of them: by processes that the client left behind */
	size_t n_by_family[N_FAMILIES];
	/*
	 * From the end of each attempt to the start of the next: one fewer than attempts. 0 where
	 * the next attempt started before the end.
	 */
	int64_t *backoff_ns;
	int64_t *backoff_lags_ns; /* by backoff: how much delays may have changed it */
	bool *anew;               /* by backoff: the attempt before it connected */
	size_t n_backoff;
	size_t n_addresses; /* different ones that it tried */
	bool overlaps;      /* an attempt started before the previous one ended */

	/* Unanswered attempts that the client ended itself, and how long it gave them. */
	size_t n_abandoned;
	int64_t shortest_ns, longest_ns;
	/* Unanswered attempts that the kernel's schedule of SYNs ended, and after how long. */
	size_t n_timed_out;
	int64_t timed_out_ns;
	/* Unanswered attempts whose socket was open until the end of the client, and for how long.
	 */
	size_t n_open;
	int64_t longest_open_ns;
	/* When that schedule ends an attempt, and the sysctls that it follows from. */
	int64_t schedule_ns;
	uint32_t syn_retries, syn_linear_timeouts;
	size_t n_connected; /* handshakes */

	/* From the first attempt over the first family to the first over the other; -1: none. */
	int64_t fallback_ns;

	/* How much times may be off: see struct record. Never negative. */
	int64_t harness_lag_ns, client_lag_ns;

	char *said; /* last line of stderr that says something, otherwise of stdout, safe to print;
		       NULL: no output */
};

/**
 * times_are_alike() - return whether two times differ as little as those of a steady client do
 *
 * That is, a client that repeats itself on an idle machine.
 */
bool times_are_alike(int64_t low_ns, int64_t high_ns);

/** observe() - return what the record shows about all attempts; pure; free with observed_free() */
struct observed observe(const struct record *record);
/**
 * observe_followed() - do the same where processes that the client left behind were followed
 * @leftover_timeout_ns: for how long, until synfault ended them; 0: they were not
 */
struct observed observe_followed(const struct record *record, int64_t leftover_timeout_ns);
void observed_free(struct observed *observed);

/** observed_fit() - return the policy that fits the backoff of all runs; free with fit_free() */
struct fit observed_fit(const struct observed *runs, size_t n_runs);

/**
 * observed_longest_open() - return the longest time for which an unanswered attempt stayed open
 *
 * Return: -1 if none was open when the client ended.
 */
int64_t observed_longest_open(const struct observed *runs, size_t n_runs);
/**
 * observed_longest_timed_out() - return after how long the kernel ended an unanswered attempt
 *
 * Return: -1 if it ended none.
 */
int64_t observed_longest_timed_out(const struct observed *runs, size_t n_runs);

/**
 * observed_format() - describe one or more runs of the same scenario
 * @runs: what was observed in each
 * @n_runs: number of runs
 * @out: gets a few lines, "  attempts    3" and so on; values that differ are given as a range
 */
void observed_format(const struct observed *runs, size_t n_runs, struct strbuf *out);

#endif
