/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Assessments: each expectation beside what was measured for it. */
#ifndef SYNFAULT_RUNNER_JUDGE_MEASUREMENTS_H
#define SYNFAULT_RUNNER_JUDGE_MEASUREMENTS_H

#include "runner/judge/judge_ctx.h"

/*
 * What is measured for an expectation, met or not. Each part says it once it knows; what is said
 * last, counts. An expectation without any shows what its first finding says.
 */
struct measured {
	char *expected, *actual; /* owned by the assessment then */
	/* Where to see it when it was met. */
	const struct attempt_history *attempt; /* or NULL */
	const struct event *event;             /* of the record, or NULL */
};
void assessment_set(struct judge_ctx *ctx, const struct expectation *expectation,
		    const struct measured *measured);
void assessments_make(struct judge_ctx *ctx);
/* Gives the judgement its assessments, after the findings. */
void assessments_finish(struct judge_ctx *ctx, struct judgement *judgement);

/* Times of which the shortest and the longest are shown: of many waits, of many instances. */
struct time_span {
	int64_t shortest_ns, longest_ns;
	size_t n_times;
	const struct attempt_history *attempt; /* of the last one, or NULL */
};
void time_span_add(struct time_span *span, int64_t time_ns, const struct attempt_history *attempt);
/* "2.00 s", "3, of 1.98 s to 2.02 s", "none"; owned by the caller. */
char *time_span_text(const struct time_span *span);

#endif
