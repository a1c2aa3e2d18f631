/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the timeline picture share: svg_timeline.c and svg_*.c. */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_PICTURE_H
#define SYNFAULT_RUNNER_REPORT_SVG_PICTURE_H

#include "runner/judge/judge.h"
#include "runner/report/backoff_view.h"
#include "runner/report/svg.h"

/* Three columns: names, the plot, what came of it; in pixels. */
#define PICTURE_WIDTH  1120.0
#define PICTURE_MARGIN 10.0
#define PLOT_X         168.0
#define PLOT_WIDTH     656.0
#define PLOT_END       (PLOT_X + PLOT_WIDTH)
#define NOTE_X         (PLOT_END + 12.0)
#define NOTE_WIDTH     (PICTURE_WIDTH - PICTURE_MARGIN - NOTE_X)
#define NAME_WIDTH     (PLOT_X - PICTURE_MARGIN - 10.0)

struct picture {
	struct markup *markup;           /* of what is below the axis; in the end put behind it */
	const struct scenario *scenario; /* or NULL */
	const struct record *record;
	const struct judgement *judgement; /* or NULL */
	struct history history;
	struct backoff_view *waits; /* by attempt */
	double *lags_ns;            /* unused entries 0 */
	bool *blamed;               /* by attempt */
	size_t *first_event;        /* by attempt: where its events start in event_order */
	size_t *event_order;        /* indices of events, attempt by attempt */
	int64_t from_ns, to_ns;     /* what the plot spans */
	double y;                   /* where the next row goes */
	bool used[SVG_N_PAINTS];    /* what the legend has to explain */
};

/* Where a time is in the plot; what is outside is at its edge. */
double picture_x(const struct picture *picture, int64_t at_ns);

/* One attempt as a row: its whole story. */
void picture_lane(struct picture *picture, uint32_t id);

/*
 * Many attempts as two strips: how many there were and how they ended, and how long the waits
 * before them were. @ids: in the order of their starts.
 */
void picture_density(struct picture *picture, const uint32_t *ids, size_t n_ids);

/* The fullest windows of herds that the scenario limits: a row for each, and what is behind all. */
void picture_herds(struct picture *picture);
void picture_herd_bands(const struct picture *picture, struct markup *markup, double top,
			double bottom);

#endif
