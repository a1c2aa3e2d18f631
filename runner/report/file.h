/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that reports are written to. A report is written beside the old one and takes its place
 * when it is complete and on the disk: an old report is replaced whole or stays. Missing
 * directories are made. What is there and is no regular file (/dev/stdout, a pipe) is written to as
 * it is.
 */
#ifndef SYNFAULT_RUNNER_REPORT_FILE_H
#define SYNFAULT_RUNNER_REPORT_FILE_H

#include "common/diag.h"

/*
 * Finds out whether a report can be written to @path, so that a run need not end to show that it
 * can't: makes missing directories, and a temporary file, which is removed at once. @what: as in
 * "can't write the WHAT PATH". Returns 0 or a negative errno with a diagnostic.
 */
int report_file_check(const char *what, const char *path, struct diag_list *diags);

/* Writes a whole report. Returns 0 or a negative errno with a diagnostic; then nothing is left. */
int report_file_write(const char *what, const char *path, const char *text, size_t length,
		      struct diag_list *diags);

/*
 * The same piece by piece, for what need not be in memory at once: an error is remembered until the
 * file is closed. @what and @path are borrowed until then.
 */
struct report_file *report_file_open(const char *what, const char *path);
void report_file_add(struct report_file *file, const char *text, size_t length);
int report_file_close(struct report_file *file, struct diag_list *diags);

#endif
