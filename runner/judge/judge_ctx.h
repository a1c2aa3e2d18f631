/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all parts of judgement look at, and where they leave what they find. */
#ifndef SYNFAULT_RUNNER_JUDGE_JUDGE_CTX_H
#define SYNFAULT_RUNNER_JUDGE_JUDGE_CTX_H

#include "runner/judge/delays.h"
#include "runner/judge/judge.h"

/* What a finding means for the outcome: judge.c has the order. */
enum weight {
	WEIGHT_HARNESS,   /* the record itself can't be trusted */
	WEIGHT_VOID,      /* the run proves nothing: no attempt, or a window that none met */
	WEIGHT_FAILED,    /* an expectation is broken for certain */
	WEIGHT_UNFIRED,   /* a fault that had to fire did not */
	WEIGHT_LAG,       /* delays can explain it, or hide a miss: it is not known */
	WEIGHT_UNDECIDED, /* it is not known, and a quieter machine would not help */
	N_WEIGHTS,
};

struct finding_list {
	struct finding *items;
	size_t n_items, capacity;
};

struct attempt_groups;

struct judge_ctx {
	const struct scenario *scenario;
	const struct record *record;
	struct history history;
	struct delays delays;
	/* attempt_groups_get(): by endpoint, then those of all; made when first looked at */
	struct attempt_groups *groups;
	double timing_scale;
	bool timed_out;
	/*
	 * From here on the client may have done something else than on a quiet machine: an answer
	 * came too late for it. INT64_MAX: never. In words, owned.
	 */
	int64_t disturbed_ns;
	char *disturbance;
	struct finding_list findings[N_WEIGHTS];
	struct assessment *assessments; /* as many as the scenario has expectations */
};

#endif
