/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long processes were delayed, and what that means for a time that was measured: the one place
 * that knows bounds. Every expectation asks here.
 *
 * Theory of operation
 * -------------------
 * A record shows one run on a machine that was more or less busy. Judged is the client's behaviour:
 * what it would have done without delays. Each time between two events is an interval, for three
 * reasons.
 *
 * - Either event happened at some moment between its earliest and its latest time.
 * - Delay inside the span can have made it longer: threads of the client that were ready and got no
 *   processor (starvation), and answers of ours that came later than the script asked.
 * - Delay before its first event can have made it shorter: a client that ticks every 200 ms and
 *   lost 80 ms before one tick shows 280, 120, 200. Only what came since the event before counts:
 *   the client has made up for anything earlier.
 *
 * An expectation is met if the whole interval lies in what is allowed, broken if none of it does,
 * and otherwise not known.
 *
 * What overlaps by less than RESOLUTION_NS counts as one after the other: no look is closer.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_DELAYS_H
#define SYNFAULT_RUNNER_JUDGE_DELAYS_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

#define RESOLUTION_NS (1 * NS_PER_MS)

/* What can be said for certain. */
enum truth {
	TRUTH_MET,
	TRUTH_BROKEN,
	TRUTH_UNKNOWN,
};

struct delay_look {
	int64_t earliest_ns, at_ns;
	int64_t client_ns, server_ns; /* cumulative, each an upper bound */
	size_t n_incomplete;          /* looks so far that did not see all threads */
};

struct delays {
	struct delay_look *looks;
	size_t n_looks, capacity;
	bool known; /* processes were looked at */
};

/**
 * delays_make() - gather the looks at processes
 *
 * Return: free it with delays_free().
 */
struct delays delays_make(const struct record *record);
void delays_free(struct delays *delays);

/**
 * delays_of_client() - bound how long the client's threads starved in a span of time
 *
 * Return: at most @to_ns - @from_ns, which is also the answer where a look was incomplete.
 */
int64_t delays_of_client(const struct delays *delays, int64_t from_ns, int64_t to_ns);
/* The same for servers. */
int64_t delays_of_servers(const struct delays *delays, int64_t from_ns, int64_t to_ns);

/**
 * delays_settled_since() - find since when delays can have made the client's first attempt late
 * @start_ns: when the client was started
 * @at_ns: its first attempt
 *
 * A client takes the time from which it counts just before its first attempt: no more than 20 ms
 * before it, if what it waited for a processor is left out. How long it took to start is another
 * matter.
 */
int64_t delays_settled_since(const struct delays *delays, int64_t start_ns, int64_t at_ns);

/**
 * delays_allow_look() - ask whether a socket that a look saw would be there without delays, too
 * @from_ns: when the other attempt began
 * @closed_ns: when the socket was gone
 *
 * A close that is due and waits for a processor shows as a delay just before it is carried out.
 */
bool delays_allow_look(const struct delays *delays, int64_t from_ns, int64_t closed_ns);

/* When something happened: both INT64_MAX for never. */
struct when {
	int64_t earliest_ns, latest_ns;
};

/**
 * span_between() - bound the time between two events as it would be without delays
 * @since_ns: of the event before @from; delay since then can have shortened the span
 * @late_before_ns: by how much an answer of ours that came before @from was late
 * @late_inside_ns: by how much answers of ours between the two were late
 */
struct range span_between(const struct delays *delays, struct when from, struct when to,
			  int64_t since_ns, int64_t late_before_ns, int64_t late_inside_ns);

/**
 * truth_of_range() - compare what is known of a quantity with what is allowed
 * @known: from its least to its greatest value
 */
enum truth truth_of_range(struct range known, struct range allowed);

/* Both have to hold. */
enum truth truth_and(enum truth a, enum truth b);

#endif
