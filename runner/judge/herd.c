/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The expectation "herd": see herd.h. */
#include "runner/judge/herd.h"

#include <inttypes.h>

#include "runner/judge/findings.h"
#include "runner/judge/measurements.h"
#include "runner/judge/per_instance.h"

struct herd herd_measure(const struct attempt_history *const *attempts, size_t n_attempts,
			 int64_t within_ns)
{
	struct herd herd = {0};
	size_t first = 0;

	for (size_t last = 0; last < n_attempts; last++) {
		while (attempts[last]->started_ns - attempts[first]->started_ns >= within_ns)
			first++;
		if (last - first + 1 <= herd.peak)
			continue;
		herd = (struct herd){
			.peak = last - first + 1,
			.first = first,
			.from_ns = attempts[first]->started_ns,
			.until_ns = attempts[last]->started_ns,
		};
	}
	return herd;
}

const char *herd_counted(const struct expectation *expectation)
{
	return expectation->value.herd.retries ? "retries" : "attempts";
}

size_t herd_attempts(const struct history *history, const struct expectation *expectation,
		     const struct attempt_history ***ret)
{
	const struct record *record = history->record;
	const struct attempt_history **attempts;
	size_t n = history_of(history, expectation->endpoint, &attempts), kept = 0;
	AUTO_FREE bool *tried = xzalloc(record->n_instances * sizeof(*tried));

	for (size_t i = 0; i < n; i++) {
		uint32_t instance = record->attempts[attempts[i]->id].instance;
		bool first = instance < record->n_instances && !tried[instance];

		if (first)
			tried[instance] = true;
		if (!first || !expectation->value.herd.retries)
			attempts[kept++] = attempts[i];
	}
	*ret = attempts;
	return kept;
}

static char *limit_text(const struct expectation *expectation)
{
	char within[DURATION_TEXT_SIZE];

	const char *one = expectation->value.herd.retries ? "retry" : "attempt";
	int64_t max = expectation->value.herd.max;

	return xasprintf("at most %" PRId64 " %s within %s", max,
			 max == 1 ? one : herd_counted(expectation),
			 duration_format(expectation->value.herd.within_ns, within));
}

static char *peak_text(const struct herd *herd)
{
	char length[DURATION_TEXT_SIZE], from[DURATION_TEXT_SIZE];

	if (herd->peak == 0)
		return xstrdup("none");
	return xasprintf("%zu in %s, from %s on", herd->peak,
			 duration_format(herd->until_ns - herd->from_ns, length),
			 duration_format(herd->from_ns, from));
}

/*
 * Returns whether more than the allowed attempts fall into one window. They certainly do if they
 * would even without the delays that drove them together; they certainly don't if they would not
 * even without the delays that drove them apart.
 */
static enum truth truth_of_herd(const struct judge_ctx *ctx,
				const struct attempt_history *const *attempts, size_t n,
				const struct expectation *expectation)
{
	size_t max = (size_t)expectation->value.herd.max;
	int64_t within_ns = expectation->value.herd.within_ns;
	enum truth truth = TRUTH_MET;

	for (size_t i = max; i < n; i++) {
		const struct attempt_history *first = attempts[i - max], *last = attempts[i];
		struct when from = {first->started_earliest_ns, first->started_ns};
		struct when to = {last->started_earliest_ns, last->started_ns};
		int64_t since_ns = i > max ? attempts[i - max - 1]->started_ns : 0;
		struct range known;

		known = span_between(&ctx->delays, from, to, since_ns, 0, attempt_lateness(first));
		if (known.high < within_ns)
			return TRUTH_BROKEN;
		if (known.low < within_ns)
			truth = TRUTH_UNKNOWN;
	}
	return truth;
}

void judge_herd(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const int64_t max = expectation->value.herd.max;
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n = herd_attempts(&ctx->history, expectation, &attempts);
	struct herd herd = herd_measure(attempts, n, expectation->value.herd.within_ns);
	int64_t peak = (int64_t)herd.peak;
	enum truth truth;

	assessment_set(ctx, expectation, .expected = limit_text(expectation),
		       .actual = peak_text(&herd),
		       .attempt = herd.peak > 0 ? attempts[herd.first] : NULL);
	truth = truth_of_herd(ctx, attempts, n, expectation);
	if (truth == TRUTH_MET)
		return;
	findings_add_truth(
		ctx, truth, NULL, .expectation = expectation, .expected = limit_text(expectation),
		.actual = peak_text(&herd),
		.miss = count_miss_text((struct range){peak, peak}, (struct range){0, max}),
		.attempt = peak > max ? attempts[herd.first + (size_t)max] : NULL);
}
