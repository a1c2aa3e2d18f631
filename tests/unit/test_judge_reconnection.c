/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of expectations on clients whose connections end: reconnects, stale,
 * concurrent-connections. A simulator compares verdicts on a busy machine with the truth, as
 * test_judge_simulator.c does.
 */
#include <criterion/criterion.h>

#include "common/random.h"
#include "tests/lib/record_builder.h"

TestSuite(judge_reconnection, .timeout = 60);

#define MS NS_PER_MS

/* A connection, by step 2 of the script. */
static uint32_t connection(struct record_builder *b, int64_t at_ms)
{
	uint32_t id = record_builder_attempt(b, 0);

	b->record->attempts[id].step = 1;
	record_builder_syn(b, id, 1, at_ms);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, at_ms);
	record_builder_established(b, id, at_ms);
	return id;
}

static void cut_by(struct record_builder *b, uint32_t id, enum fault_kind kind, int64_t at_ms,
		   uint32_t outage)
{
	record_add_event(
		b->record,
		&(struct event){.kind = EVENT_FAULT,
				.at_ns = at_ms * MS,
				.u.net = {.attempt = id, .fault = kind, .outage = outage}});
}

static void cut(struct record_builder *b, uint32_t id, enum fault_kind kind, int64_t at_ms)
{
	cut_by(b, id, kind, at_ms, 1);
}

static struct record_builder *begin(const char *script)
{
	struct record_builder *b = record_builder_new();

	record_builder_endpoint(b, "api", script);
	return b;
}

static void judge_and_expect(const struct record_builder *b, enum outcome outcome, const char *says)
{
	struct judgement judgement = record_builder_judge(b);
	const char *message = judgement.n_findings ? judgement.findings[0].message : "-";

	cr_expect_eq(judgement.outcome, outcome, "%s: %s", outcome_name(judgement.outcome),
		     message);
	if (says)
		cr_expect(strstr(message, says), "%s", message);
	judgement_free(&judgement);
}

static void expect_reconnects(struct record_builder *b, int64_t low, int64_t high,
			      int64_t within_ms)
{
	struct expectation *expectation = record_builder_expect(b, EXPECT_RECONNECTS, 0);

	expectation->value.reconnects.range = (struct range){low, high};
	expectation->value.reconnects.within_ns = within_ms > 0 ? within_ms * MS : INT64_MAX;
}

static void expect_range(struct record_builder *b, enum expectation_kind kind, int64_t low,
			 int64_t high)
{
	record_builder_expect(b, kind, 0)->value.range.range = (struct range){low, high};
}

/* Two connections that an outage ends at 1 s; one comes back at 1.4 s, and one at 1.6 s. */
static struct record_builder *pool_of_two(void)
{
	struct record_builder *b = begin("down 1s..1200ms ending reset, accept");
	uint32_t first = connection(b, 10), second = connection(b, 12), third, fourth;

	cut(b, first, FAULT_RESET, 1000);
	cut(b, second, FAULT_RESET, 1001);
	record_builder_closed(b, first, 1010, 0);
	record_builder_closed(b, second, 1300, 0);
	third = connection(b, 1400);
	fourth = connection(b, 1600);
	record_builder_client_end(b, third, 2000, false, NEVER_RECEIVED);
	record_builder_client_end(b, fourth, 2000, false, NEVER_RECEIVED);
	record_builder_closed(b, third, 2001, 0);
	record_builder_closed(b, fourth, 2002, 0);
	record_builder_client_exits(b, 2100, 0);
	return b;
}

/* What closed the connection at 1 s is reported at @at_ms; the client's FIN comes at 1.005 s. */
static struct record_builder *closed_with_a_late_report(int64_t at_ms)
{
	struct record_builder *b = begin("down 1s..1200ms ending close, accept");
	uint32_t first = connection(b, 10), second;

	record_builder_client_end(b, first, 1005, false, NEVER_RECEIVED);
	record_builder_closed(b, first, 1005, 0);
	record_add_event(
		b->record,
		&(struct event){.kind = EVENT_FAULT,
				.at_ns = at_ms * MS,
				.early_ns = (at_ms - 1000) * MS,
				.u.net = {.attempt = first, .fault = FAULT_CLOSED, .outage = 1}});
	second = connection(b, 1400);
	record_builder_client_end(b, second, 2000, false, NEVER_RECEIVED);
	record_builder_closed(b, second, 2001, 0);
	record_builder_client_exits(b, 2100, 0);
	return b;
}

Test(judge_reconnection, client_that_answers_before_the_report_of_a_fault_is_not_to_blame)
{
	static const struct {
		int64_t at_ms, low, high;
		enum outcome outcome;
	} cases[] = {
		{1000, 1, 1, OUTCOME_PASS},  {1000, 0, 0, OUTCOME_FAIL},
		{1020, 1, 1, OUTCOME_ERROR}, {1020, 0, 0, OUTCOME_ERROR},
		{1020, 0, 1, OUTCOME_PASS},  {1020, 2, 2, OUTCOME_FAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b =
			closed_with_a_late_report(cases[i].at_ms);

		expect_reconnects(b, cases[i].low, cases[i].high, 0);
		judge_and_expect(b, cases[i].outcome, NULL);
	}
}

Test(judge_reconnection, reconnects_are_counted_and_timed_from_the_last_end)
{
	static const struct {
		int64_t low, high, within_ms;
		enum outcome outcome;
		const char *says;
	} cases[] = {
		{2, 2, 0, OUTCOME_PASS, NULL},        {1, INT64_MAX, 500, OUTCOME_PASS, NULL},
		{2, 2, 400, OUTCOME_PASS, NULL},      {1, 1, 0, OUTCOME_FAIL, "1 too many"},
		{3, 4, 0, OUTCOME_FAIL, "1 too few"}, {2, 2, 300, OUTCOME_FAIL, "too long"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = pool_of_two();

		expect_reconnects(b, cases[i].low, cases[i].high, cases[i].within_ms);
		judge_and_expect(b, cases[i].outcome, cases[i].says);
	}
}

/* Ends @n_right connections, and the client comes back at once each time; then ends one more. */
static struct record_builder *ends_after(int n_right, int64_t closed_ms, int64_t back_ms)
{
	struct record_builder *b = begin("reset after 1 KB");
	int64_t at_ms = 10;

	for (int i = 0; i <= n_right; i++, at_ms += 100) {
		uint32_t id = record_builder_attempt(b, 0);

		record_builder_syn(b, id, 1, at_ms);
		record_builder_verdict(b, id, 1, VERDICT_ACCEPT, at_ms);
		record_builder_established(b, id, at_ms);
		record_add_event(b->record, &(struct event){.kind = EVENT_FAULT,
							    .at_ns = (at_ms + 20) * MS,
							    .u.net = {.attempt = id,
								      .fault = FAULT_RESET,
								      .bytes = 1000}});
		record_builder_closed(b, id, at_ms + 20 + (i < n_right ? 1 : closed_ms), 0);
	}
	record_builder_client_exits(b, at_ms + back_ms, 0);
	return b;
}

/*
 * The server restarts at 1 s and at 3 s. The client has a connection again at 1.5 s, which ends at
 * @cut_ms, and another one after that; 0: it stays, and there is no other one.
 */
static struct record_builder *restarted_twice(int64_t cut_ms)
{
	struct record_builder *b = begin("restart 200ms at 1s, restart 200ms at 3s, accept");
	uint32_t id = connection(b, 10);

	b->record->attempts[id].step = 2;
	cut(b, id, FAULT_RESET, 1000);
	record_builder_closed(b, id, 1010, 0);
	id = connection(b, 1500);
	b->record->attempts[id].step = 2;
	if (cut_ms) {
		cut_by(b, id, FAULT_RESET, cut_ms, 2);
		record_builder_closed(b, id, cut_ms + 10, 0);
		id = connection(b, 3500);
		b->record->attempts[id].step = 2;
	}
	record_builder_client_end(b, id, 4000, false, NEVER_RECEIVED);
	record_builder_closed(b, id, 4001, 0);
	record_builder_client_exits(b, 4100, 0);
	return b;
}

Test(judge_reconnection, server_that_is_back_can_restart_again)
{
	static const struct {
		int64_t cut_ms, reconnects;
		enum outcome outcome;
	} cases[] = {
		{3000, 2, OUTCOME_PASS},
		{3000, 1, OUTCOME_FAIL},
		/* an end before its time, or none, is not the client's fault */
		{2900, 2, OUTCOME_ERROR},
		{0, 1, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = restarted_twice(cases[i].cut_ms);

		expect_reconnects(b, cases[i].reconnects, cases[i].reconnects, 0);
		judge_and_expect(b, cases[i].outcome, NULL);
	}
}

Test(judge_reconnection, right_connections_hide_no_wrong_one)
{
	static const int n_right[] = {1, 9, 10, 11, 40};

	for (size_t i = 0; i < ARRAY_SIZE(n_right); i++) {
		AUTO_RECORD_BUILDER struct record_builder *late = ends_after(n_right[i], 1, 5000);
		AUTO_RECORD_BUILDER struct record_builder *stale =
			ends_after(n_right[i], 5000, 5001);
		AUTO_RECORD_BUILDER struct record_builder *right = ends_after(n_right[i], 1, 20);

		expect_reconnects(late, 1, INT64_MAX, 2000);
		judge_and_expect(late, OUTCOME_FAIL, "none in");
		expect_range(stale, EXPECT_STALE, 0, 100 * MS);
		judge_and_expect(stale, OUTCOME_FAIL, "stale connection");
		expect_reconnects(right, 1, INT64_MAX, 2000);
		expect_range(right, EXPECT_STALE, 0, 100 * MS);
		judge_and_expect(right, OUTCOME_PASS, NULL);
	}
}

Test(judge_reconnection, time_without_a_connection_begins_when_the_client_closes_its_last)
{
	static const struct {
		int64_t back_ms;
		enum outcome outcome;
	} cases[] = {{1500, OUTCOME_PASS}, {9000, OUTCOME_FAIL}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = begin("reset after 1 KB, accept");
		uint32_t first = record_builder_attempt(b, 0), other, back;

		record_builder_syn(b, first, 1, 10);
		record_builder_verdict(b, first, 1, VERDICT_ACCEPT, 10);
		record_builder_established(b, first, 10);
		other = connection(b, 20);
		record_add_event(b->record, &(struct event){.kind = EVENT_FAULT,
							    .at_ns = 1000 * MS,
							    .u.net = {.attempt = first,
								      .fault = FAULT_RESET,
								      .bytes = 1000}});
		record_builder_closed(b, first, 1001, 0);
		record_builder_client_end(b, other, 1010, false, NEVER_RECEIVED);
		record_builder_closed(b, other, 1011, 0);
		back = connection(b, cases[i].back_ms);
		record_builder_client_end(b, back, cases[i].back_ms + 50, false, NEVER_RECEIVED);
		record_builder_closed(b, back, cases[i].back_ms + 51, 0);
		record_builder_client_exits(b, cases[i].back_ms + 100, 0);
		expect_reconnects(b, 1, 1, 2000);
		judge_and_expect(b, cases[i].outcome, NULL);
	}
}

Test(judge_reconnection, client_that_never_comes_back_is_too_late)
{
	for (int stopped = 0; stopped <= 1; stopped++) {
		AUTO_RECORD_BUILDER struct record_builder *b =
			begin("down 1s..1200ms ending reset, accept");
		uint32_t id = connection(b, 10);

		cut(b, id, FAULT_RESET, 1000);
		record_builder_closed(b, id, 1005, 0);
		if (stopped)
			record_builder_stops(b, 1200);
		record_builder_client_exits(b, stopped ? 1201 : 4000, 0);
		expect_reconnects(b, 0, INT64_MAX, 500);
		/* before it was stopped it had 200 ms only */
		judge_and_expect(b, stopped ? OUTCOME_PASS : OUTCOME_FAIL,
				 stopped ? NULL : "none in");
	}
}

Test(judge_reconnection, connection_that_lives_on_means_that_nothing_is_missing)
{
	AUTO_RECORD_BUILDER struct record_builder *b =
		begin("down 1s..1200ms ending reset, accept");
	uint32_t ended = connection(b, 10), lives = connection(b, 1100);

	/* that one is another attempt, which an earlier step of a longer script let through */
	b->record->attempts[lives].step = 0;
	b->scenario->endpoints[0].script.steps[0].when.window.to_ns = 1050 * MS;
	b->record->attempts[lives].step = 1;
	cut(b, ended, FAULT_RESET, 1000);
	record_builder_closed(b, ended, 1005, 0);
	record_builder_client_end(b, lives, 3000, false, NEVER_RECEIVED);
	record_builder_closed(b, lives, 3001, 0);
	record_builder_client_exits(b, 3100, 0);
	free(b->record->endpoints[0].script);
	b->record->endpoints[0].script = xstrdup("restart 50ms at 1s, accept");
	expect_reconnects(b, 1, 1, 101);
	judge_and_expect(b, OUTCOME_PASS, NULL);
}

Test(judge_reconnection, stale_ends_with_the_close_or_the_next_attempt)
{
	static const struct {
		enum fault_kind kind;
		int64_t closed_ms, next_ms; /* 0: none */
		int64_t most_ms;
		enum outcome outcome;
	} cases[] = {
		{FAULT_RESET, 1050, 0, 100, OUTCOME_PASS},
		{FAULT_RESET, 1500, 0, 100, OUTCOME_FAIL},
		/* it was still open, but the client had gone on */
		{FAULT_RESET, 1500, 1300, 350, OUTCOME_PASS},
		{FAULT_CLOSED, 1500, 1300, 250, OUTCOME_FAIL},
		{FAULT_STALLED, 1800, 0, 900, OUTCOME_PASS},
		{FAULT_STALLED, 1800, 0, 700, OUTCOME_FAIL},
		/* until its end, which closed it */
		{FAULT_STALLED, 0, 0, 900, OUTCOME_FAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char *const scripts[FAULT_N_KINDS] = {
			[FAULT_RESET] = "down 1s..1200ms ending reset, accept",
			[FAULT_CLOSED] = "down 1s..1200ms ending close, accept",
			[FAULT_STALLED] = "down 1s..1200ms ending stall, accept",
		};
		AUTO_RECORD_BUILDER struct record_builder *b = begin(scripts[cases[i].kind]);
		uint32_t id = connection(b, 10), next;

		cut(b, id, cases[i].kind, 1000);
		if (cases[i].next_ms) {
			next = connection(b, cases[i].next_ms);
			record_builder_client_end(b, next, 2000, false, NEVER_RECEIVED);
			record_builder_closed(b, next, 2001, 0);
		}
		if (cases[i].kind == FAULT_STALLED && cases[i].closed_ms)
			record_builder_client_end(b, id, cases[i].closed_ms, false, NEVER_RECEIVED);
		else if (cases[i].closed_ms)
			record_builder_closed(b, id, cases[i].closed_ms, 0);
		record_builder_client_exits(b, 2100, 0);
		expect_range(b, EXPECT_STALE, 0, cases[i].most_ms * MS);
		judge_and_expect(b, cases[i].outcome, NULL);
	}
}

Test(judge_reconnection, connection_that_the_run_did_not_outlast_is_undecided)
{
	static const struct {
		int64_t stops_ms;
		enum outcome outcome;
		const char *says;
	} cases[] = {
		{1100, OUTCOME_ERROR, "stale: the run ended 100 ms after a fault had ended"},
		{1500, OUTCOME_FAIL, "still open after 500 ms"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b =
			begin("down 1s..1050ms ending stall, accept");
		uint32_t id = connection(b, 10);

		cut(b, id, FAULT_STALLED, 1000);
		record_builder_stops(b, cases[i].stops_ms);
		record_builder_client_exits(b, cases[i].stops_ms, 0);
		expect_range(b, EXPECT_STALE, 0, 300 * MS);
		judge_and_expect(b, cases[i].outcome, cases[i].says);
	}
}

Test(judge_reconnection, nothing_is_stale_without_an_end)
{
	AUTO_RECORD_BUILDER struct record_builder *b = begin("reset after 1 KB, accept");
	uint32_t id = record_builder_attempt(b, 0);

	record_builder_syn(b, id, 1, 10);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 10);
	record_builder_established(b, id, 10);
	record_builder_client_end(b, id, 500, false, NEVER_RECEIVED);
	record_builder_closed(b, id, 501, 0);
	record_builder_client_exits(b, 600, 0);
	expect_range(b, EXPECT_STALE, 0, 100 * MS);
	/* the fault never fired: that is why */
	judge_and_expect(b, OUTCOME_ERROR, "never fired");
}

Test(judge_reconnection, connections_at_once_end_with_fault_or_close)
{
	static const struct {
		int64_t low, high;
		enum outcome outcome;
	} cases[] = {
		{0, 2, OUTCOME_PASS},
		{2, 2, OUTCOME_PASS},
		{0, 1, OUTCOME_FAIL},
		{3, 9, OUTCOME_FAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = pool_of_two();

		expect_range(b, EXPECT_CONCURRENT_CONNECTIONS, cases[i].low, cases[i].high);
		judge_and_expect(b, cases[i].outcome, NULL);
	}
}

/* ---- a client on a busy machine ---- */

#define RUNS 3000
#define DOWN (1000 * MS)
#define UP   (1600 * MS)

struct machine {
	uint64_t run, n_drawn;
	bool busy;
	int64_t most_ns;
	/* Each delay, and when it ended. */
	struct delay {
		int64_t until_ns, by_ns;
	} delays[1000];
	size_t n_delays;
};

static int64_t roll(uint64_t run, uint64_t *n_drawn, uint64_t stream, int64_t low, int64_t high)
{
	return random_between(random_draw(stream, run, (*n_drawn)++, 0), low, high);
}

static int64_t wake(struct machine *machine, int64_t at_ns)
{
	int64_t delay_ns = 0;

	if (machine->busy && roll(machine->run, &machine->n_drawn, 7, 0, 3) == 0)
		delay_ns = roll(machine->run, &machine->n_drawn, 7, 0, machine->most_ns);
	cr_assert_lt(machine->n_delays, ARRAY_SIZE(machine->delays));
	machine->delays[machine->n_delays++] = (struct delay){at_ns + delay_ns, delay_ns};
	return at_ns + delay_ns;
}

/* Adds up how long threads have waited by then, those that still wait included. */
static int64_t starved_by(const struct machine *machine, int64_t at_ns)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; i < machine->n_delays; i++) {
		const struct delay *delay = &machine->delays[i];
		int64_t since_ns = at_ns - (delay->until_ns - delay->by_ns);

		sum_ns += MAX(MIN(since_ns, delay->by_ns), INT64_C(0));
	}
	return sum_ns;
}

/* Adds a look after each delay, and one at the end. */
static void look(struct record_builder *b, const struct machine *machine, int64_t end_ns)
{
	for (size_t i = 0; machine->busy && i <= machine->n_delays; i++) {
		int64_t at_ns = i == machine->n_delays ? end_ns : machine->delays[i].until_ns;

		if (i < machine->n_delays && machine->delays[i].by_ns == 0)
			continue;
		record_add_event(b->record, &(struct event){.kind = EVENT_STARVATION,
							    .at_ns = at_ns,
							    .u.starvation.client_ns =
								    starved_by(machine, at_ns)});
	}
}

/* A client that keeps @n connections, closes each some time after its end, and pauses. */
struct keeper {
	size_t n;
	int64_t notices_ns, pause_ns, ends_ns;
};

static void add(struct record_builder *b, enum event_kind kind, uint32_t id, int64_t at_ns)
{
	struct event event = {.kind = kind, .at_ns = at_ns, .u.net.attempt = id};

	if (kind == EVENT_SYN || kind == EVENT_VERDICT)
		event.u.net.ordinal = 1;
	if (kind == EVENT_FAULT) {
		event.u.net.fault = FAULT_RESET;
		event.u.net.outage = 1;
	}
	record_add_event(b->record, &event);
}

/* The attempts of all connections, until they are sorted by time. */
struct attempts {
	int64_t at_ns[400];
	size_t n;
};

static int compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool is_up(int64_t at_ns)
{
	return at_ns < DOWN || at_ns >= UP;
}

/* Tries until it is connected, from @at_ns on. */
static void keep_trying(struct attempts *attempts, struct machine *machine,
			const struct keeper *keeper, int64_t at_ns)
{
	while (at_ns < keeper->ends_ns) {
		cr_assert_lt(attempts->n, ARRAY_SIZE(attempts->at_ns));
		attempts->at_ns[attempts->n++] = at_ns;
		if (is_up(at_ns))
			break;
		at_ns = wake(machine, at_ns + keeper->pause_ns);
	}
}

static void add_attempt(struct record_builder *b, const struct keeper *keeper, int64_t at_ns)
{
	uint32_t id = record_builder_attempt(b, 0);
	bool up = is_up(at_ns);

	b->record->attempts[id].step = up;
	add(b, EVENT_SYN, id, at_ns);
	record_add_event(b->record, &(struct event){.kind = EVENT_VERDICT,
						    .at_ns = at_ns,
						    .u.net = {.attempt = id,
							      .ordinal = 1,
							      .verdict = up ? VERDICT_ACCEPT
									    : VERDICT_REFUSE}});
	if (up) {
		add(b, EVENT_ESTABLISHED, id, at_ns);
		add(b, EVENT_CLIENT_END, id, keeper->ends_ns);
	}
	add(b, EVENT_CLOSED, id, up ? keeper->ends_ns + MS : at_ns + MS / 2);
}

/* Returns the record, and in *@ret_margin_ns how close an attempt came to the server's return. */
static struct record_builder *keep(const struct keeper *keeper, struct machine *machine,
				   int64_t *ret_margin_ns)
{
	struct record_builder *b = begin("down 1s..1600ms ending reset, accept");
	struct attempts attempts = {0};

	*ret_margin_ns = INT64_MAX;
	record_builder_starved(b, 0, 0, 0);
	for (size_t i = 0; i < keeper->n; i++) {
		uint32_t id = connection(b, 10 + 5 * (int64_t)i);

		add(b, EVENT_FAULT, id, DOWN);
	}
	for (size_t i = 0; i < keeper->n; i++) {
		int64_t noticed_ns = wake(machine, DOWN + keeper->notices_ns + (int64_t)i * 7 * MS);

		add(b, EVENT_CLOSED, (uint32_t)i, noticed_ns);
		keep_trying(&attempts, machine, keeper,
			    wake(machine, noticed_ns + keeper->pause_ns));
	}
	qsort(attempts.at_ns, attempts.n, sizeof(attempts.at_ns[0]), compare_times);
	for (size_t i = 0; i < attempts.n; i++) {
		int64_t margin_ns = attempts.at_ns[i] - UP;

		*ret_margin_ns = MIN(*ret_margin_ns, margin_ns < 0 ? -margin_ns : margin_ns);
		add_attempt(b, keeper, attempts.at_ns[i]);
	}
	look(b, machine, keeper->ends_ns + 5 * MS);
	record_builder_client_exits(b, keeper->ends_ns / MS + 10, 0);
	return b;
}

static void draw_expectation(struct record_builder *b, enum expectation_kind kind, uint64_t run)
{
	uint64_t n_drawn = 100;
	int64_t most = roll(run, &n_drawn, 9, 1, 5), within_ms = roll(run, &n_drawn, 9, 200, 1800);
	int64_t stale_ms = roll(run, &n_drawn, 9, 5, 500);

	if (kind == EXPECT_RECONNECTS)
		expect_reconnects(b, 1, most, within_ms);
	else if (kind == EXPECT_STALE)
		expect_range(b, kind, 0, stale_ms * MS);
	else
		expect_range(b, kind, 0, most);
}

Test(judge_reconnection, a_busy_machine_never_reverses_a_verdict)
{
	static const enum expectation_kind kinds[] = {EXPECT_RECONNECTS, EXPECT_STALE,
						      EXPECT_CONCURRENT_CONNECTIONS};
	static const int64_t most_ms[] = {2, 20, 100, 400};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n_pass = 0, n_fail = 0, n_told = 0;

		for (uint64_t run = 0; run < RUNS; run++) {
			uint64_t n_drawn = 0;
			const struct keeper keeper = {
				.n = (size_t)roll(run, &n_drawn, 8, 1, 4),
				.notices_ns = roll(run, &n_drawn, 8, 1, 400) * MS,
				.pause_ns = roll(run, &n_drawn, 8, 50, 500) * MS,
				.ends_ns = 4000 * MS,
			};
			struct machine quiet = {.run = run};
			struct machine busy = {
				.run = run, .busy = true, .most_ns = most_ms[run % 4] * MS};
			int64_t margin_ns, ignored;
			AUTO_RECORD_BUILDER struct record_builder *exact =
				keep(&keeper, &quiet, &margin_ns);
			AUTO_RECORD_BUILDER struct record_builder *seen =
				keep(&keeper, &busy, &ignored);
			struct judgement truth, told;

			/* This close to the server's return, no two runs are the same. */
			if (kinds[k] == EXPECT_RECONNECTS &&
			    margin_ns < MIN(150 * MS, 2 * busy.most_ns + 25 * MS))
				continue;
			draw_expectation(exact, kinds[k], run);
			draw_expectation(seen, kinds[k], run);
			truth = record_builder_judge(exact);
			told = record_builder_judge(seen);
			cr_expect_neq(truth.outcome, OUTCOME_ERROR, "%s, run %ju: %s",
				      expectation_kind_name(kinds[k]), (uintmax_t)run,
				      truth.n_findings ? truth.findings[0].message : "-");
			if (told.outcome != OUTCOME_ERROR)
				cr_expect_eq(told.outcome, truth.outcome,
					     "%s, run %ju: %s for %s: %s / %s",
					     expectation_kind_name(kinds[k]), (uintmax_t)run,
					     outcome_name(told.outcome),
					     outcome_name(truth.outcome),
					     told.n_findings ? told.findings[0].message : "-",
					     truth.n_findings ? truth.findings[0].message : "-");
			n_pass += truth.outcome == OUTCOME_PASS;
			n_fail += truth.outcome == OUTCOME_FAIL;
			n_told += told.outcome == truth.outcome;
			judgement_free(&truth);
			judgement_free(&told);
		}
		/* The truth is often met, often broken, and often found out. */
		cr_expect_gt(n_pass, RUNS / 40, "%s: %zu", expectation_kind_name(kinds[k]), n_pass);
		cr_expect_gt(n_fail, RUNS / 40, "%s: %zu", expectation_kind_name(kinds[k]), n_fail);
		cr_expect_gt(n_told, (n_pass + n_fail) / 5, "%s: %zu of %zu",
			     expectation_kind_name(kinds[k]), n_told, n_pass + n_fail);
	}
}
