/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source of a scenario in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_SOURCE_H
#define SYNFAULT_RUNNER_REPORT_HTML_SOURCE_H

#include "runner/report/html_parts.h"

/** html_source() - add the section with the scenario's source */
void html_source(struct html_page *page);
/** html_lines_find() - find out which lines html_source() shows; free() the result */
struct html_lines *html_lines_find(const struct result *result);
/** html_lines_have() - return whether html_source() shows a line */
bool html_lines_have(const struct html_lines *lines, unsigned line);

#endif
