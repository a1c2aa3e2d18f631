/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits beside what was expected of them: see wait_view.h. */
#include "runner/report/wait_view.h"

#include "runner/judge/waits.h"

/* As in judgement: two clocks may disagree by so much. */
#define INSTANT_NS NS_PER_MS

static void measure(struct wait_view *view, const struct attempt_history *before,
		    const struct attempt_history *after, bool interval)
{
	*view = (struct wait_view){.there = true, .interval = interval, .previous = before->id};
	view->open = !interval && before->over_ns == INT64_MAX;
	if (view->open)
		return;
	view->from_ns = interval ? before->started_ns : before->over_ns;
	view->length_ns = after->started_ns - view->from_ns;
	if (view->length_ns < 0 && view->length_ns >= -INSTANT_NS)
		view->length_ns = 0;
}

/* What the expectation says of wait number @k. */
static void compare(struct wait_view *view, const struct expectation *expectation, size_t k,
		    double scale)
{
	static const struct tolerance none = {0};
	const struct policy *policy = &expectation->value.policy;
	struct range exact = policy_wait(policy, k);
	bool range = policy->kind == POLICY_LIST && exact.low < exact.high;
	const struct tolerance *tolerance = range ? &none : &expectation->tolerance;

	if (exact.low < 0)
		return; /* beyond the end of a list: no such wait is allowed, whatever its length */
	view->judged = true;
	view->allowed = tolerance_apply(exact, tolerance, scale);
	view->expected = policy_wait_text(exact, tolerance, scale);
	if (view->open)
		return;
	if (view->length_ns < view->allowed.low)
		view->miss_ns = view->length_ns - view->allowed.low;
	else if (view->length_ns > view->allowed.high)
		view->miss_ns = view->length_ns - view->allowed.high;
}

static void apply(struct wait_view *views, const struct history *history,
		  const struct expectation *expectation, double scale)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n = history_of(history, expectation->endpoint, &attempts);

	for (size_t k = 1; k < n; k++) {
		struct wait_view *view = &views[attempts[k]->id];

		/* Waits before intervals, the first of each kind: one bar is drawn for each. */
		if (view->judged)
			continue;
		measure(view, attempts[k - 1], attempts[k], expectation->kind == EXPECT_INTERVALS);
		compare(view, expectation, k, scale);
	}
}

struct wait_view *wait_views_make(const struct scenario *scenario, const struct history *history,
				  double scale)
{
	static const enum expectation_kind kinds[] = {EXPECT_WAITS, EXPECT_INTERVALS};
	struct wait_view *views = xzalloc((history->n_attempts + 1) * sizeof(*views));

	for (size_t i = 1; i < history->n_attempts; i++)
		measure(&views[i], &history->attempts[i - 1], &history->attempts[i], false);
	for (size_t kind = 0; scenario && kind < ARRAY_SIZE(kinds); kind++)
		for (size_t i = 0; i < scenario->n_expectations; i++)
			if (scenario->expectations[i].kind == kinds[kind])
				apply(views, history, &scenario->expectations[i],
				      scale > 0 ? scale : 1);
	return views;
}

void wait_views_free(struct wait_view *views, size_t n_views)
{
	for (size_t i = 0; i < n_views; i++)
		free(views[i].expected);
	free(views);
}
