/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JUnit XML in the dialect that Jenkins, GitLab, GitHub actions, CircleCI, Azure DevOps and
 * Buildkite all read: one testsuite per scenario file, one testcase per scenario (docs/junit.md).
 */
#ifndef SYNFAULT_RUNNER_REPORT_JUNIT_H
#define SYNFAULT_RUNNER_REPORT_JUNIT_H

#include "common/diag.h"
#include "runner/report/attachments.h"

/**
 * junit_key() - return what identifies a result, the same in each checkout of the repository
 *
 * That is its file from the root of the repository, a tab, and its title before names are made
 * unique.
 *
 * Return: the key, owned by the caller.
 */
char *junit_key(const struct result *result);

struct junit_options {
	/*
	 * Only what the strictest schema allows: junit-10.xsd of Jenkins' xUnit plugin, which
	 * discards a file for one unknown attribute.
	 */
	bool strict;
	struct attachment_sources attachments;
};

/**
 * junit_format() - make the report
 * @options: NULL: the defaults
 *
 * Return: UTF-8 text, owned by the caller.
 */
char *junit_format(const struct run_results *results, const struct junit_options *options,
		   size_t *ret_length);

/** junit_check_path() - check that the report can be written; as report_file_check() */
int junit_check_path(const char *path, struct diag_list *diags);
/** junit_write() - write the report to a file; as report_file_write() */
int junit_write(const struct run_results *results, const struct junit_options *options,
		const char *path, struct diag_list *diags);
/** junit_write_text() - write a report that exists already; return as junit_write() does */
int junit_write_text(const char *text, size_t length, const char *path, struct diag_list *diags);

#endif
