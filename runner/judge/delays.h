/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long processes were delayed, and what that means for a measured time. Bounds are computed
 * here only: every expectation asks here.
 *
 * Theory of operation
 * -------------------
 * A record shows one run on a machine that was more or less busy. Judgement is about the client's
 * own behaviour: what it would have done without delays. So the time between two events is not one
 * value but an interval, for three reasons.
 *
 * - Either event happened at some moment between its earliest and its latest time.
 * - Delays within the span can have made it longer: the client's threads were ready and got no
 *   processor (starvation), or synfault's answers came later than the script asked.
 * - Delays before its first event can have made it shorter: a client that ticks every 200 ms and
 *   lost 80 ms before one tick shows 280, 120, 200. Only delays since the previous event count:
 *   the client has made up for earlier ones.
 *
 * An expectation is met if the whole interval lies within the allowed range, broken if no part of
 * it does, and otherwise unknown.
 *
 * Two things that overlap by less than RESOLUTION_NS count as one after the other: looks at
 * processes can't tell them apart.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_DELAYS_H
#define SYNFAULT_RUNNER_JUDGE_DELAYS_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

#define RESOLUTION_NS (1 * NS_PER_MS)

/* What is certain about an expectation. */
enum truth {
	TRUTH_MET,
	TRUTH_BROKEN,
	TRUTH_UNKNOWN,
};

/* One look at processes. */
struct delay_look {
	int64_t earliest_ns, at_ns;
	int64_t client_ns, server_ns; /* cumulative, each an upper bound */
	size_t n_incomplete;          /* looks so far that missed threads */
};

/* A jump of the client's clock, during which nothing can be delayed. */
struct delay_jump {
	int64_t at_ns, by_ns;
	int64_t before_ns; /* the sum of all jumps before */
};

struct delays {
	struct delay_look *looks;
	size_t n_looks, capacity;
	struct delay_jump *jumps;
	size_t n_jumps, jumps_capacity;
	bool known; /* the record has looks at processes */
};

/**
 * delays_make() - gather the record's looks at processes
 *
 * Return: free it with delays_free().
 */
struct delays delays_make(const struct record *record);
void delays_free(struct delays *delays);

/**
 * delays_of_client() - bound how long the client's threads starved in a span of time
 *
 * Return: at most the real time between @from_ns and @to_ns, which is also the answer where a look
 * was incomplete.
 */
int64_t delays_of_client(const struct delays *delays, int64_t from_ns, int64_t to_ns);
/** delays_of_servers() - return what delays_of_client() does, for the threads of servers */
int64_t delays_of_servers(const struct delays *delays, int64_t from_ns, int64_t to_ns);

/**
 * delays_settled_since() - find since when delays can have made the client's first attempt late
 * @start_ns: when the client was started
 * @at_ns: its first attempt
 *
 * A client reads the clock from which it counts at most 20 ms before its first attempt, not
 * counting what it waited for a processor. Delays while it started up don't matter.
 *
 * Return: @start_ns if no later moment is certain.
 */
int64_t delays_settled_since(const struct delays *delays, int64_t start_ns, int64_t at_ns);

/**
 * delays_allow_look() - ask whether a socket that was seen open would be open without delays, too
 * @from_ns: when another attempt began, during which the socket was seen
 * @closed_ns: when the socket was gone
 *
 * A close that is due but waits for a processor shows as a delay just before the socket closes.
 */
bool delays_allow_look(const struct delays *delays, int64_t from_ns, int64_t closed_ns);

/* When something happened; both are INT64_MAX if it never did. */
struct when {
	int64_t earliest_ns, latest_ns;
};

/**
 * span_between() - bound the time between two events as it would be without delays
 * @since_ns: time of the event before @from; delays since then can have shortened the span
 * @late_before_ns: how late synfault's answers before @from were
 * @late_inside_ns: how late synfault's answers between the two events were
 */
struct range span_between(const struct delays *delays, struct when from, struct when to,
			  int64_t since_ns, int64_t late_before_ns, int64_t late_inside_ns);

/**
 * truth_of_range() - compare the possible values of a quantity with those allowed
 * @known: from its least to its greatest possible value
 */
enum truth truth_of_range(struct range known, struct range allowed);

#endif
