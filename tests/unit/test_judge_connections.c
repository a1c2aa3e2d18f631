/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of expectations on connections: how many, what they carried, how they ended. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "tests/lib/record_builder.h"

TestSuite(judge_connections);

static void fault_at(struct record_builder *b, uint32_t id, int64_t at_ms, enum fault_kind kind,
		     uint64_t bytes)
{
	record_add_event(b->record,
			 &(struct event){.kind = EVENT_FAULT,
					 .at_ns = at_ms * NS_PER_MS,
					 .u.net = {.attempt = id, .fault = kind, .bytes = bytes}});
}

static void fault(struct record_builder *b, uint32_t id, enum fault_kind kind, uint64_t bytes)
{
	fault_at(b, id, 50, kind, bytes);
}

/* An attempt that connects at once; its fault at 50 ms, unless @kind is FAULT_N_KINDS. */
static uint32_t connected(struct record_builder *b, size_t endpoint, enum fault_kind kind,
			  uint64_t bytes)
{
	uint32_t id = record_builder_attempt(b, endpoint);

	record_builder_syn(b, id, 1, 1);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 1);
	record_builder_established(b, id, 1);
	if (kind != FAULT_N_KINDS)
		fault(b, id, kind, bytes);
	return id;
}

static void close_with(struct record_builder *b, uint32_t id, uint64_t received, uint64_t sent)
{
	record_add_event(b->record, &(struct event){.kind = EVENT_CLOSED,
						    .at_ns = 100 * NS_PER_MS,
						    .u.net = {.attempt = id,
							      .bytes_received = received,
							      .bytes_sent = sent}});
}

static void outlive_with(struct record_builder *b, uint64_t sent)
{
	record_add_event(b->record, &(struct event){.kind = EVENT_ORPHANED,
						    .at_ns = 300 * NS_PER_MS,
						    .u.net = {.bytes_sent = sent}});
}

static enum outcome outcome_of(struct record_builder *b)
{
	struct judgement judgement = record_builder_judge(b);
	enum outcome outcome = judgement.outcome;

	judgement_free(&judgement);
	return outcome;
}

static void expect_range(struct record_builder *b, enum expectation_kind kind, int64_t low,
			 int64_t high)
{
	struct expectation *expectation = record_builder_expect(b, kind, ALL_ENDPOINTS);

	expectation->value.range.range = (struct range){low, high};
}

static void expect_end(struct record_builder *b, enum connection_end end)
{
	struct expectation *expectation = record_builder_expect(b, EXPECT_ENDED, ALL_ENDPOINTS);

	expectation->value.ended.ends = xmemdup(&end, sizeof(end));
	expectation->value.ended.n_ends = 1;
	expectation->value.ended.each = true;
}

/* Judges the bytes received on one connection: exact, unless it ended without a fault. */
static enum outcome received(const char *script, enum fault_kind kind, uint64_t counted,
			     int64_t expected)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", script);

	close_with(b, connected(b, api, kind, 1000), counted, 0);
	record_builder_client_exits(b, 200, 0);
	expect_range(b, EXPECT_RECEIVED, expected, expected);
	return outcome_of(b);
}

Test(judge_connections, counts_bytes_exactly_after_a_fault)
{
	cr_expect_eq(received("reset after 1 KB", FAULT_RESET, 1000, 1000), OUTCOME_PASS);
	cr_expect_eq(received("reset after 1 KB", FAULT_RESET, 1000, 999), OUTCOME_FAIL);
	cr_expect_eq(received("close after 1 KB", FAULT_CLOSED, 1001, 1000), OUTCOME_PASS);
	cr_expect_eq(received("close after 1 KB", FAULT_CLOSED, 1001, 1001), OUTCOME_FAIL);
}

Test(judge_connections, amount_before_a_fault_that_came_late_is_unknown)
{
	cr_expect_eq(received("reset after 49ms", FAULT_RESET, 1000, 1000), OUTCOME_PASS);
	cr_expect_eq(received("reset after 49ms", FAULT_RESET, 1000, 999), OUTCOME_FAIL);
	cr_expect_eq(received("reset after 30ms", FAULT_RESET, 1000, 999), OUTCOME_ERROR);
	cr_expect_eq(received("reset after 30ms", FAULT_RESET, 1000, 1000), OUTCOME_PASS);
}

Test(judge_connections, takes_a_fin_for_a_byte_or_not_without_a_fault)
{
	cr_expect_eq(received("accept", FAULT_N_KINDS, 1001, 1000), OUTCOME_PASS);
	cr_expect_eq(received("accept", FAULT_N_KINDS, 1001, 1001), OUTCOME_PASS);
	cr_expect_eq(received("accept", FAULT_N_KINDS, 1001, 1002), OUTCOME_FAIL);
	cr_expect_eq(received("accept", FAULT_N_KINDS, 1001, 999), OUTCOME_FAIL);
}

Test(judge_connections, knows_what_came_before_a_stall)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	connected(b, record_builder_endpoint(b, "api", "stall after 1 KB"), FAULT_STALLED, 1000);
	record_builder_client_exits(b, 200, 0);
	expect_range(b, EXPECT_RECEIVED, 1000, 1000);
	expect_end(b, ENDED_STALLED);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
	/* what was sent is not known while the socket lives */
	expect_range(b, EXPECT_SENT, 5, 5);
	cr_expect_eq(outcome_of(b), OUTCOME_ERROR);
	/* except on a socket to which the client can add nothing any more */
	outlive_with(b, 5);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
	expect_range(b, EXPECT_SENT, 6, 6);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
}

/* The client's FIN has left, and acknowledged 100 bytes; the death of its socket is not reported.
 */
static enum outcome shut_down(bool reset, enum expectation_kind kind, int64_t low, int64_t high)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");

	record_builder_client_end(b, connected(b, api, FAULT_N_KINDS, 0), 60, reset, 0);
	for (size_t i = 0; i < b->record->n_events; i++)
		if (b->record->events[i].kind == EVENT_CLIENT_END)
			b->record->events[i].u.net.end_sent =
				b->record->events[i].u.net.end_received = 100;
	record_builder_client_exits(b, 200, 0);
	expect_range(b, kind, low, high);
	return outcome_of(b);
}

Test(judge_connections, what_came_after_the_client_shut_down_is_unknown_until_its_socket_dies)
{
	cr_expect_eq(shut_down(false, EXPECT_RECEIVED, 200000, 200000), OUTCOME_ERROR);
	cr_expect_eq(shut_down(false, EXPECT_RECEIVED, 100, 100), OUTCOME_ERROR);
	cr_expect_eq(shut_down(false, EXPECT_RECEIVED, 0, 99), OUTCOME_FAIL);
	cr_expect_eq(shut_down(false, EXPECT_RECEIVED, 100, INT64_MAX), OUTCOME_PASS);
	/* Nothing comes after a reset, and nothing is sent after either. */
	cr_expect_eq(shut_down(true, EXPECT_RECEIVED, 200, 200), OUTCOME_FAIL);
	cr_expect_eq(shut_down(true, EXPECT_RECEIVED, 100, 100), OUTCOME_PASS);
	cr_expect_eq(shut_down(false, EXPECT_SENT, 100, 100), OUTCOME_PASS);
	cr_expect_eq(shut_down(false, EXPECT_SENT, 200, 200), OUTCOME_FAIL);
}

/* A connection that stalls at 50 ms and heals at 80 ms; the client ends it at @end_ms. */
static enum outcome healed(int64_t end_ms, uint64_t counted, enum connection_end end,
			   int64_t received)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "stall after 1 KB for 30ms");
	uint32_t id = connected(b, api, FAULT_STALLED, 1000);

	if (end_ms < 80)
		record_builder_client_end(b, id, end_ms, false, NEVER_RECEIVED);
	fault_at(b, id, 80, FAULT_HEALED, 1000);
	if (end_ms >= 80)
		record_builder_client_end(b, id, end_ms, false, NEVER_RECEIVED);
	close_with(b, id, counted, 0);
	record_builder_client_exits(b, 200, 0);
	expect_end(b, end);
	expect_range(b, EXPECT_RECEIVED, received, received);
	return outcome_of(b);
}

Test(judge_connections, a_stall_that_healed_before_the_client_ended_does_not_count)
{
	cr_expect_eq(healed(90, 5000, ENDED_CLOSED, 5000), OUTCOME_PASS);
	cr_expect_eq(healed(90, 5000, ENDED_STALLED, 5000), OUTCOME_FAIL);
	cr_expect_eq(healed(90, 5000, ENDED_CLOSED, 1000), OUTCOME_FAIL);
	cr_expect_eq(healed(70, 1000, ENDED_STALLED, 1000), OUTCOME_PASS);
	cr_expect_eq(healed(70, 1000, ENDED_CLOSED, 1000), OUTCOME_FAIL);
	cr_expect_eq(healed(70, 1000, ENDED_STALLED, 5000), OUTCOME_FAIL);
}

Test(judge_connections, a_stall_of_what_the_client_sends_does_not_limit_what_it_receives)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "stall to-server after 1 KB");

	close_with(b, connected(b, api, FAULT_STALLED, 1000), 5000, 0);
	record_builder_client_exits(b, 200, 0);
	expect_end(b, ENDED_STALLED);
	expect_range(b, EXPECT_RECEIVED, 5000, 5000);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
	expect_range(b, EXPECT_RECEIVED, 1000, 1000);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
}

Test(judge_connections, a_stall_for_a_time_must_heal_if_the_run_lasts)
{
	for (int long_enough = 0; long_enough < 2; long_enough++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "stall after 1 KB for 100ms");

		connected(b, api, FAULT_STALLED, 1000);
		record_builder_client_exits(b, long_enough ? 200 : 140, 0);
		record_builder_expect_attempts(b, api, 1, 1);
		cr_expect_eq(outcome_of(b), long_enough ? OUTCOME_ERROR : OUTCOME_PASS);
	}
}

Test(judge_connections, counts_connections_and_not_attempts)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse, accept");

	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_connected(b, api, 100);
	record_builder_client_exits(b, 200, 0);
	expect_range(b, EXPECT_CONNECTED, 1, 1);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
	expect_range(b, EXPECT_CONNECTED, 2, 2);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
}

Test(judge_connections, holds_ends_one_after_the_other)
{
	static const enum connection_end right[] = {ENDED_REFUSED, ENDED_CLOSED};
	static const enum connection_end wrong[] = {ENDED_CLOSED, ENDED_REFUSED};

	for (int good = 0; good < 2; good++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse, accept");
		struct expectation *expectation;

		record_builder_attempt_refused(b, api, 0);
		record_builder_attempt_connected(b, api, 100);
		record_builder_client_exits(b, 200, 0);
		expectation = record_builder_expect(b, EXPECT_ENDED, api);
		expectation->value.ended.ends = xmemdup(good ? right : wrong, sizeof(right));
		expectation->value.ended.n_ends = 2;
		cr_expect_eq(outcome_of(b), good ? OUTCOME_PASS : OUTCOME_FAIL);
	}
}

Test(judge_connections, a_fault_that_never_fired_is_an_error)
{
	static const char *const scripts[] = {
		"reset after 1 KB", "close after 1s", "stall after 1 KB",  "half-open",
		"slow 1 KB/s",      "lose-synack 1",  "backlog-full abort"};

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", scripts[i]);

		close_with(b, connected(b, api, FAULT_N_KINDS, 0), 0, 0);
		record_builder_client_exits(b, 200, 0);
		record_builder_expect_attempts(b, api, 1, 1);
		cr_expect_eq(outcome_of(b), OUTCOME_ERROR, "%s", scripts[i]);
	}
}

Test(judge_connections, an_unreachable_attempt_has_ended_so)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "unreachable host");
	uint32_t id = record_builder_attempt(b, api);

	record_builder_syn(b, id, 1, 1);
	record_builder_verdict(b, id, 1, VERDICT_UNREACHABLE, 1);
	record_builder_closed(b, id, 2, 0);
	record_builder_client_exits(b, 200, 0);
	expect_end(b, ENDED_UNREACHABLE);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
	expect_end(b, ENDED_REFUSED);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
}

Test(judge_connections, number_of_connections_needs_no_upper_limit)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	connected(b, record_builder_endpoint(b, "api", "accept"), FAULT_N_KINDS, 0);
	record_builder_client_exits(b, 200, 0);
	expect_range(b, EXPECT_CONNECTED, 0, INT64_MAX);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
}

/* ---- outages ---- */

/* A connection that step 1, an outage, ended at 50 ms. The steps of the script are @script. */
static struct record_builder *ended_by_outage(const char *script, enum fault_kind kind,
					      uint32_t outage)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", script);
	uint32_t id = connected(b, api, FAULT_N_KINDS, 0);

	b->record->attempts[id].step = 1;
	if (kind != FAULT_N_KINDS)
		record_add_event(
			b->record,
			&(struct event){.kind = EVENT_FAULT,
					.at_ns = 50 * NS_PER_MS,
					.u.net = {.attempt = id, .fault = kind, .outage = outage}});
	close_with(b, id, 0, 0);
	record_builder_client_exits(b, 200, 0);
	record_builder_expect_attempts(b, api, 1, 1);
	return b;
}

Test(judge_connections, outage_fires_by_ending_a_connection)
{
	static const struct {
		const char *script;
		enum fault_kind kind;
		uint32_t outage;
		enum outcome outcome;
	} cases[] = {
		{"down 40ms..80ms ending reset, accept", FAULT_RESET, 1, OUTCOME_PASS},
		{"down 40ms..80ms ending close, accept", FAULT_CLOSED, 1, OUTCOME_PASS},
		{"down 40ms..80ms ending close, accept", FAULT_RESET, 1, OUTCOME_PASS},
		{"down 40ms..80ms ending stall, accept", FAULT_STALLED, 1, OUTCOME_PASS},
		{"pause 40ms at 40ms, accept", FAULT_STALLED, 1, OUTCOME_PASS},
		{"pause 40ms at 40ms, accept", FAULT_RESET, 1, OUTCOME_ERROR},
		{"pause 40ms at 60ms, accept", FAULT_STALLED, 1, OUTCOME_ERROR},
		/* it ended nothing, and no attempt met it */
		{"down 40ms..80ms ending reset, accept", FAULT_N_KINDS, 0, OUTCOME_ERROR},
		/* not what it does */
		{"down 40ms..80ms ending reset, accept", FAULT_CLOSED, 1, OUTCOME_ERROR},
		{"down 40ms..80ms ending stall, accept", FAULT_RESET, 1, OUTCOME_ERROR},
		{"down 40ms..80ms, accept", FAULT_RESET, 1, OUTCOME_ERROR},
		{"down 40ms..80ms ending reset, accept", FAULT_RESET, 2, OUTCOME_ERROR},
		{"down 40ms..80ms ending reset, accept", FAULT_RESET, 9, OUTCOME_ERROR},
		/* before its time */
		{"down 60ms..80ms ending reset, accept", FAULT_RESET, 1, OUTCOME_ERROR},
		/* what the outage did is not the work of the connection's own step */
		{"down 40ms..80ms ending reset, reset after 1 KB", FAULT_RESET, 1, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b =
			ended_by_outage(cases[i].script, cases[i].kind, cases[i].outage);

		cr_expect_eq(outcome_of(b), cases[i].outcome, "%zu: %s", i, cases[i].script);
	}
}

Test(judge_connections, outage_that_never_fired_says_what_it_would_have_done)
{
	static const char *const cases[][2] = {
		{"down 40ms..80ms ending reset, accept",
		 "never fired: it ended no connection, and no attempt met it"},
		{"pause 5s at 8s, accept",
		 "never fired: it stalled no connection, and no attempt began in it"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b =
			ended_by_outage(cases[i][0], FAULT_N_KINDS, 0);
		struct judgement judgement = record_builder_judge(b);

		cr_assert_gt(judgement.n_findings, 0);
		cr_expect(strstr(judgement.findings[0].message, cases[i][1]), "%s",
			  judgement.findings[0].message);
		judgement_free(&judgement);
	}
}

Test(judge_connections, outage_that_missed_a_connection_is_an_error)
{
	for (int late = 0; late <= 1; late++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api =
			record_builder_endpoint(b, "api", "down 40ms..3s ending reset, accept");
		uint32_t missed = connected(b, api, FAULT_N_KINDS, 0);
		uint32_t hit = connected(b, api, FAULT_N_KINDS, 0);

		b->record->attempts[missed].step = b->record->attempts[hit].step = 1;
		record_add_event(b->record, &(struct event){.kind = EVENT_FAULT,
							    .at_ns = 50 * NS_PER_MS,
							    .u.net = {.attempt = hit,
								      .fault = FAULT_RESET,
								      .outage = 1}});
		/* in the first moment of the outage the client may have been faster */
		record_builder_client_end(b, missed, late ? 2000 : 50, false, NEVER_RECEIVED);
		record_builder_client_exits(b, 2500, 0);
		record_builder_expect_attempts(b, api, 2, 2);
		cr_expect_eq(outcome_of(b), late ? OUTCOME_ERROR : OUTCOME_PASS, "%d", late);
	}
}

Test(judge_connections, outage_by_command_is_replayed_from_the_record)
{
	for (int commanded = 0; commanded <= 1; commanded++) {
		AUTO_RECORD_BUILDER struct record_builder *b = ended_by_outage(
			"down 5s from command ending reset, accept", FAULT_RESET, 1);
		uint32_t id;

		/* the command cuts it short: the attempt after it gets through */
		if (commanded)
			record_add_event(b->record,
					 &(struct event){.kind = EVENT_OUTAGE,
							 .at_ns = 45 * NS_PER_MS,
							 .u.outage.lasts_ns = 50 * NS_PER_MS});
		id = record_builder_attempt_refused(b, 0, 60);
		b->record->attempts[id].step = 0;
		id = record_builder_attempt_connected(b, 0, 120);
		b->record->attempts[id].step = 1;
		b->scenario->expectations[0].value.range.range = (struct range){3, 3};
		cr_expect_eq(outcome_of(b), commanded ? OUTCOME_PASS : OUTCOME_ERROR, "%d",
			     commanded);
	}
}

Test(judge_connections, turn_of_a_command_is_checked_against_its_own_time)
{
	/* The connection ends at 50 ms. */
	static const struct {
		int64_t at_ms, lasts_ms;
		enum outcome outcome;
	} cases[] = {
		{5, 45, OUTCOME_PASS},  {25, 0, OUTCOME_PASS},  {35, 0, OUTCOME_ERROR},
		{35, 15, OUTCOME_PASS}, {5, 70, OUTCOME_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = ended_by_outage(
			"restart 25ms each at 25ms from command, accept", FAULT_RESET, 1);

		record_add_event(b->record, &(struct event){.kind = EVENT_OUTAGE,
							    .at_ns = cases[i].at_ms * NS_PER_MS,
							    .u.outage.lasts_ns =
								    cases[i].lasts_ms * NS_PER_MS});
		cr_expect_eq(outcome_of(b), cases[i].outcome, "%zu", i);
	}
}

Test(judge_connections, turn_of_a_command_that_missed_a_connection_is_an_error)
{
	/* The client closed its connection at 5 s. */
	static const struct {
		int64_t at_ms, again_ms;
		enum outcome outcome;
	} cases[] = {
		{10, 0, OUTCOME_ERROR},
		{4900, 0, OUTCOME_PASS}, /* its turn comes only after that */
		{10, 500, OUTCOME_ERROR},
		/* a second command came before the turn of the first */
		{4500, 4900, OUTCOME_PASS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api",
						     "restart 1s each at 1s from command, accept");
		uint32_t missed = connected(b, api, FAULT_N_KINDS, 0);

		b->record->attempts[missed].step = 1;
		for (int k = 0; k < 2; k++) {
			int64_t at_ms = k ? cases[i].again_ms : cases[i].at_ms;

			if (at_ms)
				record_add_event(b->record,
						 &(struct event){.kind = EVENT_OUTAGE,
								 .at_ns = at_ms * NS_PER_MS});
		}
		record_builder_client_end(b, missed, 5000, false, NEVER_RECEIVED);
		record_builder_client_exits(b, 5500, 0);
		/* the outage itself need not fire */
		record_builder_expect_attempts(b, api, 0, 1);
		cr_expect_eq(outcome_of(b), cases[i].outcome, "%zu", i);
	}
}

static void outage_at(struct record_builder *b, uint32_t id, int64_t at_ms, enum fault_kind kind,
		      uint32_t outage)
{
	record_add_event(
		b->record,
		&(struct event){.kind = EVENT_FAULT,
				.at_ns = at_ms * NS_PER_MS,
				.u.net = {.attempt = id, .fault = kind, .outage = outage}});
}

/* Step 1 pauses from 50 ms to 80 ms, and step 2 restarts from 150 ms to 200 ms. */
static enum outcome restarted_after_pause(const char *script, bool half_closed)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", script);
	uint32_t id = connected(b, api, FAULT_N_KINDS, 0);

	b->record->attempts[id].step = 2;
	outage_at(b, id, 50, FAULT_STALLED, 1);
	outage_at(b, id, 80, FAULT_HEALED, 1);
	if (half_closed)
		record_builder_client_end(b, id, 100, false, NEVER_RECEIVED);
	outage_at(b, id, 150, FAULT_RESET, 2);
	id = record_builder_attempt_refused(b, api, 160);
	b->record->attempts[id].step = 1;
	id = record_builder_attempt_connected(b, api, 250);
	b->record->attempts[id].step = 3;
	record_builder_client_exits(b, 400, 0);
	record_builder_expect_attempts(b, api, 3, 3);
	return outcome_of(b);
}

Test(judge_connections, restart_after_a_pause_is_not_the_fault_of_the_connections_own_step)
{
	for (int half_closed = 0; half_closed <= 1; half_closed++) {
		cr_expect_eq(restarted_after_pause("pause 30ms at 50ms, restart 50ms at 150ms, "
						   "reset after 1 MB, accept",
						   half_closed),
			     OUTCOME_ERROR);
		cr_expect_eq(restarted_after_pause("pause 30ms at 50ms, restart 50ms at 150ms, "
						   "accept x1, accept",
						   half_closed),
			     OUTCOME_PASS);
	}
}

Test(judge_connections, each_pause_that_stalls_a_connection_has_fired)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(
		b, "api", "pause 30ms at 50ms, pause 30ms at 150ms, pause 30ms at 250ms, accept");
	uint32_t id = connected(b, api, FAULT_N_KINDS, 0);

	b->record->attempts[id].step = 3;
	for (uint32_t outage = 1; outage <= 2; outage++) {
		outage_at(b, id, 100 * outage - 50, FAULT_STALLED, outage);
		outage_at(b, id, 100 * outage - 20, FAULT_HEALED, outage);
	}
	record_builder_expect_attempts(b, api, 1, 1);
	/* The third one begins after the client's FIN. */
	record_builder_client_end(b, id, 230, false, NEVER_RECEIVED);
	outage_at(b, id, 250, FAULT_STALLED, 3);
	outage_at(b, id, 280, FAULT_HEALED, 3);
	record_builder_client_exits(b, 400, 0);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
}

/* The client shuts down at 60 ms, in a pause until 80 ms, and gets more after it. */
static enum outcome shut_down_in_pause(bool reported, int64_t low, int64_t high)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "pause 30ms at 50ms, accept");
	uint32_t id = connected(b, api, FAULT_N_KINDS, 0);

	b->record->attempts[id].step = 1;
	outage_at(b, id, 50, FAULT_STALLED, 1);
	record_builder_client_end(b, id, 60, false, NEVER_RECEIVED);
	outage_at(b, id, 80, FAULT_HEALED, 1);
	if (reported)
		close_with(b, id, 200001, 18);
	record_builder_client_exits(b, 400, 0);
	expect_range(b, EXPECT_RECEIVED, low, high);
	return outcome_of(b);
}

Test(judge_connections, what_came_after_a_pause_counts_though_the_client_shut_down_in_it)
{
	cr_expect_eq(shut_down_in_pause(true, 200000, 200000), OUTCOME_PASS);
	cr_expect_eq(shut_down_in_pause(true, 0, 0), OUTCOME_FAIL);
	cr_expect_eq(shut_down_in_pause(false, 0, 0), OUTCOME_ERROR);
	cr_expect_eq(shut_down_in_pause(false, 0, INT64_MAX), OUTCOME_PASS);
}

Test(judge_connections, latency_of_one_direction_does_not_say_which_one_an_outage_stalls)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api",
					     "down 40ms..80ms ending stall, latency 5ms to-server");
	uint32_t id = connected(b, api, FAULT_DELAYED, 0);

	b->record->attempts[id].step = 1;
	record_add_event(b->record, &(struct event){.kind = EVENT_FAULT,
						    .at_ns = 50 * NS_PER_MS,
						    .u.net = {.attempt = id,
							      .fault = FAULT_STALLED,
							      .outage = 1,
							      .bytes = 1000}});
	record_builder_client_exits(b, 200, 0);
	expect_range(b, EXPECT_RECEIVED, 1000, 1000);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
	expect_range(b, EXPECT_RECEIVED, 0, 999);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
}

/* Two pauses, from 50 ms and from 150 ms on; the client ends the connection at @end_ms. */
static enum outcome paused_twice(int64_t end_ms, enum connection_end end)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "pause 30ms at 50ms every 100ms, accept");
	uint32_t id = connected(b, api, FAULT_N_KINDS, 0);
	bool ended = false;

	b->record->attempts[id].step = 1;
	for (int64_t at_ms = 50; at_ms <= 180; at_ms += at_ms % 100 == 50 ? 30 : 70) {
		if (!ended && end_ms < at_ms)
			record_builder_client_end(b, id, end_ms, false, NEVER_RECEIVED);
		ended = ended || end_ms < at_ms;
		outage_at(b, id, at_ms, at_ms % 100 == 50 ? FAULT_STALLED : FAULT_HEALED, 1);
	}
	if (!ended)
		record_builder_client_end(b, id, end_ms, false, NEVER_RECEIVED);
	record_builder_client_exits(b, 250, 0);
	record_builder_expect_attempts(b, api, 1, 1);
	expect_end(b, end);
	return outcome_of(b);
}

Test(judge_connections, only_a_pause_in_which_the_client_ended_counts)
{
	static const int64_t in_pause[] = {60, 160}, outside[] = {100, 200};

	for (size_t i = 0; i < ARRAY_SIZE(in_pause); i++) {
		cr_expect_eq(paused_twice(in_pause[i], ENDED_STALLED), OUTCOME_PASS);
		cr_expect_eq(paused_twice(in_pause[i], ENDED_CLOSED), OUTCOME_FAIL);
		cr_expect_eq(paused_twice(outside[i], ENDED_CLOSED), OUTCOME_PASS);
		cr_expect_eq(paused_twice(outside[i], ENDED_STALLED), OUTCOME_FAIL);
	}
}

/* An attempt whose SYNs come at 55 ms, and 100 ms later, with a pause from 50 ms to 80 ms. */
static enum outcome began_in_pause(enum verdict_kind first, enum verdict_kind second)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "pause 30ms at 50ms, accept");
	uint32_t id = record_builder_attempt(b, api);

	record_builder_syn(b, id, 1, 55);
	record_builder_verdict(b, id, 1, first, 55);
	record_builder_syn(b, id, 2, 155);
	record_builder_verdict(b, id, 2, second, 155);
	if (second == VERDICT_ACCEPT)
		record_builder_established(b, id, 155);
	record_builder_client_exits(b, 250, 0);
	record_builder_expect_attempts(b, api, 1, 1);
	return outcome_of(b);
}

Test(judge_connections, pause_loses_the_syns_that_come_in_it_and_no_others)
{
	cr_expect_eq(began_in_pause(VERDICT_DROP, VERDICT_ACCEPT), OUTCOME_PASS);
	cr_expect_eq(began_in_pause(VERDICT_ACCEPT, VERDICT_ACCEPT), OUTCOME_ERROR);
	cr_expect_eq(began_in_pause(VERDICT_DROP, VERDICT_DROP), OUTCOME_ERROR);
}

Test(judge_connections, client_that_gives_up_in_a_pause_was_not_answered_late)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "pause 5s at 50ms, accept");
	uint32_t id = record_builder_attempt(b, api);

	record_builder_syn(b, id, 1, 55);
	record_builder_verdict(b, id, 1, VERDICT_DROP, 55);
	record_builder_closed(b, id, 155, 0);
	record_builder_client_exits(b, 250, 0);
	record_builder_expect_attempts(b, api, 1, 1);
	cr_expect_eq(outcome_of(b), OUTCOME_PASS);
	record_builder_expect_attempts(b, api, 2, 2);
	cr_expect_eq(outcome_of(b), OUTCOME_FAIL);
}

/*
 * An attempt at a server that pauses, given up at 310 ms. Its first SYN was lost in the pause; the
 * second was let through at 300 ms, and came at that time, or up to @age_ms before.
 */
static enum outcome given_up_after_pause(int64_t age_ms)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "pause 30ms at 50ms, accept");
	uint32_t id = record_builder_attempt(b, api);

	record_builder_syn(b, id, 1, 55);
	record_builder_verdict(b, id, 1, VERDICT_DROP, 55);
	record_builder_syn(b, id, 2, 300);
	record_builder_or_earlier(b, age_ms);
	record_builder_verdict(b, id, 2, VERDICT_ACCEPT, 300);
	record_builder_closed(b, id, 310, 0);
	record_builder_client_exits(b, 400, 0);
	record_builder_expect_attempts(b, api, 2, 2);
	return outcome_of(b);
}

Test(judge_connections, syn_of_unknown_age_may_have_waited_beside_a_pause_too)
{
	cr_expect_eq(given_up_after_pause(0), OUTCOME_FAIL);
	cr_expect_eq(given_up_after_pause(100), OUTCOME_ERROR);
}

/* A client that gives up at 95 ms, and got data last at @receive_ns; packets were late at 90 ms. */
static enum outcome gave_up(int64_t late_ms, int64_t receive_ns)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "latency 50ms");
	uint32_t id = connected(b, api, FAULT_DELAYED, 0);

	record_add_event(b->record, &(struct event){.kind = EVENT_FAULT,
						    .at_ns = 90 * NS_PER_MS,
						    .u.net = {.attempt = id,
							      .fault = FAULT_DELAYED,
							      .late_ns = late_ms * NS_PER_MS}});
	record_builder_client_end(b, id, 95, false, receive_ns);
	close_with(b, id, 0, 10);
	record_builder_client_exits(b, 300, 0);
	expect_range(b, EXPECT_RECEIVED, 10, 10);
	return outcome_of(b);
}

Test(judge_connections, client_that_gives_up_waiting_for_late_packets_is_not_blamed)
{
	cr_expect_eq(gave_up(10, NEVER_RECEIVED), OUTCOME_FAIL);
	cr_expect_eq(gave_up(30, NEVER_RECEIVED), OUTCOME_ERROR);
	/* it did not wait for them, but only for what came after its last data */
	cr_expect_eq(gave_up(30, 80 * NS_PER_MS), OUTCOME_FAIL);
}

/* Two connections whose packets are late in turns; the second one's are so by @late_ms at last. */
static enum outcome late_in_turns(int64_t late_ms)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "latency 50ms");
	uint32_t ids[2];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = connected(b, api, FAULT_DELAYED, 0);
	for (int64_t at_ms = 80; at_ms <= 90; at_ms += 10)
		for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
			record_add_event(
				b->record,
				&(struct event){.kind = EVENT_FAULT,
						.at_ns = at_ms * NS_PER_MS,
						.u.net = {.attempt = ids[i],
							  .fault = FAULT_DELAYED,
							  .late_ns = (i == 0        ? 12
								      : at_ms == 80 ? 10
										    : late_ms) *
								     NS_PER_MS}});
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		record_builder_client_end(b, ids[i], 95, false, NEVER_RECEIVED);
	record_builder_client_exits(b, 300, 0);
	record_builder_expect_attempts(b, api, 3, 3);
	return outcome_of(b);
}

Test(judge_connections, lateness_is_that_of_one_connection)
{
	cr_expect_eq(late_in_turns(20), OUTCOME_FAIL);
	cr_expect_eq(late_in_turns(30), OUTCOME_ERROR);
}

Test(judge_connections, lateness_of_packets_is_not_the_clients)
{
	for (int late_ms = 0; late_ms <= 100; late_ms += 100) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "latency 50ms");
		uint32_t id = connected(b, api, FAULT_DELAYED, 0);

		if (late_ms)
			record_add_event(
				b->record,
				&(struct event){.kind = EVENT_FAULT,
						.at_ns = 90 * NS_PER_MS,
						.u.net = {.attempt = id,
							  .fault = FAULT_DELAYED,
							  .late_ns = late_ms * NS_PER_MS}});
		close_with(b, id, 10, 10);
		record_builder_client_exits(b, 300, 0);
		record_builder_expect(b, EXPECT_DURATION, ALL_ENDPOINTS)->value.range.range =
			(struct range){0, 250 * NS_PER_MS};
		cr_expect_eq(outcome_of(b), late_ms ? OUTCOME_ERROR : OUTCOME_FAIL);
	}
}
