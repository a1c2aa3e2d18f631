/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run on the terminal: a progress line on a tty, a line for each scenario as it ends, each
 * failure in full, the summary.
 */
#ifndef SYNFAULT_RUNNER_REPORT_CONSOLE_H
#define SYNFAULT_RUNNER_REPORT_CONSOLE_H

#include "runner/report/result.h"

enum color_mode {
	COLOR_AUTO, /* on a tty, unless NO_COLOR is set or TERM is dumb */
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/* When failures are shown in full; each has a line as it ends in any case. */
enum failure_output {
	FAILURES_FINAL, /* before the summary, after all that passed */
	FAILURES_IMMEDIATE,
	FAILURES_IMMEDIATE_FINAL,
	FAILURES_NEVER,
	FAILURES_N_MODES,
};

/** color_is_wanted() - return whether to write colours to @out */
bool color_is_wanted(enum color_mode mode, FILE *out);

struct console_options {
	enum color_mode color;
	bool verbose; /* the timeline of passed scenarios too */
	bool quiet;   /* failures and the summary only */
	enum failure_output failures;
	const char *note; /* what is special about the run ("shard 2/8 of 20"), or NULL; borrowed */
};

struct console;

/**
 * console_new() - begin to write to a terminal or any other stream
 * @out: borrowed
 * @options: copied
 *
 * Characters above 127 are written only if the locale's character set is UTF-8; the program calls
 * setlocale().
 */
struct console *console_new(FILE *out, const struct console_options *options);
void console_free(struct console *console);
/** console_clear() - erase the progress line, before anything else writes to the terminal */
void console_clear(struct console *console);

/** console_start() - print the header of a run */
void console_start(struct console *console, size_t n_scenarios, size_t jobs, uint64_t seed,
		   const char *isolation);
/**
 * console_result() - print a scenario that has ended
 * @repeat: the command that reproduces it
 */
void console_result(struct console *console, const struct result *result, const char *repeat);
/**
 * console_live() - print an event of a running scenario (--verbose)
 * @line: from event_line_write()
 */
void console_live(struct console *console, const struct result *result, const char *line);
/**
 * console_progress() - redraw the progress line of a terminal
 * @running: names of running scenarios
 */
void console_progress(struct console *console, size_t n_done, const char *const *running,
		      size_t n_running, int64_t elapsed_ns);
/** console_failures() - print failures in full if that is wanted, and the names of several failures
 */
void console_failures(struct console *console, const struct run_results *results);
/** console_summary() - print the totals; the last line is "N passed, N failed, N skipped" */
void console_summary(struct console *console, const struct run_results *results);

#endif
