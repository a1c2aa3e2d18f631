/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run shows on the terminal: a progress line on a tty, one line per scenario as it ends,
 * each failure in full, the summary.
 */
#ifndef SYNFAULT_RUNNER_REPORT_CONSOLE_H
#define SYNFAULT_RUNNER_REPORT_CONSOLE_H

#include "runner/report/result.h"

enum color_mode {
	COLOR_AUTO, /* on a tty, unless NO_COLOR is set or TERM is dumb */
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/* When a failure is shown in full; its one line is shown when it ends, in any case. */
enum failure_output {
	FAILURES_FINAL, /* before the summary, after all that passed */
	FAILURES_IMMEDIATE,
	FAILURES_IMMEDIATE_FINAL,
	FAILURES_NEVER,
	FAILURES_N_MODES,
};
/* "final", "immediate", "immediate-final", "never" */
const char *failure_output_name(enum failure_output mode);

/* Whether colours are to be written to @out. */
bool color_is_wanted(enum color_mode mode, FILE *out);

struct console_options {
	enum color_mode color;
	bool verbose; /* the timeline of passed scenarios too */
	bool quiet;   /* failures and the summary only */
	enum failure_output failures;
	const char *note; /* what is special about the run ("shard 2/8 of 20"), or NULL; borrowed */
};

struct console;

/*
 * @out: where all goes, borrowed; whether it is a terminal is found out by itself. Characters above
 * 127 are written only when the locale's character set is UTF-8 (setlocale() is the program's).
 */
struct console *console_new(FILE *out, const struct console_options *options);
void console_free(struct console *console);
/* Erases the progress line: to be called before anything else writes to the same terminal. */
void console_clear(struct console *console);
bool console_is_tty(const struct console *console);

void console_start(struct console *console, size_t n_scenarios, size_t jobs, uint64_t seed,
		   const char *isolation);
/* Errors in files, before anything runs. */
void console_diags(struct console *console, const struct diag_list *diags, const char *source,
		   size_t source_length);
/* One scenario ended. @repeat: the command that runs it again. */
void console_result(struct console *console, const struct result *result, const char *repeat);
/* Something happened in a running scenario, as event_line_write() says it (--verbose). */
void console_live(struct console *console, const struct result *result, const char *line);
/* Draws the progress line again; a no-op unless on a tty. @running: names of running scenarios. */
void console_progress(struct console *console, size_t n_done, const char *const *running,
		      size_t n_running, int64_t elapsed_ns);
/* The end: failures in full where that is wanted, then their names when there are several. */
void console_failures(struct console *console, const struct run_results *results);
/* The totals, errors named apart; the last line is "N passed, N failed, N skipped". */
void console_summary(struct console *console, const struct run_results *results);

#endif
