/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timeline of a scenario as a picture on one axis of time: a row for each attempt, grouped by
 * endpoint and address, with its SYNs, what was done to them, and its backoff beside what was
 * allowed; then the client's output and end. Of many attempts it shows some rows, and all of them
 * as strips.
 */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_TIMELINE_H
#define SYNFAULT_RUNNER_REPORT_SVG_TIMELINE_H

#include "runner/judge/judge.h"

struct svg_timeline_style {
	bool standalone;     /* a document of its own, with the scenario's name on a light sheet */
	const char *id;      /* of the element, unique in its page; NULL: "timeline" */
	double timing_scale; /* as judge_options; 0: 1 */
};

/**
 * svg_timeline_format() - draw the picture
 * @scenario: or NULL
 * @judgement: or NULL
 *
 * Pure: the same record always gives the same picture.
 *
 * Return: UTF-8 text, owned by the caller.
 */
char *svg_timeline_format(const struct scenario *scenario, const struct record *record,
			  const struct judgement *judgement, const struct svg_timeline_style *style,
			  size_t *ret_length);

#endif
