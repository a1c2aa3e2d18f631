/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML pages without server or script: --html DIR writes an overview and a page for each scenario,
 * with a style sheet and copies of captures; --html-single FILE writes everything as one page.
 * docs/reports.md describes them.
 */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_H
#define SYNFAULT_RUNNER_REPORT_HTML_H

#include "common/diag.h"
#include "runner/report/result.h"

/* As report_file_check(); makes a missing directory. */
int html_check(const char *directory, struct diag_list *diags);
int html_single_check(const char *path, struct diag_list *diags);

/*
 * Writes the pages, index.html last; other files in the directory stay. Returns 0 or a negative
 * errno with a diagnostic.
 */
int html_write(const struct run_results *results, const char *directory, struct diag_list *diags);
int html_single_write(const struct run_results *results, const char *path, struct diag_list *diags);

#endif
