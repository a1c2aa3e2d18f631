/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is different about a client's behaviour between two runs of the same scenario. What two runs
 * of the same client differ in by themselves (times within tolerance, jitter, ports and times in
 * messages) is no difference.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_COMPARE_H
#define SYNFAULT_RUNNER_OBSERVE_COMPARE_H

#include "runner/record/record.h"

/* One difference; texts are owned and safe to print. */
struct change {
	const char *what; /* "attempts", "backoff", … */
	char *before, *after;
	char *note; /* what more there is to say: "backoff 2: 300 ms, now 600 ms"; or NULL */
};

struct change_list {
	struct change *items;
	size_t n_items, capacity;
};

/* Adds a difference; takes the texts. */
void change_add(struct change_list *list, const char *what, char *before, char *after, char *note);
struct compare_options {
	double timing_scale; /* multiplies all tolerances */
	/*
	 * The waits are drawn anew in each run, and those of both were among those expected: what
	 * they differ in is chance.
	 */
	bool random_waits;
};

/* Pure. Adds to the list, which change_list_free() frees. */
void compare_records(const struct record *before, const struct record *after,
		     const struct compare_options *options, struct change_list *list);
void change_list_free(struct change_list *list);
#define AUTO_CHANGES CLEANUP(change_list_free)

/* Whether two messages say the same, numbers aside that tell times, ports, processes. */
bool messages_equal(const char *left, const char *right);

#endif
