/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows that hold many attempts, found and judged. */
#include <criterion/criterion.h>
#include <sys/wait.h>

#include "common/random.h"
#include "runner/judge/herd.h"
#include "tests/lib/record_builder.h"

/* By looking at every window that begins with an attempt. */
static size_t slow_peak(const struct attempt_history *const *attempts, size_t n, int64_t within_ns)
{
	size_t peak = 0;

	for (size_t i = 0; i < n; i++) {
		size_t count = 0;

		for (size_t k = i; k < n; k++)
			count += attempts[k]->started_ns - attempts[i]->started_ns < within_ns;
		peak = MAX(peak, count);
	}
	return peak;
}

Test(herd, is_the_fullest_window_of_all)
{
	for (uint64_t round = 0; round < 2000; round++) {
		struct attempt_history histories[40] = {0};
		const struct attempt_history *attempts[40];
		size_t n = (size_t)random_between(random_draw(1, round, 0, 0), 0,
						  ARRAY_SIZE(histories));
		int64_t within_ns = random_between(random_draw(1, round, 1, 0), 1, 50), at_ns = 0;
		struct herd herd;

		for (size_t i = 0; i < n; i++) {
			at_ns += random_between(random_draw(1, round, 2, i), 0, 11);
			histories[i].started_ns = at_ns;
			attempts[i] = &histories[i];
		}
		herd = herd_measure(attempts, n, within_ns);
		cr_assert_eq(herd.peak, slow_peak(attempts, n, within_ns), "round %d", (int)round);
		if (n == 0)
			continue;
		cr_assert_eq(herd.from_ns, attempts[herd.first]->started_ns);
		cr_assert_eq(herd.until_ns, attempts[herd.first + herd.peak - 1]->started_ns);
		cr_assert_lt(herd.until_ns - herd.from_ns, within_ns);
	}
}

static struct expectation *expect_herd(struct record_builder *b, int64_t max, int64_t within_ms)
{
	struct expectation *expectation = record_builder_expect(b, EXPECT_HERD, ALL_ENDPOINTS);

	expectation->value.herd.max = max;
	expectation->value.herd.within_ns = within_ms * NS_PER_MS;
	return expectation;
}

/* Three clients at once, and again a second later, less close together. */
static struct record_builder *three_clients(void)
{
	static const int64_t at_ms[] = {0, 10, 20, 1000, 1100, 1200};
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	for (uint32_t i = 0; i < ARRAY_SIZE(at_ms); i++) {
		uint32_t id = record_builder_attempt_refused(b, api, at_ms[i]);

		b->record->attempts[id].instance = i % 3;
	}
	record_builder_client_exits(b, 1300, 1);
	return b;
}

static void expect_outcome(struct record_builder *b, enum outcome outcome, const char *message)
{
	struct judgement judgement = record_builder_judge(b);

	cr_expect_eq(judgement.outcome, outcome, "%s",
		     judgement.n_findings ? judgement.findings[0].message : "");
	if (message && judgement.n_findings)
		cr_expect(strstr(judgement.findings[0].message, message), "%s",
			  judgement.findings[0].message);
	judgement_free(&judgement);
}

Test(herd, of_as_many_as_allowed_passes)
{
	AUTO_RECORD_BUILDER struct record_builder *b = three_clients();

	expect_herd(b, 3, 500);
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(herd, that_is_larger_fails_with_what_was_measured)
{
	AUTO_RECORD_BUILDER struct record_builder *b = three_clients();

	expect_herd(b, 2, 500);
	expect_outcome(b, OUTCOME_FAIL,
		       "herd: expected at most 2 attempts within 500 ms, got 3 in 20.0 ms, from "
		       "0 on, 1 too many");
}

Test(herd, ends_just_before_the_windows_length)
{
	AUTO_RECORD_BUILDER struct record_builder *b = three_clients();

	expect_herd(b, 2, 20);
	expect_outcome(b, OUTCOME_PASS, NULL);
}

/* Starting together is not the client's fault. */
Test(herd, of_retries_leaves_out_each_copys_first_attempt)
{
	AUTO_RECORD_BUILDER struct record_builder *b = three_clients();

	b->record->n_instances = 3;
	expect_herd(b, 1, 100)->value.herd.retries = true;
	for (uint32_t instance = 1; instance < 3; instance++) {
		record_add_event(b->record,
				 &(struct event){.kind = EVENT_EXIT,
						 .at_ns = 1300 * NS_PER_MS,
						 .u.exit = {instance, W_EXITCODE(1, 0)}});
	}
	b->record->streams = xrealloc(b->record->streams, 6 * sizeof(*b->record->streams));
	for (; b->record->n_streams < 6; b->record->n_streams++)
		stream_writer_finish(stream_writer_new("stdout.2"),
				     &b->record->streams[b->record->n_streams]);
	expect_outcome(b, OUTCOME_PASS, NULL);
	expect_herd(b, 1, 101)->value.herd.retries = true;
	expect_outcome(b, OUTCOME_FAIL, "at most 1 retry within 101 ms, got 2 in 100 ms");
}
