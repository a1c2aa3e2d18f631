/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Assessments: each expectation beside what was measured for it. */
#ifndef SYNFAULT_RUNNER_JUDGE_MEASUREMENTS_H
#define SYNFAULT_RUNNER_JUDGE_MEASUREMENTS_H

#include "runner/judge/judge_ctx.h"
#include "runner/judge/time_bounds.h"

/*
 * What was measured for an expectation, met or not. The last call of assessment_set() counts. An
 * expectation without a measurement shows what its first finding says.
 */
struct measured {
	char *expected, *actual; /* taken over by assessment_set() */
	/* Where to look if the expectation was met. */
	const struct attempt_history *attempt; /* or NULL */
	const struct event *event;             /* of the record, or NULL */
};

/* Many times, such as those of all waits, shown as the shortest and the longest. */
struct time_span {
	int64_t shortest_ns, longest_ns;
	size_t n_times;
	const struct attempt_history *attempt; /* the attempt of the last time, or NULL */
};

/** assessment_set() - set what was measured for an expectation, as .actual = text, … */
#define assessment_set(ctx, expectation, ...)                                                      \
	assessment_set_measured(ctx, expectation, &(struct measured){__VA_ARGS__})
/** assessment_set_measured() - set what was measured, and take over its texts */
void assessment_set_measured(struct judge_ctx *ctx, const struct expectation *expectation,
			     const struct measured *measured);
/** assessment_set_times() - set the times that were measured beside their bounds */
void assessment_set_times(struct judge_ctx *ctx, const struct expectation *expectation,
			  const struct time_bounds *bounds, const struct time_span *span);
/** assessments_make() - begin with "not judged" for each of the scenario's expectations */
void assessments_make(struct judge_ctx *ctx);

/**
 * assessments_finish() - move the assessments into the judgement
 * @judgement: has its findings already, from which the results follow
 */
void assessments_finish(struct judge_ctx *ctx, struct judgement *judgement);

/** time_span_add() - add a time; @attempt, which it belongs to, may be NULL */
void time_span_add(struct time_span *span, int64_t time_ns, const struct attempt_history *attempt);
/**
 * time_span_text() - format the times
 *
 * Return: "2.00 s", "3, of 1.98 s to 2.02 s" or "none"; owned by the caller.
 */
char *time_span_text(const struct time_span *span);

#endif
