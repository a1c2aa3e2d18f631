/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of a scenario and of a whole run, from which all reports are made, and functions that
 * make text look alike in all reports.
 */
#ifndef SYNFAULT_RUNNER_REPORT_RESULT_H
#define SYNFAULT_RUNNER_REPORT_RESULT_H

#include "runner/judge/judge.h"
#include "runner/report/run_metadata.h"
#include "runner/scenario/load.h"

/* Why a run ended early. */
enum stop_cause {
	STOP_NONE,
	STOP_SIGNAL,   /* SIGINT, SIGTERM */
	STOP_TIMEOUT,  /* --global-timeout */
	STOP_FAILURES, /* --max-fail */
	STOP_N_CAUSES,
};

/* A run that a retry replaced (--retries, --late-retries). */
struct earlier_run {
	struct record *record;      /* owned */
	struct judgement judgement; /* owned */
	int64_t duration_ns;
	char *capture; /* as of the result */
	bool unproven; /* it was in virtual time, and only a run in real time counts */
};

struct result {
	const struct scenario_file *file;     /* borrowed */
	const struct scenario *scenario;      /* borrowed; NULL for a broken document */
	const struct broken_document *broken; /* borrowed; set instead of scenario */
	struct record *record;                /* owned; NULL: it never ran */
	struct judgement judgement;           /* owned */
	int64_t duration_ns;  /* wall time of the whole scenario, sandbox included */
	bool interrupted;     /* not run, or cut short, because the run was interrupted */
	enum stop_cause stop; /* why it was interrupted; STOP_NONE means STOP_SIGNAL */
	size_t number;        /* from 1, in the whole selection of all shards; 0: unknown */
	unsigned repetition;  /* from 1 (--repeat); 0: not repeated */
	unsigned n_repetitions;
	struct earlier_run *earlier; /* owned; the first one first */
	size_t n_earlier, earlier_capacity;
	bool real_time;   /* it runs in real time from now on: its clock could not be trusted */
	bool confirm;     /* a failure in virtual time has to be confirmed in real time */
	char *no_virtual; /* owned; why it ran in real time although virtual time was wanted; NULL:
			   * it did not
			   */
	bool flaky;       /* passed after a run that did not; says nothing about the outcome */
	char *repeat;     /* owned; the command that reproduces it; NULL: unknown */
	char *capture;    /* owned; path of its capture file; NULL: none */
	char *no_capture; /* owned; why a wanted capture is missing; NULL: none is */
};
/** result_name() - return the scenario's or the broken document's name, without the repetition */
const char *result_name(const struct result *result);
/** result_is_failure() - return whether the outcome is fail or error */
bool result_is_failure(const struct result *result);
/** result_title() - add the name and, with --repeat, " (run 2 of 3)" */
void result_title(const struct result *result, struct strbuf *out);
/** result_path() - return its file's path as given on the command line; "" if it has none */
const char *result_path(const struct result *result);
/**
 * result_repository_path() - return its file's path from the root of its repository
 *
 * Readers of a report can link to that path.
 *
 * Return: the path on one line, owned by the caller; absolute outside any repository.
 */
char *result_repository_path(const struct result *result);
/** report_repository_path() - return the same for any path, even of no file; owned by the caller */
char *report_repository_path(const char *path);
/** result_line() - return the line at which its document starts; 0: unknown */
unsigned result_line(const struct result *result);
/**
 * result_outcome() - return the outcome that reports show and count
 *
 * It is the judgement's, but never pass for what was not judged. A broken document, a scenario
 * without a record and an interrupted scenario are errors; a scenario that --max-fail kept from
 * running is skipped.
 */
enum outcome result_outcome(const struct result *result);
/** result_count_late() - return for how many earlier runs the machine was too slow */
size_t result_count_late(const struct result *result);
/** result_count_unproven() - return how many earlier runs were in virtual time and don't count */
size_t result_count_unproven(const struct result *result);
/** result_never_ran() - return whether the run ended before it was its turn */
bool result_never_ran(const struct result *result);
/** result_reason() - add the reason for the outcome: a sentence without a newline */
void result_reason(const struct result *result, struct strbuf *out);
/** result_outcome_line() - add "fail: attempts: expected 3, got 0"; a pass has no reason */
void result_outcome_line(const struct result *result, struct strbuf *out);

struct run_results {
	struct result *items;
	size_t n_items, capacity;
	int64_t started_realtime_ns;
	int64_t duration_ns;
	uint64_t seed;
	bool interrupted;          /* by a signal */
	enum stop_cause stop;      /* STOP_NONE: it ran to its end */
	char *shard;               /* owned; "3/8"; NULL: the whole suite */
	char *records;             /* owned; directory of its records; NULL: none were written */
	struct run_metadata facts; /* owned */
};

struct outcome_counts {
	size_t by_outcome[OUTCOME_N_KINDS];
	size_t n_flaky;    /* among these */
	size_t n_late;     /* ran again because the machine was too slow at first */
	size_t n_unproven; /* ran again in real time */
};
/** results_count() - count outcomes */
struct outcome_counts results_count(const struct run_results *results);
void results_free(struct run_results *results);

/* Exit statuses of the program. */
enum exit_status {
	STATUS_PASSED = 0,
	STATUS_FAILED = 1, /* a client behaved wrongly */
	STATUS_INTERRUPTED = 2,
	STATUS_UNJUDGED = 3, /* the harness could not judge */
	STATUS_USAGE = 4,    /* usage or scenario error */
	STATUS_NOTHING_RAN = 5,
};
/** results_status() - return the exit status for these results */
enum exit_status results_status(const struct run_results *results);

/**
 * report_headline() - add a heading for a finding's expected and actual values
 *
 * It is the finding's subject, or the whole message if that says more than these values.
 */
void report_headline(struct strbuf *out, const struct finding *finding);

/**
 * report_finding() - add what was expected, seen and missed, a line each; long values stay aligned
 * @indent: columns before the labels
 * @limit: the most bytes of a value
 */
void report_finding(struct strbuf *out, const struct finding *finding, size_t indent, size_t limit);
/** report_clock() - add which time a run was in: "virtual time, 5 jumps over 5 m 9.9 s" */
void report_clock(struct strbuf *out, const struct record *record);
/** report_line() - add safe text (text_sanitize()) on one line: newlines and tabs become blanks */
void report_line(struct strbuf *out, const char *text);
/** report_ascii() - add well-formed UTF-8 as ASCII, with the nearest characters or "?" */
void report_ascii(struct strbuf *out, const char *text);
/**
 * report_fit() - add a text, cut to a width
 * @text: well-formed UTF-8; if it is too long, it ends in "…"
 * @columns: maximum width
 * @ascii: end it in "..." instead
 *
 * Return: the columns taken.
 */
size_t report_fit(struct strbuf *out, const char *text, size_t columns, bool ascii);
#define REPORT_SECONDS_SIZE 24
/** report_seconds() - write "12.345", a point in any locale, "0.000" below 0; return @buffer */
char *report_seconds(int64_t duration_ns, char buffer[static REPORT_SECONDS_SIZE]);

#endif
