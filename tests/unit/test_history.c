/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the story of each attempt: how and when it ended. */
#include <criterion/criterion.h>

#include "common/strbuf.h"
#include "runner/report/attempt_view.h"
#include "tests/lib/record_builder.h"

TestSuite(history);

#define MS NS_PER_MS

/* The story of the only attempt, or of the one asked for. */
static struct attempt_history story(struct record_builder *b, uint32_t id)
{
	struct history history = history_make(b->record);
	struct attempt_history attempt = history.attempts[id];

	attempt.details = NULL;
	history_free(&history);
	return attempt;
}

/* The details of an attempt, which its history keeps apart. */
static struct attempt_details details_of(struct record_builder *b, uint32_t id)
{
	struct history history = history_make(b->record);
	struct attempt_details details = history.details[id];

	details.faults = NULL;
	history_free(&history);
	return details;
}

static void expect_end(const struct attempt_history *attempt, enum attempt_end end, int64_t at_ms)
{
	cr_expect_str_eq(attempt_end_name(attempt->end), attempt_end_name(end));
	if (end != END_OPEN)
		cr_expect_eq(attempt->ended_ns, at_ms * MS, "ended at %jd ns",
			     (intmax_t)attempt->ended_ns);
}

Test(history, a_refused_attempt_ends_with_the_rst)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "delay 300ms then refuse");
	uint32_t id = record_builder_attempt_refused_late(b, api, 100, 300);
	struct attempt_history attempt = story(b, id);

	expect_end(&attempt, END_REFUSED, 400);
	cr_expect_eq(attempt.started_ns, 100 * MS);
	cr_expect_eq(attempt.closed_ns, 400 * MS);
	cr_expect_eq(details_of(b, id).refused, 1);
}

Test(history, a_connected_attempt_ends_with_the_handshake_not_with_its_socket)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "lose 2");
	uint32_t id = record_builder_attempt_lost(b, api, 0, 2);
	struct attempt_history attempt = story(b, id);

	expect_end(&attempt, END_ESTABLISHED, 2000);
	cr_expect_eq(attempt.syns, 3);
	cr_expect_eq(details_of(b, id).dropped, 2);
	cr_expect_eq(details_of(b, id).accepted, 1);
	cr_expect_eq(attempt.closed_ns, 2001 * MS);
}

Test(history, a_dropped_attempt_ends_when_the_client_gives_up)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	uint32_t id = record_builder_attempt_dropped(b, api, 0, 2500);
	struct attempt_history attempt = story(b, id);

	expect_end(&attempt, END_ABANDONED, 2500);
	cr_expect_eq(attempt.syns, 3);
	cr_expect_eq(details_of(b, id).dropped, 3);
	cr_expect_eq(details_of(b, id).kernel_retransmissions, 2);
}

Test(history, an_attempt_at_a_closed_port_ends_at_once_however_late_its_socket_dies)
{
	static const int64_t closed_ms[] = {100, 101, 1500, 9000};

	for (size_t i = 0; i < ARRAY_SIZE(closed_ms); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "accept");
		uint32_t id = record_builder_attempt_rejected(b, api, 100, closed_ms[i]);
		struct attempt_history attempt = story(b, id);

		expect_end(&attempt, END_REJECTED, 100);
	}
}

Test(history, an_accepted_attempt_that_goes_on_sending_got_no_answer)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");
	uint32_t id = record_builder_attempt(b, api);
	struct attempt_history attempt;

	for (uint32_t ordinal = 1; ordinal <= 2; ordinal++) {
		record_builder_syn(b, id, ordinal, 1000 * (ordinal - 1));
		record_builder_verdict(b, id, ordinal, VERDICT_ACCEPT, 1000 * (ordinal - 1));
	}
	record_builder_closed(b, id, 1500, 1);
	attempt = story(b, id);
	expect_end(&attempt, END_ABANDONED, 1500);
}

Test(history, retransmissions_while_the_first_syn_is_held_do_not_make_it_unanswered)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "delay 2500ms");
	uint32_t id = record_builder_attempt(b, api);
	struct attempt_history attempt;

	record_builder_syn(b, id, 1, 0);
	record_builder_syn(b, id, 2, 1000);
	record_builder_syn(b, id, 3, 2000);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 2500);
	record_builder_closed(b, id, 2600, 2);
	attempt = story(b, id);
	expect_end(&attempt, END_REJECTED, 2500);
}

Test(history, a_client_that_gave_up_while_its_syn_was_held_did_not_see_what_came_later)
{
	static const enum verdict_kind verdicts[] = {VERDICT_ACCEPT, VERDICT_REFUSE};

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "delay 1s");
		uint32_t id = record_builder_attempt(b, api);
		struct attempt_history attempt;

		record_builder_syn(b, id, 1, 0);
		record_builder_closed(b, id, 400, 0);
		record_builder_verdict(b, id, 1, verdicts[i], 1000);
		if (verdicts[i] == VERDICT_ACCEPT)
			record_builder_established(b, id, 1000);
		attempt = story(b, id);
		expect_end(&attempt, END_ABANDONED, 400);
	}
}

Test(history, a_socket_that_never_died_leaves_its_attempt_open)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	uint32_t id = record_builder_attempt_left_open(b, api, 0);
	struct attempt_history attempt = story(b, id);

	expect_end(&attempt, END_OPEN, 0);
	cr_expect_eq(attempt.closed_ns, INT64_MAX);
}

Test(history, keeps_the_longest_lag_of_an_attempt)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "drop");
	uint32_t id = record_builder_attempt_dropped(b, api, 0, 2500);

	for (size_t i = 0; i < b->record->n_events; i++)
		if (b->record->events[i].kind == EVENT_VERDICT)
			b->record->events[i].u.net.lag_ns =
				b->record->events[i].u.net.ordinal == 2 ? 7000 : 30;
	cr_expect_eq(details_of(b, id).max_lag_ns, 7000);
}

Test(history, attempts_of_an_endpoint_come_in_their_order)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t one = record_builder_endpoint(b, "one", "refuse");
	size_t two = record_builder_endpoint(b, "two", "refuse");
	struct history history;
	const struct attempt_history **attempts;

	record_builder_attempt_refused(b, one, 0);
	record_builder_attempt_refused(b, two, 10);
	record_builder_attempt_refused(b, one, 20);
	history = history_make(b->record);

	cr_assert_eq(history_of(&history, one, &attempts), 2);
	cr_expect_eq(attempts[0]->id, 0);
	cr_expect_eq(attempts[1]->id, 2);
	free(attempts);
	cr_assert_eq(history_of(&history, two, &attempts), 1);
	cr_expect_eq(attempts[0]->id, 1);
	free(attempts);
	cr_assert_eq(history_of(&history, ALL_ENDPOINTS, &attempts), 3);
	cr_expect_eq(attempts[2]->id, 2);
	free(attempts);
	history_free(&history);
}

Test(history, events_of_attempts_that_are_not_there_are_ignored)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	record_builder_attempt_refused(b, api, 0);
	record_builder_syn(b, 7, 1, 5);
	cr_expect_eq(story(b, 0).syns, 1);
}

/* Adds a fault of an outage; 0: of the attempt's own step. */
static void fault_at(struct record_builder *b, uint32_t id, int64_t at_ms, enum fault_kind kind,
		     uint32_t outage)
{
	record_add_event(
		b->record,
		&(struct event){.kind = EVENT_FAULT,
				.at_ns = at_ms * MS,
				.u.net = {.attempt = id, .fault = kind, .outage = outage}});
}

/* Step 1 pauses a connection from 50 ms to 80 ms, then @kind ends it if that is a fault. */
static void expect_words(enum fault_kind kind, uint32_t outage, const char *words)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "pause 30ms at 50ms, accept");
	uint32_t id = record_builder_attempt(b, api);
	AUTO_STRBUF struct strbuf text = {0};
	struct history history;

	record_builder_syn(b, id, 1, 0);
	record_builder_verdict(b, id, 1, VERDICT_ACCEPT, 0);
	record_builder_established(b, id, 0);
	b->record->attempts[id].step = 1;
	fault_at(b, id, 50, FAULT_STALLED, 1);
	fault_at(b, id, 80, FAULT_HEALED, 1);
	if (kind != FAULT_N_KINDS)
		fault_at(b, id, 150, kind, outage);
	history = history_make(b->record);
	attempt_add_end(&history.attempts[id], false, &text);
	cr_expect_str_eq(strbuf_text(&text), words);
	history_free(&history);
}

Test(history, fault_after_a_pause_is_what_ended_the_connection)
{
	expect_words(FAULT_N_KINDS, 0, "connected after 0, then stalled, then healed by step 1");
	expect_words(FAULT_RESET, 2, "connected after 0, then reset by step 2");
	expect_words(FAULT_RESET, 0, "connected after 0, then reset");
	expect_words(FAULT_CLOSED, 0, "connected after 0, then closed");
	expect_words(FAULT_STALLED, 2, "connected after 0, then stalled by step 2");
}
