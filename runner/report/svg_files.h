/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timeline pictures as files: --timeline PATH. A path that ends in ".svg" is the picture of the
 * only scenario; any other is a directory, with a picture of each scenario that was run.
 */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_FILES_H
#define SYNFAULT_RUNNER_REPORT_SVG_FILES_H

#include "common/diag.h"
#include "runner/report/result.h"

/*
 * What the pages and pictures of a result are called, without a suffix: "0007-gives-up-at-last".
 * The number is that of the scenario (@index: its place in the results, from 0, where it has none);
 * the rest is for people: ASCII, at most 50 characters, safe in any file system and URL. Owned by
 * the caller.
 */
char *report_page_name(const struct result *result, size_t index);

/* The file of a result's picture; @path: as of svg_files_write(). Owned by the caller. */
char *svg_files_path(const char *path, const struct result *result, size_t index);

/* Makes a directory with those above it. Returns 0 or a negative errno with a diagnostic. */
int report_directory_make(const char *what, const char *path, struct diag_list *diags);

/* As report_file_check() and report_file_write(). */
int svg_files_check(const char *path, struct diag_list *diags);
int svg_files_write(const struct run_results *results, const char *path, struct diag_list *diags);

#endif
