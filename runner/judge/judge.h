/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judgement: what a record means under a scenario's expectations. A pure function of both; no
 * clock, no file, no kernel.
 *
 * Each expectation is met, broken or not known: delays.h says how that is told. Order of
 * precedence: a harness problem that names a missing capability gives skip, any other gives error;
 * a run without any attempt, or in which none met a window of time, gives error; an expectation
 * that is broken for certain gives fail; a fault that had to fire and did not gives error, and
 * comes before that unless the broken expectation is on attempts; what is not known gives error;
 * else pass.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_JUDGE_H
#define SYNFAULT_RUNNER_JUDGE_JUDGE_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

enum outcome {
	OUTCOME_PASS,
	OUTCOME_FAIL,
	OUTCOME_ERROR,
	OUTCOME_SKIP,
	OUTCOME_N_KINDS,
};
const char *outcome_name(enum outcome outcome); /* "pass", "fail", "error", "skip" */

/* One reason for an outcome other than pass. */
struct finding {
	char *type; /* the expectation's key ("attempts"), or "timeout", "unfired", "harness", … */
	char *subject;  /* what it is about: "attempts at api", "backoff 2 at api", "stderr" */
	char *expected; /* "5", "2.00 s ± 200 ms", "contains \"refused\""; NULL for harness findings
			 */
	char *actual;   /* "7", "1.02 s"; NULL for harness findings */
	char *miss;     /* "by 2", "780 ms too short"; NULL when there is none */
	char *message;  /* the whole as one line */
	/* What the behaviour fits best: "backoff looks like fixed, 2.00 s"; or NULL. */
	char *looks_like;
	struct place place;  /* of the expectation; path borrowed from the scenario */
	bool caused_by_lag;  /* could have been the harness's lag: makes it an error */
	bool unknown;        /* of an expectation: it is not known whether it is broken */
	uint32_t attempt;    /* the first attempt that broke the rule; UINT32_MAX: none */
	uint32_t assessment; /* of the expectation: index into the judgement's; UINT32_MAX: none */
};

/* What came of an expectation. */
enum assessed {
	ASSESSED_MET,
	ASSESSED_NOT_MET,
	ASSESSED_UNDECIDED,  /* the record doesn't tell, or our own lag could have caused it */
	ASSESSED_NOT_JUDGED, /* the record can't be: see the findings; or not on this */
	ASSESSED_N_RESULTS,
};
/* "met", "not met", "undecided", "not judged" */
const char *assessed_name(enum assessed result);

/*
 * An expectation beside what was measured for it, whether it was met or not: where findings only
 * say what went wrong, this lets a reader see how a pass came about.
 */
struct assessment {
	enum assessed result;
	char *type;    /* the expectation's key */
	char *subject; /* "attempts at api" */
	/* "each 2.00 s ± 200 ms", "3, of 1.98 s to 2.02 s"; NULL: not judged, or no telling */
	char *expected, *actual;
	struct place place; /* of the expectation; path borrowed from the scenario */
	/* Where to see it; each UINT32_MAX: there is none. */
	uint32_t attempt; /* the first that broke it; or the last that was looked at */
	uint32_t event;   /* index into the record's events */
	uint32_t finding; /* the first about it: index into the judgement's findings */
};

struct judgement {
	enum outcome outcome;
	struct finding *findings; /* the one that decided first */
	size_t n_findings, capacity;
	struct assessment *assessments; /* one for each expectation, in the scenario's order */
	size_t n_assessments;
};

struct judge_options {
	double timing_scale; /* multiplies all tolerances; 1 by default */
};

/*
 * Whether an expectation is about the client's own process, of which the record of somebody else's
 * client (record->attached) knows nothing: it is not judged then. Where nothing else is expected,
 * no step has to fire either.
 */
bool expectation_needs_client(const struct expectation *expectation);

/* Free the result with judgement_free(). */
struct judgement judge(const struct scenario *scenario, const struct record *record,
		       const struct judge_options *options);
void judgement_free(struct judgement *judgement);
/* Whether there is no judgement, because the machine was too slow, and for no other reason. */
bool judgement_is_late(const struct judgement *judgement);

#endif
