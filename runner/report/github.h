/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run in GitHub Actions: annotations at the lines of scenario files that failed, and a summary on
 * the job's page. Sources: GitHub's documentation "Workflow commands for GitHub Actions"; the
 * runner's src/Runner.Common/ActionCommand.cs (escapes) and
 * src/Runner.Worker/ActionCommandManager.cs (stop-commands).
 */
#ifndef SYNFAULT_RUNNER_REPORT_GITHUB_H
#define SYNFAULT_RUNNER_REPORT_GITHUB_H

#include "common/diag.h"
#include "runner/report/result.h"

enum github_mode {
	GITHUB_AUTO, /* if GITHUB_ACTIONS is "true" */
	GITHUB_ALWAYS,
	GITHUB_NEVER,
};
/** github_is_wanted() - return whether to write for GitHub */
bool github_is_wanted(enum github_mode mode);

/* GitHub shows this many annotations of a level and step, and silently drops the others. */
#define GITHUB_MAX_ANNOTATIONS ((size_t)10)
/* Bytes of a step's whole summary; GitHub does not show a larger one. */
#define GITHUB_SUMMARY_LIMIT ((size_t)1024 * 1024)

/**
 * github_annotations() - add workflow commands, one line each
 *
 * An error for each failure, a warning for each flaky result. If there are more than
 * GITHUB_MAX_ANNOTATIONS, the last one gives their number.
 */
void github_annotations(const struct run_results *results, struct strbuf *out);

/**
 * github_summary() - add the summary as GitHub's Markdown, and say what did not fit
 * @limit: maximum of bytes; if not even the totals fit, nothing is added
 */
void github_summary(const struct run_results *results, size_t limit, struct strbuf *out);

/**
 * github_write_summary() - append the summary to the file that GITHUB_STEP_SUMMARY names
 *
 * Writes only as much as the file has room for.
 *
 * Return: 0, also if the variable is not set, or a negative errno with a diagnostic.
 */
int github_write_summary(const struct run_results *results, struct diag_list *diags);

/**
 * github_stop_commands() - keep the runner from taking output for commands
 * @token: drawn at random, so that no output can contain it
 *
 * The runner looks for "::" at the start of each line, after blanks, also in the output of clients
 * and in scenario files.
 */
void github_stop_commands(uint64_t token, struct strbuf *out);
/** github_resume_commands() - make the runner take commands again; the same @token */
void github_resume_commands(uint64_t token, struct strbuf *out);

#endif
