/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event of a record as a line for people, as it happens. */
#ifndef SYNFAULT_RUNNER_REPORT_EVENT_LINE_H
#define SYNFAULT_RUNNER_REPORT_EVENT_LINE_H

#include "runner/record/record.h"

/*
 * Adds "  1.034 s  api 2  refused" without a newline: time since the client's start, endpoint and
 * number of the attempt there, what happened. Well-formed UTF-8 on one line, whatever the record
 * holds. @event need not be in the record yet, but its attempt has to be.
 */
void event_line_write(const struct record *record, const struct event *event, struct strbuf *out);

#endif
