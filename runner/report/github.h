/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run in GitHub Actions: annotations at the lines of scenario files that failed, and a summary on
 * the job's page. Sources: GitHub's documentation "Workflow commands for GitHub
 * Actions"; the runner's src/Runner.Common/ActionCommand.cs (escapes) and
 * src/Runner.Worker/ActionCommandManager.cs (stop-commands).
 */
#ifndef SYNFAULT_RUNNER_REPORT_GITHUB_H
#define SYNFAULT_RUNNER_REPORT_GITHUB_H

#include "common/diag.h"
#include "runner/report/result.h"

enum github_mode {
	GITHUB_AUTO, /* where GITHUB_ACTIONS is "true" */
	GITHUB_ALWAYS,
	GITHUB_NEVER,
};
bool github_is_wanted(enum github_mode mode);

/* GitHub shows this many annotations of a level and step, and silently drops the others. */
#define GITHUB_MAX_ANNOTATIONS ((size_t)10)
/* Of a step's whole summary; GitHub does not show a larger one. */
#define GITHUB_SUMMARY_LIMIT ((size_t)1024 * 1024)

/*
 * Adds workflow commands, one line each: an error for each failure, a warning for each flaky
 * result. If there are more than GITHUB_MAX_ANNOTATIONS, the last one gives their number.
 */
void github_annotations(const struct run_results *results, struct strbuf *out);

/*
 * Adds the summary as GitHub's Markdown, at most @limit bytes, and says what did not fit. Adds
 * nothing if not even the totals fit.
 */
void github_summary(const struct run_results *results, size_t limit, struct strbuf *out);

/*
 * Appends the summary to the file that GITHUB_STEP_SUMMARY names, as far as it has room. Returns 0,
 * also if the variable is not set, or a negative errno with a diagnostic.
 */
int github_write_summary(const struct run_results *results, struct diag_list *diags);

/*
 * Between these two the runner takes no output of a client or a scenario file for a command; it
 * looks for "::" at the start of each line, after blanks. @token: drawn at random, so that no
 * output can contain it.
 */
void github_stop_commands(uint64_t token, struct strbuf *out);
void github_resume_commands(uint64_t token, struct strbuf *out);

#endif
