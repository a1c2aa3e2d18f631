/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wait (or interval) before each attempt, beside what was allowed: for reports that show it.
 * Measured as the expectation that looks at it measures it, so that what is shown is what was
 * judged; where none does, it is the wait since the previous attempt anywhere. Of several copies of
 * the client each has waits of its own; an attempt of an unknown one has none.
 */
#ifndef SYNFAULT_RUNNER_REPORT_BACKOFF_VIEW_H
#define SYNFAULT_RUNNER_REPORT_BACKOFF_VIEW_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

struct backoff_view {
	bool there;        /* false: no attempt came before */
	bool interval;     /* from start to start */
	bool open;         /* the attempt before had not ended: there was no wait */
	uint32_t previous; /* id of the attempt before */
	int64_t from_ns, length_ns;
	bool judged;          /* an expectation says what is allowed: */
	struct range allowed; /* of the length, tolerance included */
	int64_t miss_ns;      /* negative: too short; 0: as expected */
};

/*
 * One for each attempt of the history, by id; owned by the caller. @scenario NULL:
 * none is judged. @scale as judge_options.timing_scale.
 */
struct backoff_view *backoff_views_make(const struct scenario *scenario,
					const struct history *history, double scale);

#endif
