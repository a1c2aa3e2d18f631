/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The style sheet of the HTML report. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_STYLE_H
#define SYNFAULT_RUNNER_REPORT_HTML_STYLE_H

/** html_style() - return the style sheet; static */
const char *html_style(void);

#endif
