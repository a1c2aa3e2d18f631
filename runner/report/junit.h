/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JUnit XML in the dialect that Jenkins, GitLab, GitHub actions, CircleCI, Azure DevOps and
 * Buildkite all read: one testsuite per scenario file, one testcase per scenario (docs/junit.md).
 */
#ifndef SYNFAULT_RUNNER_REPORT_JUNIT_H
#define SYNFAULT_RUNNER_REPORT_JUNIT_H

#include "common/diag.h"
#include "runner/report/attachments.h"

/*
 * What a result is known by in the report, before names are made unique: its file relative to the
 * root of the repository, a tab, its title. The same on every machine that has the repository
 * checked out. Owned by the caller.
 */
char *junit_key(const struct result *result);

struct junit_options {
	/*
	 * Only what the strictest schema allows, that of Jenkins' plugin xUnit (junit-10.xsd),
	 * which discards a whole file for one attribute that it does not know.
	 */
	bool strict;
	struct attachment_sources attachments;
};

/* The document as UTF-8 text, owned by the caller. @options: NULL for the defaults. */
char *junit_format(const struct run_results *results, const struct junit_options *options,
		   size_t *ret_length);

/* Writes the report to a file, or finds out whether that can be done: see report/file.h. */
int junit_check_path(const char *path, struct diag_list *diags);
int junit_write(const struct run_results *results, const struct junit_options *options,
		const char *path, struct diag_list *diags);
/* The same with a document that is there already. */
int junit_write_text(const char *text, size_t length, const char *path, struct diag_list *diags);

#endif
