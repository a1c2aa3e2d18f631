/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempts of a record along an axis of time, in text: the timeline picture for terminals and
 * for output that reports keep.
 */
#ifndef SYNFAULT_RUNNER_REPORT_ASCII_TIMELINE_H
#define SYNFAULT_RUNNER_REPORT_ASCII_TIMELINE_H

#include "runner/report/backoff_view.h"

struct ascii_timeline_style {
	bool ascii;         /* no character above 127 */
	size_t columns;     /* width to keep to, indent included; at least 40 */
	const char *indent; /* put before each line */
};

/* clang-format off */
/**
 * ascii_timeline_format() - add an axis with round times, a line for each attempt, and a key
 * @backoffs: by attempt, from backoff_views_make()
 *
 * Of more than 20 attempts it draws the first 12 and the last 6; without attempts it adds nothing.
 *
 *         0 s            1 s            2 s
 *     api 1  ✗
 *     api 2  ············✗
 *     api 3  ·           ············●━━✓──
 */
/* clang-format on */
void ascii_timeline_format(const struct history *history, const struct backoff_view *backoffs,
			   const struct ascii_timeline_style *style, struct strbuf *out);

#endif
