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

/** html_check() - make a missing directory and check it; as report_file_check() */
int html_check(const char *directory, struct diag_list *diags);
/** html_single_check() - check that the single page can be written; as report_file_check() */
int html_single_check(const char *path, struct diag_list *diags);

/**
 * html_write() - write the pages, index.html last; other files in the directory stay
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int html_write(const struct run_results *results, const char *directory, struct diag_list *diags);
/** html_single_write() - write everything as one page; return as html_write() does */
int html_single_write(const struct run_results *results, const char *path, struct diag_list *diags);

#endif
