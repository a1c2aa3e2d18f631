/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timeline picture while it is drawn: its layout and what its parts need. */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_PICTURE_H
#define SYNFAULT_RUNNER_REPORT_SVG_PICTURE_H

#include "runner/judge/judge.h"
#include "runner/report/backoff_view.h"
#include "runner/report/svg.h"

/* Three columns, in pixels: names, the plot, notes on how it ended. */
#define PICTURE_WIDTH  1120.0
#define PICTURE_MARGIN 10.0
#define PLOT_X         168.0
#define PLOT_WIDTH     656.0
#define PLOT_END       (PLOT_X + PLOT_WIDTH)
#define NOTE_X         (PLOT_END + 12.0)
#define NOTE_WIDTH     (PICTURE_WIDTH - PICTURE_MARGIN - NOTE_X)
#define NAME_WIDTH     (PLOT_X - PICTURE_MARGIN - 10.0)

struct picture {
	struct markup *markup;           /* of everything below the axis; follows it in the end */
	const struct scenario *scenario; /* or NULL */
	const struct record *record;
	const struct judgement *judgement; /* or NULL */
	struct history history;
	struct backoff_view *backoffs; /* by attempt */
	double *lags_ns;               /* unused entries 0 */
	bool *blamed;                  /* by attempt */
	size_t *first_event;           /* by attempt: where its events start in event_order */
	size_t *event_order;           /* indices of events, attempt by attempt */
	int64_t from_ns, to_ns;        /* span of the plot */
	double y;                      /* of the next row */
	bool used[SVG_N_PAINTS];       /* the legend explains these */
};

#endif
