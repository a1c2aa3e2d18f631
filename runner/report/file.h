/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the files of reports. A new report is written beside the old one and replaces it, with its
 * mode and owner, when it is complete and on the disk: the old one is replaced as a whole or stays.
 * Missing directories are made. A symbolic link is followed where the kernel follows it for us.
 * What is not a regular file (/dev/stdout, a pipe) is written to in place.
 */
#ifndef SYNFAULT_RUNNER_REPORT_FILE_H
#define SYNFAULT_RUNNER_REPORT_FILE_H

#include "common/diag.h"

/*
 * Checks before a run that a report can be written to @path: makes missing directories, and a
 * temporary file, which it removes. @what: as in "can't write the WHAT PATH". Returns 0 or a
 * negative errno with a diagnostic.
 */
int report_file_check(const char *what, const char *path, struct diag_list *diags);

/* Writes a report. Returns 0, or a negative errno with a diagnostic and without a new file. */
int report_file_write(const char *what, const char *path, const char *text, size_t length,
		      struct diag_list *diags);

/*
 * Writes a report piece by piece. An error is kept until the file is closed; @what and @path are
 * borrowed until then.
 */
struct report_file *report_file_open(const char *what, const char *path);
void report_file_add(struct report_file *file, const char *text, size_t length);
int report_file_close(struct report_file *file, struct diag_list *diags);

#endif
