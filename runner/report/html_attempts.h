/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts and events as tables in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_ATTEMPTS_H
#define SYNFAULT_RUNNER_REPORT_HTML_ATTEMPTS_H

#include "runner/report/html_parts.h"

void html_attempts(struct html_page *page);
void html_events(struct html_page *page);
/* Whether the tables show it: they leave out the middle of long lists except what is linked to. */
bool html_shows_attempt(const struct html_page *page, uint32_t id);
bool html_shows_event(const struct html_page *page, uint32_t index);

#endif
