/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assessments: each expectation beside what was measured for it. The parts of judgement set what
 * they measured (assessment_set()); the result follows from the findings.
 */
#include "runner/judge/measurements.h"
#include "runner/judge/findings.h"
#include "runner/judge/time_bounds.h"

void assessments_make(struct judge_ctx *ctx)
{
	const struct scenario *scenario = ctx->scenario;

	ctx->assessments = xzalloc((scenario->n_expectations + 1) * sizeof(*ctx->assessments));
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];
		const char *type = expectation_kind_name(expectation->kind);

		ctx->assessments[i] = (struct assessment){
			.result = ASSESSED_NOT_JUDGED,
			.type = xstrdup(type),
			.subject = subject_at(ctx, type, expectation->endpoint),
			.place = expectation->place,
			.attempt = UINT32_MAX,
			.event = UINT32_MAX,
			.finding = UINT32_MAX,
		};
	}
}

void assessment_set_measured(struct judge_ctx *ctx, const struct expectation *expectation,
			     const struct measured *measured)
{
	struct assessment *assessment =
		&ctx->assessments[expectation - ctx->scenario->expectations];

	free(assessment->expected);
	free(assessment->actual);
	assessment->expected = measured->expected;
	assessment->actual = measured->actual;
	assessment->attempt = measured->attempt ? measured->attempt->id : UINT32_MAX;
	assessment->event =
		measured->event ? (uint32_t)(measured->event - ctx->record->events) : UINT32_MAX;
}

void assessments_finish(struct judge_ctx *ctx, struct judgement *judgement)
{
	judgement->assessments = ctx->assessments;
	judgement->n_assessments = ctx->scenario->n_expectations;
	/* Backwards, so that the first of several findings wins. */
	for (size_t i = judgement->n_findings; i-- > 0;) {
		const struct finding *finding = &judgement->findings[i];
		struct assessment *assessment;

		if (finding->assessment >= judgement->n_assessments)
			continue;
		assessment = &judgement->assessments[finding->assessment];
		assessment->finding = (uint32_t)i;
		if (finding->attempt != UINT32_MAX)
			assessment->attempt = finding->attempt;
	}
	for (size_t i = 0; i < judgement->n_assessments; i++) {
		struct assessment *assessment = &judgement->assessments[i];
		const struct finding *finding;

		if (assessment->finding == UINT32_MAX)
			continue;
		finding = &judgement->findings[assessment->finding];
		assessment->result = finding->unknown ? ASSESSED_UNDECIDED : ASSESSED_NOT_MET;
		if (!assessment->expected && finding->expected)
			assessment->expected = xstrdup(finding->expected);
		if (!assessment->actual && finding->actual)
			assessment->actual = xstrdup(finding->actual);
	}
}

void time_span_add(struct time_span *span, int64_t time_ns, const struct attempt_history *attempt)
{
	if (span->n_times++ == 0)
		span->shortest_ns = span->longest_ns = time_ns;
	span->shortest_ns = MIN(span->shortest_ns, time_ns);
	span->longest_ns = MAX(span->longest_ns, time_ns);
	span->attempt = attempt;
}

char *time_span_text(const struct time_span *span)
{
	AUTO_FREE char *shortest = time_text(span->shortest_ns);
	AUTO_FREE char *longest = time_text(span->longest_ns);

	if (span->n_times == 0)
		return xstrdup("none");
	if (span->n_times == 1)
		return xstrdup(shortest);
	if (!strcmp(shortest, longest))
		return xasprintf("%zu, each %s", span->n_times, shortest);
	return xasprintf("%zu, of %s to %s", span->n_times, shortest, longest);
}

void assessment_set_times(struct judge_ctx *ctx, const struct expectation *expectation,
			  const struct time_bounds *bounds, const struct time_span *span)
{
	assessment_set(ctx, expectation, .expected = bounds_text(bounds),
		       .actual = time_span_text(span), .attempt = span->attempt);
}
