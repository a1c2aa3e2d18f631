/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source of a scenario in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_SOURCE_H
#define SYNFAULT_RUNNER_REPORT_HTML_SOURCE_H

#include "runner/report/html_parts.h"

void html_source(struct html_page *page);
/* Which lines html_source() shows; free() it. */
struct html_lines *html_lines_find(const struct result *result);
bool html_lines_have(const struct html_lines *lines, unsigned line);

#endif
