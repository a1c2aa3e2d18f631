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
/**
 * event_line_is_news() - return whether an event should be shown as it happens
 * @event: the last one of the record, or not in it yet
 *
 * How late packets come altogether is news only once it has about doubled: on a busy machine there
 * is an event for each millisecond.
 */
bool event_line_is_news(const struct record *record, const struct event *event);

#endif
