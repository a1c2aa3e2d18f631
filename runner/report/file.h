/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the files of reports. A new report is written beside the old one. It replaces the old one,
 * with its mode and owner, once it is complete and on the disk: the old one is replaced as a whole
 * or stays. Missing directories are made. A symbolic link is followed if the kernel follows it for
 * us. What is not a regular file (/dev/stdout, a pipe) is written to in place.
 */
#ifndef SYNFAULT_RUNNER_REPORT_FILE_H
#define SYNFAULT_RUNNER_REPORT_FILE_H

#include "common/diag.h"

/**
 * report_file_check() - check before a run that a report can be written
 * @what: as in "can't write the WHAT PATH"
 *
 * Makes missing directories, and a temporary file, which it removes.
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int report_file_check(const char *what, const char *path, struct diag_list *diags);

/**
 * report_file_write() - write a report
 * @what: as for report_file_check()
 *
 * Return: 0, or a negative errno with a diagnostic; then the old file stays.
 */
int report_file_write(const char *what, const char *path, const char *text, size_t length,
		      struct diag_list *diags);

/**
 * report_directory_make() - make a directory and those above it
 * @what: as for report_file_check()
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int report_directory_make(const char *what, const char *path, struct diag_list *diags);

/**
 * report_cant_write() - add the diagnostic of an error
 * @error: a negative errno; 0: there is none
 *
 * Return: @error.
 */
int report_cant_write(int error, const char *what, const char *path, struct diag_list *diags);

/** report_file_put() - make a whole file as report_file_create() does; return 0 or an error */
int report_file_put(const char *path, const char *text, size_t length);

/**
 * report_file_create() - make or empty a file in a directory of reports
 *
 * Does not wait for the disk, and does not replace: the directory is not complete until its last
 * file is. A pipe or a device of that name is refused, and not waited for.
 *
 * Return: a descriptor, or a negative errno of open(2); -EINVAL if it is not a regular file.
 */
int report_file_create(const char *path);

/**
 * report_file_open() - begin to write a report piece by piece
 * @what: as for report_file_check(); borrowed until the file is closed
 * @path: borrowed until the file is closed
 *
 * After an error nothing more is written, and report_file_close() returns the error.
 */
struct report_file *report_file_open(const char *what, const char *path);
/** report_file_add() - add a piece */
void report_file_add(struct report_file *file, const char *text, size_t length);
/** report_file_close() - complete the report; return 0, or a negative errno with a diagnostic */
int report_file_close(struct report_file *file, struct diag_list *diags);

#endif
