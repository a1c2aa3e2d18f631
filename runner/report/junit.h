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
 * The key of a result before names are made unique: its file from the root of the repository, a
 * tab, its title. The same in each checkout of the repository. Owned by the caller.
 */
char *junit_key(const struct result *result);

struct junit_options {
	/*
	 * Only what the strictest schema allows: junit-10.xsd of Jenkins' plugin xUnit, which
	 * discards a file for one unknown attribute.
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
/* Writes a document that exists already. */
int junit_write_text(const char *text, size_t length, const char *path, struct diag_list *diags);

#endif
