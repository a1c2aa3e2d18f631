/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input that all parts of judgement share, and the place where they put their results. */
#ifndef SYNFAULT_RUNNER_JUDGE_JUDGE_CTX_H
#define SYNFAULT_RUNNER_JUDGE_JUDGE_CTX_H

#include "runner/judge/delays.h"
#include "runner/judge/judgement.h"
#include "runner/judge/pattern.h"
#include "runner/judge/script_parts.h"
#include "runner/judge/text_search.h"

/* What a finding means for the outcome: judge.c ranks them. */
enum weight {
	WEIGHT_HARNESS,     /* the record itself can't be trusted */
	WEIGHT_VOID,        /* the run proves nothing: no attempt, or none met a window of time */
	WEIGHT_FAILED,      /* an expectation is broken for certain */
	WEIGHT_NEVER_FIRED, /* a fault that had to fire did not */
	WEIGHT_LAG,         /* unknown: delays may explain a miss, or hide one */
	WEIGHT_UNDECIDED,   /* unknown, and a quieter machine would not help */
	N_WEIGHTS,
};

struct finding_list {
	struct finding *items;
	size_t n_items, capacity;
};

struct attempt_groups;

struct judge_ctx {
	const struct scenario *scenario; /* its scripts have the steps of all parts */
	const struct script_parts *parts;
	const struct record *record;
	struct history history;
	struct delays delays;
	/* One per endpoint, then one for all; made by attempt_groups_at() when first used. */
	struct attempt_groups *groups;
	double timing_scale;
	const struct text_searches *searches; /* those that were made before, or NULL */
	struct pattern_limits patterns;       /* of all patterns together, where none were */
	bool timed_out;
	/*
	 * From then on the client may have behaved differently than on a quiet machine, because an
	 * answer came too late or it starved. INT64_MAX: never.
	 */
	int64_t disturbed_ns;
	char *disturbance; /* what happened, in words; owned */
	struct finding_list findings[N_WEIGHTS];
	struct assessment *assessments; /* one for each of the scenario's expectations */
};

#endif
