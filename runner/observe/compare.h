/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares a client's behaviour in two runs of the same scenario. What varies between two runs of
 * an unchanged client (times within tolerance, jitter, ports and times in messages) does not count
 * as a difference.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_COMPARE_H
#define SYNFAULT_RUNNER_OBSERVE_COMPARE_H

#include "runner/record/record.h"

/* One difference; owns its texts, which are safe to print. */
struct change {
	const char *what; /* "attempts", "backoff", … */
	char *before, *after;
	char *note; /* detail such as "backoff 2: 300 ms, now 600 ms"; or NULL */
};

struct change_list {
	struct change *items;
	size_t n_items, capacity;
};

/** change_add() - add a difference and take ownership of the texts */
void change_add(struct change_list *list, const char *what, char *before, char *after, char *note);
struct compare_options {
	double timing_scale; /* multiplies all tolerances */
	/*
	 * The scenario expects random backoff and both runs met it: differences are chance.
	 */
	bool random_backoff;
};

/**
 * compare_records() - list the differences between two runs
 * @before: the earlier run
 * @after: the later run
 * @options: tolerances
 * @list: gets one item per difference; free it with change_list_free()
 *
 * Pure: depends on its arguments alone.
 */
void compare_records(const struct record *before, const struct record *after,
		     const struct compare_options *options, struct change_list *list);
void change_list_free(struct change_list *list);
#define AUTO_CHANGES CLEANUP(change_list_free)

/** messages_equal() - return whether two messages agree, apart from times, ports and process ids */
bool messages_equal(const char *left, const char *right);

#endif
