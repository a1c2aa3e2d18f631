/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempts of a record drawn along an axis of time, in text: what the picture (svg) shows, for
 * terminals and for the output kept in reports.
 */
#ifndef SYNFAULT_RUNNER_REPORT_ASCII_TIMELINE_H
#define SYNFAULT_RUNNER_REPORT_ASCII_TIMELINE_H

#include "runner/record/history.h"

struct ascii_timeline_style {
	bool ascii;         /* no character above 127 */
	size_t columns;     /* width to keep to, indent included; at least 40 */
	const char *indent; /* put before each line */
};

/*
 * One line per attempt, below an axis with round times and above a key of the characters that
 * occur. Of more than 20 attempts the first 12 and the last 6 are drawn. Adds nothing when there
 * are no attempts.
 *
 *         0 s            1 s            2 s
 *     api 1  ✗
 *     api 2  ············✗
 *     api 3  ·           ············●━━✓──
 */
void ascii_timeline_format(const struct history *history, const struct ascii_timeline_style *style,
			   struct strbuf *out);

#endif
