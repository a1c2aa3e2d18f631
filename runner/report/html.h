/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML pages that need neither a server nor a script: --html DIR writes an overview and a page for
 * each scenario, with a style sheet and the captures beside them; --html-single FILE writes all of
 * it as one page, to be passed on. docs/reports.md says what they hold.
 */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_H
#define SYNFAULT_RUNNER_REPORT_HTML_H

#include "common/diag.h"
#include "runner/report/result.h"

/* As report_file_check(): makes the directory where it is missing. */
int html_check(const char *directory, struct diag_list *diags);
int html_single_check(const char *path, struct diag_list *diags);

/*
 * Writes the pages, index.html last. What is in the directory and is none of them stays. Returns 0
 * or a negative errno with a diagnostic.
 */
int html_write(const struct run_results *results, const char *directory, struct diag_list *diags);
int html_single_write(const struct run_results *results, const char *path, struct diag_list *diags);

#endif
