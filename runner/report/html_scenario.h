/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of a scenario in HTML. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_SCENARIO_H
#define SYNFAULT_RUNNER_REPORT_HTML_SCENARIO_H

#include "runner/report/html_parts.h"

/** html_scenario() - add the content of a scenario's page, from its heading on */
void html_scenario(struct markup *markup, const struct html_site *site, size_t index);

#endif
