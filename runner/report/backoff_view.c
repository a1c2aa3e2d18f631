/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits beside what was expected of them: see backoff_view.h. */
#include "runner/report/backoff_view.h"

#include "runner/judge/backoff.h"
#include "runner/scenario/policy_bounds.h"

static void measure(struct backoff_view *view, const struct attempt_group *group, size_t from,
		    size_t to, bool start_to_start)
{
	const struct attempt_history *before = group->attempts[from];

	*view = (struct backoff_view){
		.there = true, .start_to_start = start_to_start, .previous = before->id};
	view->from_ns = start_to_start ? before->started_ns : before->over_ns;
	view->open = !attempt_wait(group, from, to, start_to_start, &view->length_ns);
	if (view->open)
		view->from_ns = 0;
}

/* Compares a wait with what the expectation allows. */
static void compare(struct backoff_view *view, const struct expectation *expectation,
		    const struct attempt_group *group, const struct policy_wait *wait, double scale)
{
	bool plain;
	struct time_bounds bounds = policy_wait_bounds(expectation, group, wait, scale, &plain);

	if (bounds.exact.low < 0)
		return; /* beyond the end of a list, nothing is allowed */
	view->judged = true;
	view->allowed = tolerance_apply(bounds.exact, &bounds.tolerance, scale);
	if (!view->open)
		view->miss_ns = time_miss(&bounds, view->length_ns);
}

static void apply(struct backoff_view *views, const struct record *record,
		  const struct attempt_group *group, const struct expectation *expectation,
		  double scale)
{
	AUTO_FREE struct policy_wait *waits = NULL;
	size_t n = policy_waits(record, &expectation->value.policy, group, &waits);

	/* There is no backoff before the first attempt. */
	if (group->n_attempts > 0 && !views[group->attempts[0]->id].judged)
		views[group->attempts[0]->id].there = false;
	for (size_t i = 0; i < n; i++) {
		const struct attempt_history *after = group->attempts[waits[i].to];
		struct backoff_view *view = &views[after->id];

		/* Reports show only one: backoff before attempt-delay, the first of its kind. */
		if (view->judged)
			continue;
		measure(view, group, waits[i].from, waits[i].to,
			expectation->kind == EXPECT_ATTEMPT_DELAY);
		compare(view, expectation, group, &waits[i], scale);
	}
}

/* Without an expectation, measures since the previous attempt at any endpoint. */
static void measure_all(struct backoff_view *views, const struct history *history)
{
	struct attempt_groups groups = attempt_groups_make(history, ALL_ENDPOINTS);

	for (size_t i = 0; i < groups.n_groups; i++)
		for (size_t k = 1; k < groups.groups[i].n_attempts; k++)
			measure(&views[groups.groups[i].attempts[k]->id], &groups.groups[i], k - 1,
				k, false);
	attempt_groups_free(&groups);
}

struct backoff_view *backoff_views_make(const struct scenario *scenario,
					const struct history *history, double scale)
{
	static const enum expectation_kind kinds[] = {EXPECT_BACKOFF, EXPECT_ATTEMPT_DELAY};
	struct backoff_view *views = xzalloc((history->n_attempts + 1) * sizeof(*views));

	measure_all(views, history);
	for (size_t kind = 0; scenario && kind < ARRAY_SIZE(kinds); kind++) {
		for (size_t i = 0; i < scenario->n_expectations; i++) {
			const struct expectation *expectation = &scenario->expectations[i];
			struct attempt_groups groups;

			if (expectation->kind != kinds[kind])
				continue;
			groups = attempt_groups_make(history, expectation->endpoint);
			for (size_t k = 0; k < groups.n_groups; k++)
				apply(views, history->record, &groups.groups[k], expectation,
				      scale > 0 ? scale : 1);
			attempt_groups_free(&groups);
		}
	}
	return views;
}
