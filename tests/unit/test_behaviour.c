/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of the expectations on behaviour, each on thousands of generated runs whose right
 * answer is known from how they were made, or counted in the simplest way. Everything is drawn from
 * the number of the run.
 */
#include <criterion/criterion.h>

#include "common/random.h"
#include "tests/lib/record_builder.h"

/* Attempts that overlap by less count as one after the other. */
enum { RESOLUTION_MS = 1 };

TestSuite(behaviour);

#define RUNS 2000
#define MS   NS_PER_MS

struct dice {
	uint64_t run, n_drawn;
};

static int64_t roll(struct dice *dice, int64_t low, int64_t high)
{
	return random_between(random_draw(2031, dice->run, dice->n_drawn++, 0), low, high);
}

/* The outcome is fail with a first finding about @attempt (UINT32_MAX: any), or pass. */
static void expect_verdict(const struct record_builder *b, uint64_t run, bool pass,
			   const char *type, uint32_t attempt)
{
	struct judgement judgement = record_builder_judge(b);
	const struct finding *first = judgement.n_findings > 0 ? judgement.findings : NULL;

	cr_assert_eq(judgement.outcome, pass ? OUTCOME_PASS : OUTCOME_FAIL, "run %ju: %s: %s",
		     (uintmax_t)run, outcome_name(judgement.outcome),
		     first ? first->message : "no finding");
	if (!pass) {
		cr_assert_str_eq(first->type, type, "run %ju: %s", (uintmax_t)run, first->message);
		if (attempt != UINT32_MAX)
			cr_assert_eq(first->attempt, attempt, "run %ju: %s", (uintmax_t)run,
				     first->message);
	}
	judgement_free(&judgement);
}

static struct expectation *expect_range(struct record_builder *b, enum expectation_kind kind,
					int64_t low, int64_t high)
{
	struct expectation *expectation = record_builder_expect(b, kind, ALL_ENDPOINTS);

	expectation->value.range.range = (struct range){low, high};
	return expectation;
}

Test(behaviour, connect_timeout_is_that_of_each_unanswered_attempt)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		size_t api = record_builder_endpoint(b, "api", "drop");
		int64_t low_ms = roll(&dice, 1, 3000), high_ms = low_ms + roll(&dice, 0, 500);
		int64_t n = roll(&dice, 1, 8), wrong = roll(&dice, -8, n - 1), at_ms = 0;

		for (int64_t i = 0; i < n; i++) {
			int64_t took_ms = roll(&dice, low_ms, high_ms);

			if (i == wrong)
				took_ms = roll(&dice, 0, 1) ? high_ms + roll(&dice, 1, 1000)
							    : roll(&dice, 0, low_ms - 1);
			record_builder_attempt_dropped(b, api, at_ms, at_ms + took_ms);
			at_ms += took_ms + roll(&dice, 1, 500);
		}
		record_builder_client_exits(b, at_ms, 0);
		expect_range(b, EXPECT_CONNECT_TIMEOUT, low_ms * MS, high_ms * MS);
		expect_verdict(b, run, wrong < 0, "connect-timeout", (uint32_t)wrong);
	}
}

Test(behaviour, connect_timeout_needs_an_attempt_that_was_given_up)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");

	record_builder_attempt_connected(b, api, 0);
	record_builder_client_exits(b, 10, 0);
	expect_range(b, EXPECT_CONNECT_TIMEOUT, 0, 1000 * MS);
	expect_verdict(b, 0, false, "connect-timeout", UINT32_MAX);
}

Test(behaviour, giving_up_by_time_and_by_number)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		size_t api = record_builder_endpoint(b, "api", "refuse");
		int64_t after_ms = roll(&dice, 100, 5000), most = roll(&dice, 1, 10);
		int64_t n = roll(&dice, 1, 12), at_ms = roll(&dice, 0, 100), first_ms = at_ms;
		uint32_t broke = UINT32_MAX;
		struct expectation *expectation;

		for (int64_t i = 0; i < n; i++) {
			if (i == most ||
			    (at_ms - first_ms > after_ms && broke == UINT32_MAX && n <= most))
				broke = (uint32_t)i;
			record_builder_attempt_refused(b, api, at_ms);
			at_ms += roll(&dice, 1, 900);
		}
		record_builder_client_exits(b, at_ms, 0);
		expectation = record_builder_expect(b, EXPECT_GIVES_UP, api);
		expectation->value.gives_up.after_ns = after_ms * MS;
		expectation->value.gives_up.attempts = most;
		expect_verdict(b, run, broke == UINT32_MAX, "gives-up",
			       n > most ? (uint32_t)most : broke);
	}
}

Test(behaviour, no_attempt_after_the_end)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_client_exits(b, 100, 1);
	record_builder_attempt_refused(b, api, 150);
	record_builder_expect(b, EXPECT_GIVES_UP, api)->value.gives_up.after_ns = 1000 * MS;
	expect_verdict(b, 0, false, "gives-up", 1);
}

/* Refused attempts at random endpoints: in which order they were tried first is simple to see. */
Test(behaviour, order_is_that_of_first_attempts)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		int64_t first[3] = {INT64_MAX, INT64_MAX, INT64_MAX}, n = roll(&dice, 1, 9);
		struct target *targets = xzalloc(3 * sizeof(*targets));
		struct expectation *expectation;
		bool good;

		for (int64_t i = 0; i < 3; i++) {
			record_builder_endpoint(b, (const char *[]){"a", "b", "c"}[i], "refuse");
			targets[i] = (struct target){(size_t)i, N_FAMILIES};
		}
		for (int64_t i = 0; i < n; i++) {
			size_t endpoint = (size_t)roll(&dice, 0, 2);

			record_builder_attempt_refused(b, endpoint, 10 * i);
			first[endpoint] = MIN(first[endpoint], i);
		}
		record_builder_expect_attempts(b, ALL_ENDPOINTS, 0, n);
		for (size_t i = 0; i < 3; i++)
			record_builder_expect_attempts(b, i, 0, first[i] == INT64_MAX ? 0 : n);
		record_builder_client_exits(b, 1000, 0);
		expectation = record_builder_expect(b, EXPECT_ORDER, ALL_ENDPOINTS);
		expectation->value.order.targets = targets;
		expectation->value.order.n_targets = 3;
		good = first[0] < first[1] && first[1] < first[2] && first[2] != INT64_MAX;
		expect_verdict(b, run, good, "order", UINT32_MAX);
	}
}

Test(behaviour, a_backup_comes_after_a_failure)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		bool fails = roll(&dice, 0, 1), before = roll(&dice, 0, 3) == 0;
		size_t api = record_builder_endpoint(b, "api", fails ? "drop" : "accept");
		size_t backup = record_builder_endpoint(b, "backup", "accept");
		int64_t ended_ms = roll(&dice, 100, 900);
		struct target *targets = xzalloc(2 * sizeof(*targets));
		struct expectation *expectation;

		targets[0] = (struct target){api, N_FAMILIES};
		targets[1] = (struct target){backup, N_FAMILIES};
		if (fails)
			record_builder_attempt_dropped(b, api, 0, ended_ms);
		else
			record_builder_attempt_connected(b, api, 0);
		record_builder_attempt_connected(
			b, backup,
			before ? roll(&dice, 1, ended_ms - RESOLUTION_MS - 1)
			       : ended_ms + roll(&dice, 0, 99));
		record_builder_client_exits(b, 2000, 0);
		expectation = record_builder_expect(b, EXPECT_ORDER, ALL_ENDPOINTS);
		expectation->value.order.targets = targets;
		expectation->value.order.n_targets = 2;
		expectation->value.order.after_failure = true;
		expect_verdict(b, run, fails && !before, "order", 1);
	}
}

Test(behaviour, fallback_is_from_first_syn_to_first_syn)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		size_t api = record_builder_endpoint(b, "api", "accept");
		size_t backup = record_builder_endpoint(b, "backup", "accept");
		int64_t n = roll(&dice, 1, 4), gap_ms = roll(&dice, 40, 1000);
		int64_t low_ms = roll(&dice, 0, 500), high_ms = low_ms + roll(&dice, 0, 500);
		bool there = roll(&dice, 0, 5) > 0;
		struct expectation *expectation;

		for (int64_t i = 0; i < n; i++)
			record_builder_attempt_connected(b, api, 5 + 10 * i);
		if (there)
			record_builder_attempt_connected(b, backup, 5 + gap_ms);
		record_builder_client_exits(b, 2000, 0);
		expectation = record_builder_expect(b, EXPECT_FALLBACK, ALL_ENDPOINTS);
		expectation->value.fallback.from = (struct target){api, N_FAMILIES};
		expectation->value.fallback.to = (struct target){backup, N_FAMILIES};
		expectation->value.fallback.within = (struct range){low_ms * MS, high_ms * MS};
		expect_verdict(b, run, there && gap_ms >= low_ms && gap_ms <= high_ms, "fallback",
			       there ? (uint32_t)n : UINT32_MAX);
	}
}

Test(behaviour, concurrent_attempts_are_the_largest_number_open_at_any_start)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		size_t api = record_builder_endpoint(b, "api", "drop");
		int64_t n = roll(&dice, 1, 10), starts[10], ends[10], at_ms = 0, last_ms = 0;
		int64_t most = roll(&dice, 1, 6), peak = 0, broke = -1;

		for (int64_t i = 0; i < n; i++) {
			int64_t open = 1;

			at_ms += roll(&dice, 0, 300);
			starts[i] = at_ms;
			ends[i] = at_ms + roll(&dice, 10, 900);
			last_ms = MAX(last_ms, ends[i]);
			for (int64_t k = 0; k < i; k++)
				open += ends[k] - RESOLUTION_MS > starts[i] ||
					starts[k] == starts[i];
			if (open > most && broke < 0)
				broke = i;
			peak = MAX(peak, open);
		}
		for (int64_t i = 0; i < n; i++)
			record_builder_attempt_dropped(b, api, starts[i], ends[i]);
		record_builder_client_exits(b, last_ms, 0);
		expect_range(b, EXPECT_CONCURRENT_ATTEMPTS, 0, most);
		expect_verdict(b, run, peak <= most, "concurrent-attempts", (uint32_t)broke);
	}
}

/*
 * The end of the first attempt is noted 300 ms after its SYN. The second attempt begins this much
 * earlier: are they concurrent, or one after the other?
 */
static void expect_overlap(int64_t earlier_ms, bool overlap)
{
	enum { END_MS = 300 };
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop, refuse");

	record_builder_attempt_dropped(b, api, 0, END_MS);
	record_builder_attempt_refused(b, api, END_MS - earlier_ms);
	record_builder_client_exits(b, END_MS + 3000, 0);
	expect_range(b, EXPECT_CONCURRENT_ATTEMPTS, 0, 1);
	expect_verdict(b, (uint64_t)earlier_ms, !overlap, "concurrent-attempts",
		       overlap ? 1 : UINT32_MAX);
}

Test(behaviour, concurrent_attempts_have_a_resolution)
{
	expect_overlap(RESOLUTION_MS - 1, false);
	expect_overlap(RESOLUTION_MS + 1, true);
}

Test(behaviour, leaks_are_sockets_that_are_open_when_the_next_attempt_starts)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		size_t api = record_builder_endpoint(b, "api", "drop");
		int64_t n = roll(&dice, 1, 8), n_leaks = 0, at_ms = 0, most = roll(&dice, 0, 2);

		for (int64_t i = 0; i < n; i++) {
			int64_t next_ms = at_ms + roll(&dice, 200, 900);
			bool leaks = i + 1 < n && roll(&dice, 0, 2) == 0;

			n_leaks += leaks;
			/* Side by side for a while, and each closed: no leak. */
			if (leaks)
				record_builder_attempt_left_open(b, api, at_ms);
			else
				record_builder_attempt_dropped(b, api, at_ms,
							       next_ms - roll(&dice, -40, 100));
			at_ms = next_ms;
		}
		record_builder_client_exits(b, at_ms + 100, 0);
		expect_range(b, EXPECT_LEAKS, 0, most);
		expect_verdict(b, run, n_leaks <= most, "leaks", UINT32_MAX);
	}
}

/*
 * The death of a connection says nothing, since the kernel keeps the socket: a look must have seen
 * it.
 */
Test(behaviour, leaks_are_connections_that_are_held_when_the_client_has_ended)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		size_t api = record_builder_endpoint(b, "api", "accept");
		int64_t n = roll(&dice, 1, 8), n_leaks = 0, most = roll(&dice, 0, 2);
		int64_t exit_ms = 100 * n + 100;
		uint32_t first = UINT32_MAX;
		bool looked[8][2];

		for (int64_t i = 0; i < n; i++) {
			record_builder_attempt_connected(b, api, 100 * i);
			looked[i][0] = roll(&dice, 0, 1); /* too early to be a leak */
			looked[i][1] = roll(&dice, 0, 3) == 0;
			n_leaks += looked[i][1];
			if (looked[i][1] && n_leaks == most + 1)
				first = (uint32_t)i;
		}
		record_builder_client_exits(b, exit_ms, 0);
		for (int look = 0; look < 2; look++)
			for (int64_t i = 0; i < n; i++)
				if (looked[i][look])
					record_builder_still_open(b, (uint32_t)i,
								  exit_ms + (look ? 1000 : 1));
		expect_range(b, EXPECT_LEAKS, 0, most);
		expect_verdict(b, run, n_leaks <= most, "leaks", first);
	}
}

/* The client gave up, but a process that it left behind did not. */
Test(behaviour, a_socket_of_an_attempt_after_the_clients_end_is_a_leak_too)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");

	record_builder_attempt_dropped(b, api, 0, 90);
	record_builder_client_exits(b, 100, 0);
	record_builder_attempt_dropped(b, api, 200, 1100);
	expect_range(b, EXPECT_LEAKS, 0, 0);
	expect_verdict(b, 0, false, "leaks", 1);
}

Test(behaviour, a_reset_connection_leaks_when_it_is_open_at_the_next_attempt)
{
	for (int leaks = 0; leaks < 2; leaks++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "reset after accept");
		uint32_t id = record_builder_attempt(b, api);

		record_builder_syn(b, id, 1, 0);
		record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 0);
		record_builder_established(b, id, 1);
		record_add_event(b->record,
				 &(struct event){.kind = EVENT_FAULT,
						 .at_ns = 10 * NS_PER_MS,
						 .u.net = {.attempt = id, .fault = FAULT_RESET}});
		if (!leaks)
			record_builder_closed(b, id, 20, 0);
		id = record_builder_attempt(b, api);
		record_builder_syn(b, id, 1, 300);
		record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 300);
		record_builder_established(b, id, 301);
		record_add_event(b->record,
				 &(struct event){.kind = EVENT_FAULT,
						 .at_ns = 310 * NS_PER_MS,
						 .u.net = {.attempt = id, .fault = FAULT_RESET}});
		record_builder_closed(b, id, 320, 0);
		if (leaks)
			record_builder_closed(b, 0, 400, 0);
		record_builder_client_exits(b, 500, 0);
		expect_range(b, EXPECT_LEAKS, 0, 0);
		expect_verdict(b, (uint64_t)leaks, !leaks, "leaks", leaks ? 0 : UINT32_MAX);
	}
}

Test(behaviour, retry_on_lists_what_a_client_retries_after)
{
	static const struct {
		const char *step;
		enum ending ending;
	} kinds[] = {{"refuse", ENDING_REFUSED},
		     {"drop", ENDING_UNANSWERED},
		     {"accept", ENDING_CONNECTED}};

	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		AUTO_STRBUF struct strbuf script = {0};
		int64_t n = roll(&dice, 1, 6), kind[6], at_ms = 0;
		unsigned endings = (unsigned)roll(&dice, 0, (1 << ENDING_N_KINDS) - 1);
		uint32_t broke = UINT32_MAX;
		size_t api;

		for (int64_t i = 0; i < n; i++) {
			kind[i] = roll(&dice, 0, 2);
			strbuf_printf(&script, "%s%s", i > 0 ? ", " : "", kinds[kind[i]].step);
			if (i > 0 && broke == UINT32_MAX &&
			    !(endings & (1u << kinds[kind[i - 1]].ending)))
				broke = (uint32_t)i;
		}
		api = record_builder_endpoint(b, "api", strbuf_text(&script));
		for (int64_t i = 0; i < n; i++, at_ms += 500) {
			if (kinds[kind[i]].ending == ENDING_REFUSED)
				record_builder_attempt_refused(b, api, at_ms);
			else if (kinds[kind[i]].ending == ENDING_UNANSWERED)
				record_builder_attempt_dropped(b, api, at_ms, at_ms + 100);
			else
				record_builder_attempt_connected(b, api, at_ms);
		}
		record_builder_client_exits(b, at_ms, 0);
		record_builder_expect(b, EXPECT_RETRY_ON, ALL_ENDPOINTS)->value.endings = endings;
		expect_verdict(b, run, broke == UINT32_MAX, "retry-on", broke);
	}
}

Test(behaviour, total_backoff_is_the_sum_of_all_waits)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		size_t api = record_builder_endpoint(b, "api", "drop");
		int64_t n = roll(&dice, 1, 8), at_ms = 0, total_ms = 0;
		int64_t low_ms = roll(&dice, 0, 3000), high_ms = low_ms + roll(&dice, 0, 3000);

		for (int64_t i = 0; i < n; i++) {
			int64_t took_ms = roll(&dice, 10, 900), wait_ms = roll(&dice, 5, 900);

			record_builder_attempt_dropped(b, api, at_ms, at_ms + took_ms);
			at_ms += took_ms + wait_ms;
			total_ms += i + 1 < n ? wait_ms : 0;
		}
		record_builder_client_exits(b, at_ms, 0);
		expect_range(b, EXPECT_TOTAL_BACKOFF, low_ms * MS, high_ms * MS);
		expect_verdict(b, run, total_ms >= low_ms && total_ms <= high_ms, "total-backoff",
			       UINT32_MAX);
	}
}

/* Instances side by side: each keeps to the policy, though their attempts are mixed. */
static struct record_builder *instances(struct dice *dice, enum jitter_kind jitter, bool same_seed,
					uint32_t n_instances)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct expectation *expectation = record_builder_expect(b, EXPECT_BACKOFF, api);
	uint64_t seed = (uint64_t)roll(dice, 0, 1000000);

	b->record->n_instances = n_instances;
	b->scenario->n_clients = n_instances;
	b->scenario->timeout_ns = DURATION_MAX_NS;
	for (uint32_t instance = 0; instance < n_instances; instance++) {
		int64_t at_ms = roll(dice, 0, 50), wait_ms = 1000;

		for (int64_t k = 0; k < 4; k++, wait_ms *= 2) {
			uint32_t id = record_builder_attempt_refused(b, api, at_ms);
			uint64_t draw = random_draw(seed, same_seed ? 0 : instance, (uint64_t)k, 7);

			b->record->attempts[id].instance = instance;
			at_ms += jitter == JITTER_FULL ? random_between(draw, 0, wait_ms) : wait_ms;
		}
	}
	expectation->value.policy = (struct policy){.kind = POLICY_EXPONENTIAL,
						    .base_ns = 1000 * MS,
						    .factor = 2,
						    .cap_ns = INT64_MAX,
						    .jitter = JITTER_FULL};
	expectation->tolerance = (struct tolerance){.absolute_ns = 20 * MS};
	return b;
}

static void finish_copies(struct record_builder *b)
{
	struct record *record = b->record;

	for (uint32_t instance = 0; instance < record->n_instances; instance++) {
		record_builder_client_exits(b, 20000, 1);
		record->events[record->n_events - 1].u.exit.instance = instance;
	}
	while (record->n_streams < (size_t)2 * record->n_instances) {
		record->streams =
			xrealloc(record->streams, (record->n_streams + 1) * sizeof(struct stream));
		record->streams[record->n_streams++] = (struct stream){
			.name = xstrdup("more"), .head = xstrdup(""), .tail = xstrdup("")};
	}
}

Test(behaviour, jitter_of_many_instances_has_to_be_jitter)
{
	for (uint64_t run = 0; run < RUNS / 10; run++) {
		struct dice dice = {.run = run};
		AUTO_RECORD_BUILDER struct record_builder *fair =
			instances(&dice, JITTER_FULL, false, 12);
		AUTO_RECORD_BUILDER struct record_builder *same =
			instances(&dice, JITTER_FULL, true, 12);
		AUTO_RECORD_BUILDER struct record_builder *none =
			instances(&dice, JITTER_NONE, false, 12);

		finish_copies(fair);
		finish_copies(same);
		finish_copies(none);
		expect_verdict(fair, run, true, NULL, 0);
		expect_verdict(same, run, false, "backoff", UINT32_MAX);
		expect_verdict(none, run, false, "backoff", UINT32_MAX);
	}
}
