/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output of clients and servers in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_OUTPUT_H
#define SYNFAULT_RUNNER_REPORT_HTML_OUTPUT_H

#include "runner/report/html_parts.h"

void html_output(struct html_page *page);
/* The streams of any record; @what: begins their ids. Returns whether there was any output. */
bool html_streams(struct html_page *page, const struct record *record, const char *what);

#endif
