/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What GitHub Actions shows of a run: annotations at the lines of scenario files that failed, and a
 * summary on the page of the job. Sources: GitHub's documentation "Workflow commands for GitHub
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

/* GitHub shows this many annotations of one level and step, and drops the others in silence. */
#define GITHUB_MAX_ANNOTATIONS ((size_t)10)
/* Of all that a step puts into its summary; one that is larger is not shown at all. */
#define GITHUB_SUMMARY_LIMIT ((size_t)1024 * 1024)

/*
 * Adds the workflow commands, one line each: an error per failure, a warning per flaky result. Of
 * more than GITHUB_MAX_ANNOTATIONS the last one says how many there are.
 */
void github_annotations(const struct run_results *results, struct strbuf *out);

/*
 * Adds the summary as GitHub's Markdown, at most @limit bytes: what does not fit is left out, and
 * the summary says so. Adds nothing when not even the totals fit.
 */
void github_summary(const struct run_results *results, size_t limit, struct strbuf *out);

/*
 * Appends the summary to the file that GITHUB_STEP_SUMMARY names, as far as there is room in it.
 * Returns 0 (also when the variable is not set), or a negative errno with a diagnostic.
 */
int github_write_summary(const struct run_results *results, struct diag_list *diags);

/*
 * Whatever a client or a scenario file says between these two is no command to the runner, which
 * looks for "::" at the start of each line, blanks before it passed over. @token: drawn for it,
 * so that no output can hold it.
 */
void github_stop_commands(uint64_t token, struct strbuf *out);
void github_resume_commands(uint64_t token, struct strbuf *out);

#endif
