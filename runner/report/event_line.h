/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event of a record as a line for people, as it happens. */
#ifndef SYNFAULT_RUNNER_REPORT_EVENT_LINE_H
#define SYNFAULT_RUNNER_REPORT_EVENT_LINE_H

#include "runner/record/record.h"

/**
 * event_line_write() - add a line about an event, without a newline
 * @event: need not be in the record yet, but its attempt must be
 *
 * Adds "  1.034 s  api 2  refused": time since the client's start, endpoint and number of the
 * attempt there, what happened. The line is well-formed UTF-8 for any record.
 */
void event_line_write(const struct record *record, const struct event *event, struct strbuf *out);
/** event_line_add_what() - add only what happened */
void event_line_add_what(const struct record *record, const struct event *event,
			 struct strbuf *out);

#endif
