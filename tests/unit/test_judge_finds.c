/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts that were once wrong: each test is one run of a client, and the right outcome. */
#include <criterion/criterion.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "tests/lib/record_builder.h"

TestSuite(judge_finds);

#define MS NS_PER_MS

static void expect(const struct record_builder *b, enum outcome outcome, const char *text)
{
	struct judgement judgement = record_builder_judge(b);
	const char *first = judgement.n_findings > 0 ? judgement.findings[0].message : "none";

	cr_expect_str_eq(outcome_name(judgement.outcome), outcome_name(outcome), "%s: %s",
			 outcome_name(judgement.outcome), first);
	if (text)
		cr_expect(strstr(first, text), "%s", first);
	judgement_free(&judgement);
}

static struct expectation *expect_most(struct record_builder *b, enum expectation_kind kind,
				       size_t endpoint, int64_t most)
{
	struct expectation *expectation = record_builder_expect(b, kind, endpoint);

	expectation->value.range.range = (struct range){0, most};
	return expectation;
}

static struct target *two_targets(struct target first, struct target second)
{
	const struct target targets[] = {first, second};

	return xmemdup(targets, sizeof(targets));
}

static void expect_order(struct record_builder *b, struct target first, struct target second,
			 bool after_failure)
{
	struct expectation *expectation = record_builder_expect(b, EXPECT_ORDER, ALL_ENDPOINTS);

	expectation->value.order.targets = two_targets(first, second);
	expectation->value.order.n_targets = 2;
	expectation->value.order.after_failure = after_failure;
}

Test(judge_finds, a_backup_that_is_dialled_45_ms_before_the_failure_comes_too_early)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t a = record_builder_endpoint(b, "a", "drop");
	size_t backup = record_builder_endpoint(b, "b", "accept");

	record_builder_attempt_dropped(b, a, 0, 545);
	record_builder_attempt_connected(b, backup, 500);
	record_builder_client_exits(b, 700, 0);
	expect_order(b, (struct target){a, N_FAMILIES, 0}, (struct target){backup, N_FAMILIES, 0},
		     true);
	expect(b, OUTCOME_FAIL, "b not before a has failed");
	free(b->scenario->expectations[0].value.order.targets);
	b->scenario->n_expectations = 0;
	expect_most(b, EXPECT_CONCURRENT_ATTEMPTS, ALL_ENDPOINTS, 1);
	expect(b, OUTCOME_FAIL, "2 at once");
}

Test(judge_finds, right_clients_close_every_refused_socket)
{
	for (int leaks = 0; leaks <= 1; leaks++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse");
		uint32_t id = record_builder_attempt(b, api);

		record_builder_syn(b, id, 1, 0);
		record_builder_verdict(b, id, 1, VERDICT_REFUSE, 0);
		record_builder_closed(b, id, leaks ? 200 : 1, 0);
		record_builder_attempt_refused(b, api, 50);
		record_builder_client_exits(b, 300, 0);
		expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
		expect(b, leaks ? OUTCOME_FAIL : OUTCOME_PASS, leaks ? "got 1" : NULL);
	}
}

Test(judge_finds, a_socket_leaks_though_its_address_is_not_tried_again)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	size_t backup = record_builder_endpoint(b, "backup", "accept");

	record_builder_attempt_left_open(b, api, 0);
	record_builder_attempt_connected(b, backup, 500);
	record_builder_client_exits(b, 1700, 0);
	expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
	expect(b, OUTCOME_FAIL, "got 1");
}

static uint32_t closed_by_server(struct record_builder *b, size_t endpoint, int64_t at_ms)
{
	uint32_t id = record_builder_attempt(b, endpoint);

	record_builder_syn(b, id, 1, at_ms);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, at_ms);
	record_builder_established(b, id, at_ms);
	record_add_event(b->record,
			 &(struct event){.kind = EVENT_FAULT,
					 .at_ns = (at_ms + 10) * MS,
					 .u.net = {.attempt = id, .fault = FAULT_CLOSED}});
	return id;
}

Test(judge_finds, a_connection_that_the_server_closed_leaks_when_another_is_opened)
{
	for (int leaks = 0; leaks <= 1; leaks++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "close after accept x2, accept");
		uint32_t first = closed_by_server(b, api, 0);

		record_builder_client_end(b, first, leaks ? 900 : 15, false, NEVER_RECEIVED);
		record_builder_client_end(b, closed_by_server(b, api, 500), 515, false,
					  NEVER_RECEIVED);
		record_builder_attempt_connected(b, api, 600);
		record_builder_client_exits(b, 1000, 0);
		expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
		expect(b, leaks ? OUTCOME_FAIL : OUTCOME_PASS, leaks ? "got 1" : NULL);
	}
}

Test(judge_finds, a_socket_that_is_connected_again_is_one_socket)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x2, accept");

	for (int i = 0; i < 2; i++) {
		uint32_t id = record_builder_attempt(b, api);

		record_builder_syn(b, id, 1, 10 * i);
		record_builder_verdict(b, id, 1, VERDICT_REFUSE, 10 * i);
	}
	record_builder_attempt_connected(b, api, 20);
	for (int i = 0; i < 3; i++)
		b->record->attempts[i].cookie = 7;
	record_builder_client_exits(b, 100, 0);
	expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
	record_builder_expect_attempts(b, api, 3, 3);
	expect(b, OUTCOME_PASS, NULL);
}

Test(judge_finds, connect_to_af_unspec_ends_an_attempt)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop, accept");
	struct expectation *expectation;
	uint32_t id = record_builder_attempt_left_open(b, api, 0);

	record_builder_gone(b, id, 395, 405);
	record_builder_attempt_connected(b, api, 1400);
	b->record->attempts[0].cookie = b->record->attempts[1].cookie = 7;
	record_builder_client_exits(b, 1500, 0);
	expectation = record_builder_expect(b, EXPECT_CONNECT_TIMEOUT, api);
	expectation->value.range.range = (struct range){400 * MS, 400 * MS};
	expectation->value.range.exact = true;
	expect_most(b, EXPECT_CONCURRENT_ATTEMPTS, ALL_ENDPOINTS, 1);
	expect(b, OUTCOME_PASS, NULL);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 1000);
	expect(b, OUTCOME_PASS, NULL);
}

Test(judge_finds, attempts_elsewhere_do_not_excuse_a_fault_that_never_fired)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_endpoint(b, "spare", "refuse");
	record_builder_attempt_refused(b, api, 0);
	record_builder_attempt_refused(b, api, 50);
	record_builder_client_exits(b, 100, 7);
	record_builder_expect_exit(b, 7);
	record_builder_expect_attempts(b, api, 2, 2);
	expect(b, OUTCOME_ERROR, "at spare never fired");
	record_builder_expect_attempts(b, 1, 0, 1);
	expect(b, OUTCOME_PASS, NULL);
}

Test(judge_finds, delays_may_be_why_a_fault_never_fired)
{
	for (int starved_ms = 0; starved_ms <= 1500; starved_ms += 1500) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse x3, accept");
		struct judgement judgement;

		record_builder_attempt_refused(b, api, 0);
		record_builder_starved(b, 0, 0, 0);
		record_builder_attempt_refused(b, api, 100);
		record_builder_starved(b, 2100, starved_ms, 0);
		record_builder_client_exits(b, 2200, 1);
		record_builder_expect_attempts(b, api, 4, 4);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, starved_ms ? OUTCOME_ERROR : OUTCOME_FAIL);
		/* So the scenario runs again. */
		cr_expect_eq(judgement_is_late(&judgement), starved_ms > 0);
		judgement_free(&judgement);
	}
}

Test(judge_finds, without_an_attempt_the_steps_add_nothing)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	struct judgement judgement;

	record_builder_endpoint(b, "a", "refuse, drop, accept");
	record_builder_client_exits(b, 10, 0);
	expect(b, OUTCOME_ERROR, "made no attempt");
	judgement = record_builder_judge(b);
	cr_expect_eq(judgement.n_findings, 1);
	judgement_free(&judgement);
}

Test(judge_finds, a_client_that_never_connects_proves_nothing)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	record_builder_endpoint(b, "a", "accept");
	record_builder_client_exits(b, 10, 0);
	record_builder_expect(b, EXPECT_GIVES_UP, ALL_ENDPOINTS)->value.gives_up.attempts = 3;
	expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
	record_builder_expect_exit(b, 0);
	expect(b, OUTCOME_ERROR, "made no attempt");
	record_builder_expect_attempts(b, 0, 0, 2);
	b->scenario->expectations[0].value.gives_up.after_ns = INT64_MAX;
	expect(b, OUTCOME_PASS, NULL);
}

Test(judge_finds, a_client_that_starved_until_its_timeout_may_have_connected_without)
{
	for (int starved_ms = 0; starved_ms <= 2000; starved_ms += 2000) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse, accept");
		struct judgement judgement;

		record_builder_starved(b, 0, 0, 0);
		record_builder_starved(b, 30000, starved_ms, 0);
		record_builder_times_out(b, 30000);
		record_builder_client_killed(b, 30010, SIGKILL);
		record_builder_expect_attempts(b, api, 2, 2);
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, OUTCOME_ERROR, "%s", judgement.findings[0].message);
		cr_expect_eq(judgement_is_late(&judgement), starved_ms > 0, "%s",
			     judgement.findings[0].message);
		judgement_free(&judgement);
	}
}

Test(judge_finds, one_of_several_clients_may_have_starved_until_the_timeout)
{
	for (int starved_ms = 0; starved_ms <= 29000; starved_ms += 29000) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse, accept");
		struct judgement judgement;

		b->record->n_instances = 2;
		b->record->streams = xrealloc(b->record->streams, 4 * sizeof(*b->record->streams));
		for (; b->record->n_streams < 4; b->record->n_streams++)
			stream_writer_finish(stream_writer_new("stdout.2"),
					     &b->record->streams[b->record->n_streams]);
		record_builder_starved(b, 0, 0, 0);
		record_builder_attempt_refused(b, api, 0);
		record_builder_attempt_connected(b, api, 100);
		record_builder_starved(b, 30000, starved_ms, 0);
		record_builder_times_out(b, 30000);
		record_builder_client_killed(b, 30010, SIGKILL);
		record_builder_expect_attempts(b, api, 4, 4);
		b->record->attempts[0].instance = b->record->attempts[1].instance = 0;
		judgement = record_builder_judge(b);
		cr_expect_eq(judgement.outcome, starved_ms ? OUTCOME_ERROR : OUTCOME_FAIL, "%s",
			     judgement.findings[0].message);
		judgement_free(&judgement);
	}
}

Test(judge_finds, an_order_demands_that_each_is_tried_and_after_does_not)
{
	for (int after = 0; after <= 1; after++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t a = record_builder_endpoint(b, "a", "refuse");
		size_t second = record_builder_endpoint(b, "b", "accept");

		record_builder_attempt_refused(b, a, 0);
		record_builder_client_exits(b, 10, 0);
		expect_order(b, (struct target){a, N_FAMILIES, 0},
			     (struct target){second, N_FAMILIES, 0}, after);
		expect(b, after ? OUTCOME_PASS : OUTCOME_FAIL, after ? NULL : "b never");
	}
}

Test(judge_finds, a_stalled_attempt_ends_when_the_client_closes)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "stall after accept, accept");
	uint32_t id = record_builder_attempt(b, api);

	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 0);
	record_builder_established(b, id, 0);
	record_add_event(b->record,
			 &(struct event){.kind = EVENT_FAULT,
					 .at_ns = MS,
					 .u.net = {.attempt = id, .fault = FAULT_STALLED}});
	record_builder_client_end(b, id, 1000, false, NEVER_RECEIVED);
	record_builder_open(b, id, 1700, TCP_FIN_WAIT1);
	record_builder_attempt_connected(b, api, 1700);
	record_builder_client_exits(b, 1900, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 700);
	expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
	expect(b, OUTCOME_PASS, NULL);
}

/* Blocking connect(); on ETIMEDOUT sleep 2 s, then close and again. */
Test(judge_finds, what_the_kernel_timed_out_ends_by_its_schedule)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop, accept");
	uint32_t id = record_builder_attempt(b, api);
	struct history history;

	b->record->syn_retries = 1;
	b->record->syn_linear_timeouts = 0;
	for (uint32_t syn = 1; syn <= 2; syn++) {
		record_builder_syn(b, id, syn, 1000 * (syn - 1));
		record_builder_verdict(b, id, syn, VERDICT_DROP, 1000 * (syn - 1));
	}
	record_builder_closed(b, id, 5020, 0);
	record_builder_or_earlier(b, 4000);
	record_builder_attempt_connected(b, api, 5020);
	record_builder_client_exits(b, 5100, 0);
	history = history_make(b->record);
	cr_expect_eq(history.attempts[0].end, END_TIMED_OUT);
	history_free(&history);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 0)->tolerance =
		(struct tolerance){.absolute_ns = 500 * MS};
	expect(b, OUTCOME_FAIL, "backoff 1");
	b->scenario->n_expectations = 0;
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	expect(b, OUTCOME_PASS, NULL);
}

Test(judge_finds, a_window_that_none_met_is_an_error_beside_a_failure)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "down 2s, accept");
	uint32_t id = record_builder_attempt_connected(b, api, 2200);

	b->record->attempts[id].step = 1;
	record_builder_client_exits(b, 2300, 0);
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "refused");
	record_builder_expect_attempts(b, api, 5, 5);
	expect(b, OUTCOME_ERROR, "no attempt met its condition");
}

Test(judge_finds, attempts_side_by_side_that_are_each_closed_do_not_leak)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");

	for (int i = 0; i < 3; i++)
		record_builder_attempt_dropped(b, api, 2 * i, 1000 + 3 * i);
	record_builder_client_exits(b, 1100, 0);
	expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
	expect(b, OUTCOME_PASS, NULL);
}

Test(judge_finds, bytes_before_the_clients_reset_count)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");
	uint32_t id = record_builder_attempt_connected(b, api, 0);

	record_builder_client_end(b, id, 0, true, 0);
	for (size_t i = 0; i < b->record->n_events; i++)
		if (b->record->events[i].kind == EVENT_CLIENT_END)
			b->record->events[i].u.net.end_sent =
				b->record->events[i].u.net.end_received = 100;
	record_builder_client_exits(b, 10, 0);
	record_builder_expect(b, EXPECT_SENT, api)->value.range.range = (struct range){100, 100};
	record_builder_expect(b, EXPECT_RECEIVED, api)->value.range.range =
		(struct range){100, 100};
	expect(b, OUTCOME_PASS, NULL);
}

Test(judge_finds, what_synfaults_term_closed_was_not_given_up)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	struct expectation *expectation;

	record_builder_attempt_dropped(b, api, 0, 900);
	record_builder_stops(b, 800);
	record_builder_attempt_dropped(b, api, 850, 900);
	record_builder_client_killed(b, 900, 15);
	expectation = record_builder_expect(b, EXPECT_CONNECT_TIMEOUT, api);
	expectation->value.range.range = (struct range){900 * MS, 900 * MS};
	expectation->value.range.exact = true;
	record_builder_expect_attempts(b, api, 1, 1);
	expect(b, OUTCOME_FAIL, "the client never gave an attempt up");
}

Test(judge_finds, a_record_without_looks_is_not_judged_for_what_needs_them)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_client_exits(b, 10, 0);
	record_builder_expect_attempts(b, api, 1, 1);
	expect_most(b, EXPECT_LEAKS, ALL_ENDPOINTS, 0);
	b->record->has_sockets = false;
	expect(b, OUTCOME_ERROR, "run the scenario again");
	b->record->has_sockets = true;
	expect(b, OUTCOME_PASS, NULL);
	b->record->has_starvation = false;
	expect(b, OUTCOME_ERROR, "run the scenario again");
}

Test(judge_finds, a_read_timeout_runs_from_the_last_data_to_the_clients_end)
{
	for (int wrong = 0; wrong <= 1; wrong++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "stall after 10 bytes");
		uint32_t id = record_builder_attempt(b, api);
		struct expectation *expectation;

		record_builder_syn(b, id, 1, 0);
		record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 0);
		record_builder_established(b, id, 0);
		record_add_event(b->record,
				 &(struct event){.kind = EVENT_FAULT,
						 .at_ns = 500 * MS,
						 .u.net = {.attempt = id, .fault = FAULT_STALLED}});
		record_builder_client_end(b, id, wrong ? 4000 : 2500, false, 500 * MS);
		record_builder_client_exits(b, 4100, 0);
		expectation = record_builder_expect(b, EXPECT_READ_TIMEOUT, api);
		expectation->value.range.range = (struct range){2000 * MS, 2000 * MS};
		expectation->value.range.exact = true;
		expectation->tolerance = TOLERANCE_DEFAULT;
		expect(b, wrong ? OUTCOME_FAIL : OUTCOME_PASS, wrong ? "1.30 s too long" : NULL);
	}
}

Test(judge_finds, a_long_last_line_is_shown_cut)
{
	static const char output[] =
		"first\ncurl: (7) Failed to connect to 127.0.0.2 port 8080 after "
		"0 ms: Could not connect to server\n";
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	record_builder_client_writes(b, STREAM_STDERR, 5, output, sizeof(output) - 1);
	record_builder_client_exits(b, 10, 7);
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "timed out");
	expect(b, OUTCOME_FAIL, "the last line is \"curl: (7) Failed to connect");
}
