/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backoff (or attempt delay) before each attempt, beside what was allowed. It is measured as
 * its expectation measures it, so reports show what was judged. Without an expectation it is the
 * backoff since the previous attempt at any endpoint. Each instance of the client has its own; an
 * attempt of an unknown instance has none.
 */
#ifndef SYNFAULT_RUNNER_REPORT_BACKOFF_VIEW_H
#define SYNFAULT_RUNNER_REPORT_BACKOFF_VIEW_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

struct backoff_view {
	bool there;          /* false: no attempt came before */
	bool start_to_start; /* from start to start */
	bool open;           /* the previous attempt had not ended: no backoff */
	uint32_t previous;   /* id of the previous attempt */
	int64_t from_ns, length_ns;
	bool judged;          /* an expectation says what is allowed; then: */
	struct range allowed; /* lengths, tolerance included */
	int64_t miss_ns;      /* negative: too short; 0: as expected */
};

/**
 * backoff_views_make() - make a view for each attempt of the history
 * @scenario: NULL if nothing is judged
 * @scale: as judge_options.timing_scale
 *
 * Return: an array by attempt id; free() it.
 */
struct backoff_view *backoff_views_make(const struct scenario *scenario,
					const struct history *history, double scale);

#endif
