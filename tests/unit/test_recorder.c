/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How events get into a record: their times, what is merged, and what is left out. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/sandbox/recorder.h"

TestSuite(recorder, .timeout = 60);

struct fixture {
	struct recorder recorder;
	int64_t reported_ns[16];
	size_t n_reported, n_full;
};

static uint32_t instance_of(void *userdata, const struct attempt_info *attempt)
{
	return 0;
}

static void on_event(void *userdata, const struct event *event)
{
	struct fixture *fixture = userdata;

	cr_assert_lt(fixture->n_reported, ARRAY_SIZE(fixture->reported_ns));
	fixture->reported_ns[fixture->n_reported++] = event->at_ns;
}

static void on_full(void *userdata)
{
	((struct fixture *)userdata)->n_full++;
}

static void begin(struct fixture *fixture)
{
	*fixture = (struct fixture){
		.recorder =
			{
				.n_instances = 1,
				.instance_of = instance_of,
				.on_event = on_event,
				.on_full = on_full,
				.userdata = fixture,
			},
	};
	recorder_reset(&fixture->recorder);
}

static void syn(struct fixture *fixture, uint32_t attempt, uint32_t ordinal)
{
	const struct injector_event event = {
		.kind = EVENT_SYN,
		.at_ns = clock_monotonic_ns(),
		.attempt = {.id = attempt},
		.net.ordinal = ordinal,
	};

	recorder_injector_event(&fixture->recorder, &event);
}

Test(recorder, gives_negative_times_to_what_comes_before_the_client)
{
	struct fixture fixture;
	AUTO_RECORD struct record *record = NULL;

	begin(&fixture);
	record = fixture.recorder.record;
	recorder_output(&fixture.recorder, 2, 5, 0);
	cr_expect_eq(fixture.n_reported, 0, "its time is not known yet");
	recorder_start(&fixture.recorder);
	recorder_output(&fixture.recorder, 0, 7, 0);

	cr_assert_eq(record->n_events, 2);
	cr_expect_lt(record->events[0].at_ns, 0);
	cr_expect_gt(record->events[0].at_ns, -10 * NS_PER_S, "not the machine's uptime");
	cr_expect_geq(record->events[1].at_ns, 0);
	cr_assert_eq(fixture.n_reported, 2);
	cr_expect_eq(fixture.reported_ns[0], record->events[0].at_ns);
	cr_expect_eq(fixture.reported_ns[1], record->events[1].at_ns);
}

Test(recorder, reports_events_of_a_client_that_never_starts)
{
	struct fixture fixture;
	AUTO_RECORD struct record *record = NULL;

	begin(&fixture);
	record = fixture.recorder.record;
	recorder_output(&fixture.recorder, 2, 5, 0);
	recorder_finish(&fixture.recorder);
	cr_expect_eq(fixture.n_reported, 1);
	cr_expect(record->complete);
}

Test(recorder, merges_writes_in_quick_succession)
{
	struct fixture fixture;
	AUTO_RECORD struct record *record = NULL;

	begin(&fixture);
	record = fixture.recorder.record;
	recorder_start(&fixture.recorder);
	recorder_output(&fixture.recorder, 0, 3, 0);
	record->events[0].at_ns = recorder_now_ns(&fixture.recorder);
	recorder_output(&fixture.recorder, 0, 4, 0);
	recorder_output(&fixture.recorder, 1, 5, 0);
	recorder_output(&fixture.recorder, 1, 0, 0);

	cr_assert_eq(record->n_events, 2);
	cr_expect_eq(record->events[0].u.output.length, 7);
	cr_expect_eq(record->events[1].u.output.stream, 1);
	cr_expect_eq(record->events[1].u.output.length, 5);
}

Test(recorder, counts_attempts_beyond_the_limit)
{
	struct fixture fixture;
	AUTO_RECORD struct record *record = NULL;

	begin(&fixture);
	record = fixture.recorder.record;
	fixture.recorder.max_attempts = 2;
	recorder_start(&fixture.recorder);
	for (uint32_t attempt = 0; attempt < 5; attempt++) {
		syn(&fixture, attempt, 1);
		syn(&fixture, attempt, 2);
	}
	recorder_finish(&fixture.recorder);

	cr_expect_eq(record->n_attempts, 2);
	cr_expect_eq(record->n_events, 4);
	cr_expect_eq(fixture.n_full, 1);
	cr_assert_eq(record->n_problems, 1);
	cr_expect(strstr(record->problems[0].message, "3 attempts after the first 2"));
}
