/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timeline pictures as files: --timeline PATH. A path that ends in ".svg" is the picture of the
 * only scenario; any other is a directory, with a picture of each scenario that was run.
 */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_FILES_H
#define SYNFAULT_RUNNER_REPORT_SVG_FILES_H

#include "common/diag.h"
#include "runner/report/result.h"

/**
 * report_page_name() - name the pages and pictures of a result, without a suffix
 * @index: in the results, from 0; used if the scenario has no number
 *
 * In "0007-gives-up-at-last" the number is the scenario's. The rest is for people: ASCII, at most
 * 50 characters, safe in any file system and URL.
 *
 * Return: the name, owned by the caller.
 */
char *report_page_name(const struct result *result, size_t index);

/**
 * svg_files_path() - return the file of a result's picture; owned by the caller
 * @path: as for svg_files_write()
 */
char *svg_files_path(const char *path, const struct result *result, size_t index);

/** svg_files_check() - check that the pictures can be written; as report_file_check() */
int svg_files_check(const char *path, struct diag_list *diags);
/** svg_files_write() - write the pictures; as report_file_write() */
int svg_files_write(const struct run_results *results, const char *path, struct diag_list *diags);

#endif
