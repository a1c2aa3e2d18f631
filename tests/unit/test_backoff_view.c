/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits as reports show them, beside what is allowed: they must be the waits that were judged. */
#include <criterion/criterion.h>

#include "runner/report/backoff_view.h"
#include "tests/lib/record_builder.h"

#define MS(n) ((n)*NS_PER_MS)

static struct expectation *expect_decorrelated(struct record_builder *b)
{
	struct expectation *expectation =
		record_builder_expect_fixed(b, EXPECT_BACKOFF, ALL_ENDPOINTS, 1000);

	expectation->value.policy = (struct policy){.kind = POLICY_EXPONENTIAL,
						    .base_ns = MS(1000),
						    .factor = 3,
						    .cap_ns = MS(10000),
						    .jitter = JITTER_DECORRELATED};
	expectation->tolerance = (struct tolerance){0};
	return expectation;
}

/* Attempts at these times; instances take turns. The waits are a tenth of a ms shorter than that.
 */
static struct record_builder *attempts_at(uint32_t n_instances, size_t n, const int64_t at_ms[])
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	b->record->n_instances = n_instances;
	for (size_t i = 0; i < n; i++) {
		record_builder_attempt_refused(b, api, at_ms[i]);
		b->record->attempts[i].instance = (uint32_t)i % n_instances;
	}
	return b;
}

Test(backoff_view, decorrelated_backoff_is_bounded_by_the_previous_one)
{
	static const int64_t at_ms[] = {0, 2500, 9000, 20000};
	AUTO_RECORD_BUILDER struct record_builder *b = attempts_at(1, ARRAY_SIZE(at_ms), at_ms);
	struct history history = history_make(b->record);
	struct backoff_view *views;

	expect_decorrelated(b);
	views = backoff_views_make(b->scenario, &history, 1);
	cr_expect(!views[0].there);
	cr_expect(views[1].judged && views[1].miss_ns == 0);
	cr_expect_eq(views[1].allowed.high, MS(3000));
	cr_expect_eq(views[2].miss_ns, 0, "6.5 s after 2.5 s miss by %ld", (long)views[2].miss_ns);
	cr_expect(views[2].allowed.high > MS(7490) && views[2].allowed.high <= MS(7500));
	cr_expect_eq(views[3].allowed.high, MS(10000));
	cr_expect(views[3].miss_ns > MS(990) && views[3].miss_ns <= MS(1000));
	free(views);
	history_free(&history);
}

Test(backoff_view, each_instance_of_the_client_has_its_own_backoff)
{
	static const int64_t at_ms[] = {0, 500, 1000, 1500, 2000, 2500};
	AUTO_RECORD_BUILDER struct record_builder *b = attempts_at(2, ARRAY_SIZE(at_ms), at_ms);
	struct history history = history_make(b->record);
	struct backoff_view *views;

	record_builder_expect_list(b, EXPECT_BACKOFF, ALL_ENDPOINTS, 1000, 1000, -1);
	views = backoff_views_make(b->scenario, &history, 1);
	cr_expect(!views[0].there && !views[1].there);
	for (size_t i = 2; i < ARRAY_SIZE(at_ms); i++) {
		cr_expect_eq(views[i].previous, i - 2);
		cr_expect(views[i].judged && views[i].miss_ns == 0, "attempt %zu", i + 1);
	}
	free(views);
	/* An instance made one more attempt, but a list of two has no third wait. */
	b->record->n_instances = 1;
	for (size_t i = 0; i < ARRAY_SIZE(at_ms); i++)
		b->record->attempts[i].instance = 0;
	views = backoff_views_make(b->scenario, &history, 1);
	cr_expect(views[2].judged && views[2].miss_ns < 0);
	cr_expect(views[3].there && !views[3].judged);
	free(views);
	history_free(&history);
}
