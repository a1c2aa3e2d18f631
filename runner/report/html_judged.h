/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings and expectations in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_JUDGED_H
#define SYNFAULT_RUNNER_REPORT_HTML_JUDGED_H

#include "runner/report/html_parts.h"

/** html_findings() - add the section on what went wrong */
void html_findings(struct html_page *page);
/** html_expectations() - add the section with the table of expectations */
void html_expectations(struct html_page *page);

#endif
