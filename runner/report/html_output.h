/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output of clients and servers in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_OUTPUT_H
#define SYNFAULT_RUNNER_REPORT_HTML_OUTPUT_H

#include "runner/report/html_parts.h"

/** html_output() - add the section with the output of the run that counts */
void html_output(struct html_page *page);
/**
 * html_streams() - add the streams of any record
 * @what: beginning of their ids
 *
 * Return: whether there was any output.
 */
bool html_streams(struct html_page *page, const struct record *record, const char *what);

#endif
