/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What judge() returns: an outcome, what was wrong, and each expectation beside what was measured.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_JUDGEMENT_H
#define SYNFAULT_RUNNER_JUDGE_JUDGEMENT_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

enum outcome {
	OUTCOME_PASS,
	OUTCOME_FAIL,
	OUTCOME_ERROR,
	OUTCOME_SKIP,
	OUTCOME_N_KINDS,
};
/** outcome_name() - return "pass", "fail", "error" or "skip" */
const char *outcome_name(enum outcome outcome);

/* One reason for an outcome other than pass. */
struct finding {
	char *type; /* the expectation's key ("attempts"), or "timeout", "never-fired", "harness", …
		     */
	char *subject;  /* "attempts at api", "backoff 2 at api", "stderr" */
	char *expected; /* "5", "2.00 s ± 200 ms", "contains \"refused\""; NULL for harness findings
			 */
	char *actual;   /* "7", "1.02 s"; NULL for harness findings */
	char *miss;     /* "by 2", "780 ms too short"; NULL when there is none */
	char *message;  /* everything in one line */
	/* The policy that fits the behaviour best: "backoff looks like fixed, 2.00 s"; or NULL. */
	char *looks_like;
	struct place place;  /* of the expectation; path borrowed from the scenario */
	bool caused_by_lag;  /* the harness's lag may explain it: makes it an error */
	bool unknown;        /* it is unknown whether the expectation is broken */
	uint32_t attempt;    /* the first attempt that broke the rule; UINT32_MAX: none */
	uint32_t assessment; /* the expectation's: index into the judgement's; UINT32_MAX: none */
};

/* The result for one expectation. */
enum assessed {
	ASSESSED_MET,
	ASSESSED_NOT_MET,
	ASSESSED_UNDECIDED,  /* the record does not show it, or synfault's lag may explain it */
	ASSESSED_NOT_JUDGED, /* the record can't be judged, or not on this: see the findings */
	ASSESSED_N_RESULTS,
};
/** assessed_name() - return "met", "not met", "undecided" or "not judged" */
const char *assessed_name(enum assessed result);

/*
 * An expectation beside what was measured for it, whether it was met or not. Findings only say what
 * went wrong; assessments also show why a scenario passed.
 */
struct assessment {
	enum assessed result;
	char *type;    /* the expectation's key */
	char *subject; /* "attempts at api" */
	/* "each 2.00 s ± 200 ms", "3, of 1.98 s to 2.02 s"; NULL: not judged, or nothing to say */
	char *expected, *actual;
	struct place place; /* of the expectation; path borrowed from the scenario */
	/* Where to look; each is UINT32_MAX if there is none. */
	uint32_t attempt; /* the first that broke it, otherwise the last that was judged */
	uint32_t event;   /* index into the record's events */
	uint32_t finding; /* the first about it: index into the findings */
};

struct judgement {
	enum outcome outcome;
	struct finding *findings; /* the first one decided the outcome */
	size_t n_findings, capacity;
	struct assessment *assessments; /* one for each expectation, in the scenario's order */
	size_t n_assessments;
};
void judgement_free(struct judgement *judgement);
/** judgement_is_late() - ask whether the outcome is error only because the machine was too slow */
bool judgement_is_late(const struct judgement *judgement);

#endif
