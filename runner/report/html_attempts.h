/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts and events as tables in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_ATTEMPTS_H
#define SYNFAULT_RUNNER_REPORT_HTML_ATTEMPTS_H

#include "runner/report/html_parts.h"

/** html_attempts() - add the section with the table of attempts */
void html_attempts(struct html_page *page);
/** html_events() - add the section with the table of events */
void html_events(struct html_page *page);
/**
 * html_shows_attempt() - return whether the table shows an attempt
 *
 * Tables leave out the middle of long lists, except what is linked to.
 */
bool html_shows_attempt(const struct html_page *page, uint32_t id);
/** html_shows_event() - return whether the table shows an event; likewise */
bool html_shows_event(const struct html_page *page, uint32_t index);

#endif
