/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Searches a client's output for patterns that take long, in a process of its own: the scheduler
 * has to handle time limits and signals all the time. The process can do nothing but search
 * (confine.h), and is killed if it takes too long.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_SEARCHER_H
#define SYNFAULT_RUNNER_SCHEDULE_SEARCHER_H

#include <event2/event.h>

#include "runner/judge/text_search.h"

struct searcher;

struct searcher_config {
	struct event_base *base;
	const struct scenario *scenario; /* borrowed until the end, as is the record */
	const struct record *record;
	struct pattern_limits limits; /* of all patterns together */
	int64_t patience_ns;          /* wall time after which it is killed */
	/*
	 * Called once, from the loop. @searches are borrowed; if the process did not get to its
	 * end, each says why.
	 */
	void (*on_end)(void *userdata, const struct text_searches *searches);
	void *userdata;
};

/**
 * searcher_limits_at_once() - return limits of a search that the calling process can wait for
 *
 * Sane patterns stay far below them.
 */
struct pattern_limits searcher_limits_at_once(void);
/** searcher_default_patience_ns() - return a time that is ample, even on a busy machine */
int64_t searcher_default_patience_ns(void);

/**
 * searcher_start() - start a search; @config is copied
 *
 * Return: 0, or a negative errno.
 */
int searcher_start(const struct searcher_config *config, struct searcher **ret);
/** searcher_stop() - kill it; on_end is called soon */
void searcher_stop(struct searcher *searcher);

#endif
