/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of a scenario and of a whole run, from which all reports are made, and text as all
 * reports show it.
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
};

struct result {
	const struct scenario_file *file;     /* borrowed */
	const struct scenario *scenario;      /* borrowed; NULL for a broken document */
	const struct broken_document *broken; /* borrowed; set instead of scenario */
	struct record *record;                /* owned; NULL when it never ran */
	struct judgement judgement;           /* owned */
	int64_t duration_ns;                  /* wall time of the whole scenario, cell included */
	bool interrupted;     /* not run, or cut short, because the run was interrupted */
	enum stop_cause stop; /* why, when interrupted; STOP_NONE is taken for STOP_SIGNAL */
	size_t number;        /* from 1, in the whole selection, shards not looked at; 0: unknown */
	unsigned repetition;  /* from 1 (--repeat); 0: it is run once */
	unsigned n_repetitions;
	struct earlier_run *earlier; /* owned; the first one first */
	size_t n_earlier, earlier_capacity;
	bool flaky;       /* passed after a run that did not; the outcome is another question */
	char *repeat;     /* owned; the command that reproduces it; NULL: not known */
	char *capture;    /* owned; path of the capture file of its packets; NULL: there is none */
	char *no_capture; /* owned; why one that was wanted is missing; NULL: none is */
};
/* Name for people: the scenario's or the broken document's, without the repetition. */
const char *result_name(const struct result *result);
/* Adds the name and, with --repeat, " (run 2 of 3)". */
void result_title(const struct result *result, struct strbuf *out);
/* The path of its file as given on the command line; "" when it has none. */
const char *result_path(const struct result *result);
/*
 * The path relative to the root of its repository, so that readers of a report can link to it;
 * absolute outside any repository. On one line; owned by the caller.
 */
char *result_repository_path(const struct result *result);
/* The same for any other path; its file need not exist. */
char *report_repository_path(const char *path);
/* The line its document starts at; 0: unknown. */
unsigned result_line(const struct result *result);
/*
 * What reports show and counts count. The judgement's outcome, but never pass for what can't have
 * been judged: a broken document, a scenario without a record, an interrupted one are errors; one
 * that --max-fail kept from running is skipped.
 */
enum outcome result_outcome(const struct result *result);
/* How many replaced runs the machine was too slow for: judgement_is_late(). */
size_t result_count_late(const struct result *result);
/* Whether the run ended before its turn. */
bool result_never_ran(const struct result *result);
/* Adds the reason for the outcome: a sentence without a newline. */
void result_reason(const struct result *result, struct strbuf *out);
/* Adds the outcome and, unless it is a pass, the reason: "fail: attempts: expected 3, got 0". */
void result_outcome_line(const struct result *result, struct strbuf *out);

struct run_results {
	struct result *items;
	size_t n_items, capacity;
	int64_t started_realtime_ns;
	int64_t duration_ns;
	uint64_t seed;
	bool interrupted;     /* by a signal */
	enum stop_cause stop; /* STOP_NONE: it ran to its end */
	/* The part of a suite that this is, "3/8"; borrowed; NULL: it is the whole. */
	const char *shard;
	const char *records; /* the directory of its records; borrowed; NULL: none are written */
	struct run_metadata facts; /* owned */
};

struct outcome_counts {
	size_t by_outcome[OUTCOME_N_KINDS];
	size_t n_flaky; /* among them */
	size_t n_late;  /* that ran again because the machine was too slow at first */
};
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
/* The exit status that results lead to. */
enum exit_status results_status(const struct run_results *results);

/*
 * Adds a heading for a finding's expected and actual values: its subject, or the whole message if
 * that says more than these values.
 */
void report_headline(struct strbuf *out, const struct finding *finding);

/* Adds @text made safe (text_sanitize()) and on one line: newlines and tabs become blanks. */
void report_line(struct strbuf *out, const char *text);
/* Adds well-formed UTF-8 in ASCII: the nearest characters for those above 127, or "?". */
void report_ascii(struct strbuf *out, const char *text);
/*
 * Adds at most @columns columns of @text (well-formed UTF-8); a text that is too long ends in "…"
 * ("..." when @ascii). Returns the columns taken.
 */
size_t report_fit(struct strbuf *out, const char *text, size_t columns, bool ascii);
/* Seconds with three decimals and a point in any locale: "12.345"; "0.000" below 0. */
#define REPORT_SECONDS_SIZE 24
char *report_seconds(int64_t duration_ns, char buffer[static REPORT_SECONDS_SIZE]);
/* How many bytes the character at @text takes (well-formed UTF-8; 0 at the end). */
size_t report_character(const char *text);

#endif
