/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attempts of a record as a table in text, for terminals and reports. */
#ifndef SYNFAULT_RUNNER_REPORT_ATTEMPT_TABLE_H
#define SYNFAULT_RUNNER_REPORT_ATTEMPT_TABLE_H

#include "runner/judge/judge.h"

struct attempt_table_style {
	bool color;
	bool ascii;         /* no character above 127 */
	size_t columns;     /* width to keep to, indent included; 0: 80; at least 40 */
	const char *indent; /* put before each line; NULL: "" */
	bool untitled;      /* leave out the line with the scenario's name */
	size_t lanes;       /* draw the attempts, too (lanes.h), in so many columns; 0: don't */
};

/*
 * One line per attempt: when, where, what was done by which step, retransmissions, how it ended,
 * the wait before it (the interval when that is what is expected); then how the client ended. Long
 * lists are shortened in the middle: the first 10, the last 5, and those around attempts that broke
 * a rule (which are marked) stay. @scenario and @judgement may be NULL.
 */
void attempt_table_format(const struct scenario *scenario, const struct record *record,
			  const struct judgement *judgement,
			  const struct attempt_table_style *style, struct strbuf *out);

/* "exit 1", "killed by SIGTERM": a status as waitpid() gives it, added to @out. */
void attempt_table_wait_status(int wait_status, struct strbuf *out);

#endif
