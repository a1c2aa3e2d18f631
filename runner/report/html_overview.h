/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The overview of a run in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_OVERVIEW_H
#define SYNFAULT_RUNNER_REPORT_HTML_OVERVIEW_H

#include "runner/report/html_parts.h"

/** html_overview() - add the content of the overview, from its heading on */
void html_overview(struct markup *markup, const struct html_site *site);

#endif
