/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JUnit XML in the dialect that Jenkins, GitLab, GitHub actions, CircleCI, Azure DevOps and
 * Buildkite all read: one testsuite per scenario file, one testcase per scenario (docs/junit.md).
 */
#ifndef SYNFAULT_RUNNER_REPORT_JUNIT_H
#define SYNFAULT_RUNNER_REPORT_JUNIT_H

#include "common/diag.h"
#include "runner/report/result.h"

/*
 * What a result is known by in the report, before names are made unique: its file relative to the
 * root of the repository, a tab, its title. The same on every machine that has the repository
 * checked out. Owned by the caller.
 */
char *junit_key(const struct result *result);

/* The document as UTF-8 text, owned by the caller. */
char *junit_format(const struct run_results *results, size_t *ret_length);

/*
 * Finds out whether a report can be written to @path, so that a run need not end to show that it
 * can't: makes missing directories, and a temporary file, which is removed at once. Returns 0 or a
 * negative errno with a diagnostic.
 */
int junit_check_path(const char *path, struct diag_list *diags);

/*
 * Writes the document to a temporary file beside @path, syncs it and renames it over @path: an old
 * report is replaced whole or stays. Missing directories are made. What is there and is no regular
 * file (/dev/stdout, a pipe) is written to as it is. Returns 0 or a negative errno with a
 * diagnostic; no temporary file is left behind then.
 */
int junit_write(const struct run_results *results, const char *path, struct diag_list *diags);
/* The same with a document that is there already. */
int junit_write_text(const char *text, size_t length, const char *path, struct diag_list *diags);

#endif
