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
	size_t timeline;    /* columns of an ASCII timeline below the table; 0: none */
};

/**
 * attempt_table_format() - add the attempts of a record as a table
 * @scenario: or NULL
 * @judgement: or NULL
 *
 * A line for each attempt: when, where, the step and what it did, retransmissions, how it ended,
 * the backoff before it (the attempt delay if that is expected); then how the client ended. Of a
 * long list the first 10, the last 5 and those around attempts that broke a rule (marked) are
 * shown.
 */
void attempt_table_format(const struct scenario *scenario, const struct record *record,
			  const struct judgement *judgement,
			  const struct attempt_table_style *style, struct strbuf *out);

#endif
