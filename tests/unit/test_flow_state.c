/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what becomes of a connection's packets: flow_state.h. Sequence numbers wrap in all of
 * them. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "injector/flow_state.h"
#include "injector/step_text.h"

TestSuite(flow);

/* The first byte to the client has CLIENT_FIRST; a few bytes later the number wraps. */
#define SERVER_ISN UINT32_C(0xfffffff0)
#define CLIENT_ISN UINT32_C(0xffffffff)
#define PLENTY     100000

struct bed {
	struct step step;
	struct flow flow;
};

static void begin(struct bed *bed, const char *text)
{
	struct packet syn_ack = {.sequence = SERVER_ISN, .acknowledgment = CLIENT_ISN + 1};
	struct step_error error;

	cr_assert_eq(step_parse(text, &bed->step, &error), 0, "%s: %s", text, error.message);
	flow_init(&bed->flow, &bed->step, CLIENT_ISN);
	flow_answered(&bed->flow, &syn_ack);
}

static struct packet data_at(uint32_t isn, uint32_t place, uint32_t length, uint8_t flags)
{
	return (struct packet){
		.sequence = isn + 1 + place,
		.payload_length = length,
		.flags = TCP_FLAG_ACK | flags,
	};
}

static struct flow_decision to_client(struct bed *bed, uint32_t place, uint32_t length)
{
	struct packet packet = data_at(SERVER_ISN, place, length, 0);

	return flow_take(&bed->flow, FLOW_TO_CLIENT, &packet, PLENTY, 0);
}

static struct flow_decision to_server(struct bed *bed, uint32_t place, uint32_t length,
				      uint8_t flags)
{
	struct packet packet = data_at(CLIENT_ISN, place, length, flags);

	return flow_take(&bed->flow, FLOW_TO_SERVER, &packet, PLENTY, 0);
}

static void expect(struct flow_decision decision, enum flow_action action, bool fault)
{
	cr_expect_eq(decision.action, action, "action %d", decision.action);
	cr_expect_eq(decision.fault, fault, "fault %d", decision.fault);
}

Test(flow, cuts_the_packet_in_which_the_last_byte_lies)
{
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "reset after 1000 bytes");
	expect(to_client(&bed, 0, 600), FLOW_PASS, false);
	cr_expect_eq(flow_left(&bed.flow), 400);
	decision = to_client(&bed, 600, 600);
	expect(decision, FLOW_TRIM, true);
	cr_expect_eq(decision.keep, 400);
	cr_expect_eq(bed.flow.state, FLOW_RESET);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 1000);
	cr_expect_eq(flow_fault_kind(&bed.flow), FAULT_RESET);
}

Test(flow, passes_the_last_byte_whole_when_the_packet_ends_with_it)
{
	struct bed bed;

	begin(&bed, "stall after 1000 bytes");
	expect(to_client(&bed, 0, 1000), FLOW_PASS, true);
	cr_expect_eq(bed.flow.state, FLOW_STALLED);
	expect(to_client(&bed, 1000, 1), FLOW_DROP, false);
	expect(to_server(&bed, 0, 0, TCP_FLAG_FIN), FLOW_DROP, false);
	expect(to_server(&bed, 0, 0, TCP_FLAG_RST), FLOW_DROP, false);
}

Test(flow, counts_what_is_repeated_once)
{
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "close after 1000 bytes");
	for (int i = 0; i < 10; i++)
		expect(to_client(&bed, 0, 300), FLOW_PASS, false);
	expect(to_client(&bed, 100, 300), FLOW_PASS, false);
	cr_expect_eq(flow_left(&bed.flow), 600);
	decision = to_client(&bed, 0, 1200);
	expect(decision, FLOW_TRIM, true);
	cr_expect_eq(decision.keep, 1000);
	cr_expect_eq(bed.flow.state, FLOW_CLOSED);
}

Test(flow, lets_nothing_pass_out_of_order_where_bytes_are_counted)
{
	struct bed bed;

	begin(&bed, "reset after 1000 bytes");
	expect(to_client(&bed, 100, 100), FLOW_DROP, false);
	expect(to_client(&bed, 100, 5000), FLOW_DROP, false);
	expect(to_client(&bed, 0, 100), FLOW_PASS, false);
	expect(to_client(&bed, 100, 100), FLOW_PASS, false);
}

Test(flow, drops_a_packet_that_lacks_the_data_to_cut)
{
	struct packet packet = data_at(SERVER_ISN, 0, 5000, 0);
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "reset after 1000 bytes");
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &packet, 999, 0), FLOW_DROP, false);
	cr_expect_eq(bed.flow.state, FLOW_OPEN);
	cr_expect_eq(flow_left(&bed.flow), 1000);
	decision = flow_take(&bed.flow, FLOW_TO_CLIENT, &packet, 1000, 0);
	expect(decision, FLOW_TRIM, true);
}

Test(flow, cuts_in_two_steps_a_packet_too_large_for_a_message)
{
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "reset after 65000 bytes");
	decision = to_client(&bed, 0, 65500);
	expect(decision, FLOW_TRIM, false);
	cr_expect_eq(decision.keep, 60000);
	decision = to_client(&bed, 60000, 5500);
	expect(decision, FLOW_TRIM, true);
	cr_expect_eq(decision.keep, 5000);
}

Test(flow, comes_instead_of_the_first_byte_when_none_may_pass)
{
	struct bed bed;

	begin(&bed, "close after 0 bytes");
	expect(to_client(&bed, 0, 0), FLOW_PASS, false);
	expect(to_server(&bed, 0, 50, 0), FLOW_PASS, false);
	expect(to_client(&bed, 0, 10), FLOW_DROP, true);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_SERVER), CLIENT_ISN + 1 + 50);
}

Test(flow, counts_the_other_direction_on_request)
{
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "reset after 10 bytes to-server");
	expect(to_client(&bed, 0, 5000), FLOW_PASS, false);
	decision = to_server(&bed, 0, 11, 0);
	expect(decision, FLOW_TRIM, true);
	cr_expect_eq(decision.keep, 10);
}

Test(flow, comes_with_the_end_of_the_handshake)
{
	static const char *const texts[] = {"reset after accept", "stall after accept",
					    "close after accept"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct bed bed;

		begin(&bed, texts[i]);
		expect(to_server(&bed, 0, 0, 0), FLOW_PASS, true);
		cr_expect_neq(bed.flow.state, FLOW_OPEN);
		cr_expect_not(flow_break(&bed.flow));
	}
}

Test(flow, comes_with_time_once)
{
	struct bed bed;

	begin(&bed, "reset after 2s");
	expect(to_server(&bed, 0, 0, 0), FLOW_PASS, false);
	expect(to_client(&bed, 0, 10), FLOW_PASS, false);
	cr_expect(flow_break(&bed.flow));
	cr_expect_not(flow_break(&bed.flow));
	cr_expect_eq(flow_left(&bed.flow), UINT64_MAX);
}

Test(flow, a_reset_connection_is_answered_by_the_servers_kernel)
{
	struct packet reset = data_at(SERVER_ISN, 0, 0, TCP_FLAG_RST);
	struct bed bed;

	begin(&bed, "reset after accept");
	to_server(&bed, 0, 0, 0);
	expect(to_server(&bed, 0, 10, 0), FLOW_PASS, false);
	expect(to_client(&bed, 0, 10), FLOW_ANSWER_RST, false);
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &reset, 0, 0), FLOW_PASS, false);
}

Test(flow, a_closed_connection_is_answered_as_by_a_server_that_is_gone)
{
	struct packet reset = data_at(SERVER_ISN, 0, 0, TCP_FLAG_RST);
	struct bed bed;

	begin(&bed, "close after accept");
	to_server(&bed, 0, 0, 0);
	expect(to_server(&bed, 0, 0, 0), FLOW_DROP, false);
	expect(to_server(&bed, 0, 0, TCP_FLAG_FIN), FLOW_ANSWER_ACK, false);
	expect(to_server(&bed, 0, 10, 0), FLOW_ANSWER_RST, false);
	expect(to_server(&bed, 0, 10, TCP_FLAG_FIN), FLOW_ANSWER_RST, false);
	/* By then no side is left that could acknowledge anything. */
	expect(to_server(&bed, 0, 0, TCP_FLAG_FIN), FLOW_ANSWER_RST, false);
	expect(to_server(&bed, 0, 0, 0), FLOW_ANSWER_RST, false);
	expect(to_server(&bed, 0, 0, TCP_FLAG_RST), FLOW_DROP, false);
	expect(to_client(&bed, 0, 10), FLOW_ANSWER_RST, false);
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &reset, 0, 0), FLOW_DROP, false);
}

Test(flow, counts_a_fin_that_has_passed_into_what_comes_next)
{
	struct bed bed;

	begin(&bed, "close after 2s");
	expect(to_server(&bed, 0, 10, TCP_FLAG_FIN), FLOW_PASS, false);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_SERVER), CLIENT_ISN + 1 + 11);
	/*
	 * an ACK after the FIN has the FIN's sequence number, and does not count as a byte of the
	 * stream
	 */
	expect(to_server(&bed, 11, 0, 0), FLOW_PASS, false);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_SERVER), CLIENT_ISN + 1 + 11);
	cr_expect_eq(bed.flow.streams[FLOW_TO_SERVER].passed, 10);
}

Test(flow, a_side_that_has_ended_still_acknowledges)
{
	struct packet fin = data_at(SERVER_ISN, 40, 0, TCP_FLAG_FIN);
	struct bed bed;

	begin(&bed, "reset after 100 bytes");
	expect(to_client(&bed, 0, 40), FLOW_PASS, false);
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &fin, 0, 0), FLOW_PASS, false);
	expect(to_server(&bed, 0, 1000, 0), FLOW_PASS, false);
	expect(to_client(&bed, 41, 0), FLOW_PASS, false);
	cr_expect(flow_break(&bed.flow), "the client still sends");
}

Test(flow, ended_connection_meets_no_fault)
{
	struct packet fin = data_at(SERVER_ISN, 40, 0, TCP_FLAG_FIN);
	struct packet reset = data_at(SERVER_ISN, 0, 0, TCP_FLAG_RST);
	struct bed bed;

	begin(&bed, "stall after 2s"); /* both sides have closed */
	flow_take(&bed.flow, FLOW_TO_CLIENT, &fin, 0, 0);
	expect(to_server(&bed, 0, 10, TCP_FLAG_FIN), FLOW_PASS, false);
	cr_expect_not(flow_break(&bed.flow));
	expect(to_client(&bed, 0, 40), FLOW_PASS, false);

	begin(&bed, "reset after 10 bytes"); /* the server has reset it */
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &reset, 0, 0), FLOW_PASS, false);
	expect(to_client(&bed, 0, 40), FLOW_PASS, false);
	cr_expect_not(flow_break(&bed.flow));
	cr_expect_eq(flow_left(&bed.flow), UINT64_MAX);

	begin(&bed, "close after 2s"); /* its client is gone, though the server keeps it */
	flow_end(&bed.flow);
	cr_expect_not(flow_break(&bed.flow));
}

Test(flow, what_the_server_has_closed_can_not_be_closed_early)
{
	struct packet fin = data_at(SERVER_ISN, 40, 0, TCP_FLAG_FIN);
	struct bed bed;

	begin(&bed, "close after 10 bytes to-server");
	expect(to_client(&bed, 0, 40), FLOW_PASS, false);
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &fin, 0, 0), FLOW_PASS, false);
	expect(to_server(&bed, 0, 40, 0), FLOW_PASS, false);
	cr_expect_not(flow_break(&bed.flow));
}

Test(flow, a_fin_right_after_the_last_byte_does_not_pass)
{
	struct packet last = data_at(SERVER_ISN, 40, 60, TCP_FLAG_FIN);
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "reset after 100 bytes");
	expect(to_client(&bed, 0, 40), FLOW_PASS, false);
	decision = flow_take(&bed.flow, FLOW_TO_CLIENT, &last, PLENTY, 0);
	expect(decision, FLOW_TRIM, true);
	cr_expect_eq(decision.keep, 60);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 100);
}

Test(flow, a_slow_line_sends_one_packet_after_the_other)
{
	struct packet fin = data_at(SERVER_ISN, 2000, 0, TCP_FLAG_FIN);
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "slow 1000 bytes/s");
	decision = to_client(&bed, 0, 1000);
	expect(decision, FLOW_HOLD, false);
	cr_expect_eq(decision.due_ns, NS_PER_S);
	decision = to_client(&bed, 1000, 1000);
	cr_expect_eq(decision.due_ns, 2 * NS_PER_S);
	cr_expect_eq(decision.end, 2000);
	/* repeated while it waits, and after */
	expect(to_client(&bed, 0, 1000), FLOW_DROP, false);
	flow_released(&bed.flow, FLOW_TO_CLIENT, 1000);
	expect(to_client(&bed, 0, 1000), FLOW_PASS, false);
	/* packets without data don't wait, but a FIN does */
	expect(to_client(&bed, 2000, 0), FLOW_PASS, false);
	decision = flow_take(&bed.flow, FLOW_TO_CLIENT, &fin, 0, 0);
	expect(decision, FLOW_HOLD, false);
	cr_expect_eq(decision.due_ns, 2 * NS_PER_S);
	expect(to_server(&bed, 0, 100, 0), FLOW_PASS, false);
}

Test(flow, handles_only_steps_that_need_it)
{
	static const struct {
		const char *text;
		enum flow_handling handling;
	} cases[] = {
		{"accept", FLOW_UNTOUCHED},        {"refuse", FLOW_UNTOUCHED},
		{"lose-synack 1", FLOW_UNTOUCHED}, {"backlog-full", FLOW_UNTOUCHED},
		{"half-open", FLOW_QUEUED},        {"backlog-full abort", FLOW_REJECTED},
		{"reset after 1s", FLOW_QUEUED},   {"slow 1 KB/s", FLOW_QUEUED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step_error error;
		struct step step;

		cr_assert_eq(step_parse(cases[i].text, &step, &error), 0);
		cr_expect_eq(flow_handling(&step), cases[i].handling, "%s", cases[i].text);
		/* a rule that drops outgoing packets reports that to the sender */
	}
}

Test(flow, slow_lines_carry_small_segments)
{
	cr_expect_eq(flow_mss(1), 88);
	cr_expect_eq(flow_mss(10000), 500);
	cr_expect_eq(flow_mss(UINT64_MAX), 1460);
}

Test(flow, is_cut_by_an_outage_at_the_place_where_both_streams_are)
{
	static const struct {
		enum step_ending ending;
		enum flow_state state;
		enum fault_kind fault;
	} cases[] = {
		{STEP_ENDS_RESET, FLOW_RESET, FAULT_RESET},
		{STEP_ENDS_CLOSE, FLOW_CLOSED, FAULT_CLOSED},
		{STEP_ENDS_STALL, FLOW_STALLED, FAULT_STALLED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bed bed;

		begin(&bed, "accept");
		expect(to_server(&bed, 0, 70, 0), FLOW_PASS, false);
		expect(to_client(&bed, 0, 500), FLOW_PASS, false);
		cr_expect(flow_is_open(&bed.flow));
		cr_expect(flow_cut(&bed.flow, cases[i].ending));
		cr_expect_not(flow_is_open(&bed.flow));
		cr_expect_eq(bed.flow.state, cases[i].state);
		cr_expect_eq(flow_fault_kind(&bed.flow), cases[i].fault);
		cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 500);
		cr_expect_eq(flow_next(&bed.flow, FLOW_TO_SERVER), CLIENT_ISN + 1 + 70);
		cr_expect_not(flow_cut(&bed.flow, STEP_ENDS_RESET), "it is cut once");
	}
}

Test(flow, is_not_cut_after_both_sides_have_closed)
{
	struct packet fin = data_at(SERVER_ISN, 0, 0, TCP_FLAG_FIN);
	struct bed bed;

	begin(&bed, "accept");
	expect(to_server(&bed, 0, 0, TCP_FLAG_FIN), FLOW_PASS, false);
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &fin, PLENTY, 0), FLOW_PASS, false);
	cr_expect_not(flow_cut(&bed.flow, STEP_ENDS_RESET));
}

Test(flow, is_reset_if_the_server_has_sent_its_fin_and_can_not_close)
{
	struct packet fin = data_at(SERVER_ISN, 0, 10, TCP_FLAG_FIN);
	struct bed bed;

	begin(&bed, "accept");
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &fin, PLENTY, 0), FLOW_PASS, false);
	cr_expect(flow_cut(&bed.flow, STEP_ENDS_CLOSE));
	cr_expect_eq(bed.flow.state, FLOW_RESET);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 11);
}

Test(flow, that_is_slow_is_cut_after_what_has_arrived)
{
	struct flow_decision decision;
	struct packet fin;
	struct bed bed;

	begin(&bed, "slow 1000 bytes/s");
	decision = to_client(&bed, 0, 500);
	expect(decision, FLOW_HOLD, false);
	fin = data_at(SERVER_ISN, 500, 300, TCP_FLAG_FIN);
	expect(flow_take(&bed.flow, FLOW_TO_CLIENT, &fin, PLENTY, 0), FLOW_HOLD, false);
	flow_released(&bed.flow, FLOW_TO_CLIENT, decision.end);
	flow_drop_held(&bed.flow);
	cr_expect(flow_cut(&bed.flow, STEP_ENDS_CLOSE));
	cr_expect_eq(bed.flow.state, FLOW_CLOSED);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 500);
}

Test(flow, passes_everything_again_after_a_stall_for_a_time)
{
	struct bed bed;

	begin(&bed, "stall after 1000 bytes for 2s");
	cr_expect_not(flow_heals(&bed.flow));
	cr_expect_not(flow_heal(&bed.flow));
	expect(to_client(&bed, 0, 1000), FLOW_PASS, true);
	expect(to_client(&bed, 1000, 500), FLOW_DROP, false);
	expect(to_server(&bed, 0, 50, 0), FLOW_DROP, false);
	cr_expect(flow_heals(&bed.flow));
	cr_expect(flow_heal(&bed.flow));
	cr_expect_not(flow_heal(&bed.flow));
	expect(to_client(&bed, 1000, 500), FLOW_PASS, false);
	expect(to_client(&bed, 1500, 60000), FLOW_PASS, false);
	expect(to_server(&bed, 0, 50, TCP_FLAG_FIN), FLOW_PASS, false);
	cr_expect_not(flow_break(&bed.flow));
	cr_expect_eq(flow_left(&bed.flow), UINT64_MAX);
}

Test(flow, never_heals_without_a_time)
{
	static const char *const texts[] = {"stall after accept", "half-open"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct bed bed;

		begin(&bed, texts[i]);
		(void)to_server(&bed, 0, 0, 0);
		cr_expect_eq(bed.flow.state, FLOW_STALLED);
		cr_expect_not(flow_heals(&bed.flow));
		cr_expect_not(flow_heal(&bed.flow));
		expect(to_server(&bed, 0, 1, 0), FLOW_DROP, false);
	}
}

Test(flow, stalls_one_direction)
{
	struct bed bed;

	begin(&bed, "stall from-server after 2s");
	cr_expect(flow_break(&bed.flow));
	expect(to_client(&bed, 0, 10), FLOW_DROP, false);
	expect(to_client(&bed, 0, 0), FLOW_DROP, false);
	expect(to_server(&bed, 0, 10, 0), FLOW_PASS, false);
	expect(to_server(&bed, 10, 0, TCP_FLAG_FIN), FLOW_PASS, false);
	begin(&bed, "stall to-server after 2s");
	cr_expect(flow_break(&bed.flow));
	expect(to_client(&bed, 0, 10), FLOW_PASS, false);
	expect(to_server(&bed, 0, 10, 0), FLOW_DROP, false);
	expect(to_server(&bed, 0, 0, 0), FLOW_DROP, false);
}

Test(flow, cuts_no_packet_of_the_direction_that_a_stall_leaves_alone)
{
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "stall from-server after accept");
	expect(to_server(&bed, 0, 50, 0), FLOW_PASS, true);
	expect(to_client(&bed, 0, 50), FLOW_DROP, false);
	begin(&bed, "stall from-server after 10 bytes to-server");
	expect(to_server(&bed, 0, 9, 0), FLOW_PASS, false);
	expect(to_server(&bed, 9, 50, 0), FLOW_PASS, true);
	expect(to_client(&bed, 0, 50), FLOW_DROP, false);
	begin(&bed, "stall to-server after 10 bytes to-server");
	decision = to_server(&bed, 0, 50, 0);
	expect(decision, FLOW_TRIM, true);
	cr_expect_eq(decision.keep, 10);
	begin(&bed, "stall to-server after accept");
	decision = to_server(&bed, 0, 50, 0);
	expect(decision, FLOW_TRIM, true);
	cr_expect_eq(decision.keep, 0);
	begin(&bed, "stall from-server after 0 bytes");
	expect(to_client(&bed, 0, 10), FLOW_DROP, true);
	begin(&bed, "stall to-server after 0 bytes");
	expect(to_client(&bed, 0, 0), FLOW_PASS, false);
	expect(to_client(&bed, 0, 10), FLOW_PASS, true);
}

static struct flow_decision to_client_at(struct bed *bed, uint32_t place, uint32_t length,
					 uint8_t flags, int64_t now_ns)
{
	struct packet packet = data_at(SERVER_ISN, place, length, flags);

	return flow_take(&bed->flow, FLOW_TO_CLIENT, &packet, PLENTY, now_ns);
}

Test(flow, loses_what_a_slow_line_holds_when_it_breaks)
{
	static const char *const texts[] = {"slow 1000 bytes/s then close after 2s",
					    "slow 1000 bytes/s then reset after 2s"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct flow_decision decision;
		struct bed bed;

		begin(&bed, texts[i]);
		decision = to_client_at(&bed, 0, 500, 0, 0);
		expect(decision, FLOW_HOLD, false);
		expect(to_client_at(&bed, 500, 500, TCP_FLAG_FIN, 0), FLOW_HOLD, false);
		flow_released(&bed.flow, FLOW_TO_CLIENT, decision.end);
		cr_expect(flow_break(&bed.flow));
		cr_expect(flow_loses_held(&bed.flow));
		flow_drop_held(&bed.flow);
		cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 500);
	}
}

Test(flow, breaks_a_slow_line_though_both_sides_have_closed_while_a_fin_is_held)
{
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "slow 1000 bytes/s then close after 2s");
	decision = to_client_at(&bed, 0, 500, TCP_FLAG_FIN, 0);
	expect(to_server(&bed, 0, 0, TCP_FLAG_FIN), FLOW_PASS, false);
	cr_expect_not(bed.flow.over);
	cr_expect(flow_break(&bed.flow));
	begin(&bed, "slow 1000 bytes/s then close after 2s");
	decision = to_client_at(&bed, 0, 500, TCP_FLAG_FIN, 0);
	expect(to_server(&bed, 0, 0, TCP_FLAG_FIN), FLOW_PASS, false);
	flow_released(&bed.flow, FLOW_TO_CLIENT, decision.end);
	cr_expect(bed.flow.over);
	cr_expect_not(flow_break(&bed.flow));
}

Test(flow, is_slow_again_after_a_stall)
{
	struct flow_decision decision;
	struct bed bed;

	begin(&bed, "slow 1000 bytes/s then stall after 2s for 3s");
	expect(to_client_at(&bed, 0, 10000, 0, 0), FLOW_HOLD, false);
	cr_expect(flow_break(&bed.flow));
	cr_expect(flow_loses_held(&bed.flow));
	flow_drop_held(&bed.flow);
	expect(to_client_at(&bed, 0, 10000, 0, 3 * NS_PER_S), FLOW_DROP, false);
	cr_expect(flow_heal(&bed.flow));
	cr_expect_not(flow_loses_held(&bed.flow));
	decision = to_client_at(&bed, 0, 500, 0, 5 * NS_PER_S);
	expect(decision, FLOW_HOLD, false);
	cr_expect_eq(decision.due_ns, 5 * NS_PER_S + NS_PER_S / 2);
}

Test(flow, stays_slow_in_the_direction_that_a_stall_leaves_alone)
{
	struct bed bed;

	begin(&bed, "slow 1000 bytes/s then stall to-server after 2s");
	expect(to_client_at(&bed, 0, 500, 0, 0), FLOW_HOLD, false);
	cr_expect(flow_break(&bed.flow));
	cr_expect_not(flow_loses_held(&bed.flow));
	expect(to_client_at(&bed, 500, 500, 0, 0), FLOW_HOLD, false);
	expect(to_server(&bed, 0, 10, 0), FLOW_DROP, false);
}

#define MANY 20000

/* Sends many packets to the client; returns how many were lost, and *@ret_runs: in how many runs.
 */
static int count_lost(const char *text, uint64_t seed, int *ret_runs)
{
	bool before = false;
	int n_lost = 0;
	struct bed bed;

	begin(&bed, text);
	flow_seed(&bed.flow, seed);
	*ret_runs = 0;
	for (uint32_t i = 0; i < MANY; i++) {
		struct flow_decision decision = to_client(&bed, i * 100, 100);

		expect(decision, decision.lost ? FLOW_DROP : FLOW_PASS, false);
		n_lost += decision.lost;
		*ret_runs += decision.lost && !before;
		before = decision.lost;
	}
	return n_lost;
}

Test(flow, loses_its_share_of_packets_independently)
{
	int n_runs, n_lost = count_lost("packet-loss 10%", 42, &n_runs);

	/* five standard deviations, which is 42 */
	cr_expect(n_lost > 2000 - 212 && n_lost < 2000 + 212, "%d", n_lost);
	cr_expect_gt(n_runs, n_lost * 8 / 10);
}

/*
 * The model of Gilbert: a chain of two states, good and bad. With the loss p, and bursts of b
 * packets on average, it leaves the bad state with 1/b and the good one with p/(1-p)/b. The states
 * of packets that are k apart correlate by r^k, with r = 1 - 1/b/(1-p). So of n packets
 * n·p·(1-p)·(1+r)/(1-r) is the variance of the number that is lost. The length of a burst is
 * geometric, with the variance b·(b-1).
 */
Test(flow, loses_its_share_of_packets_in_bursts_as_the_model_does)
{
	static const struct {
		const char *text;
		double loss, burst;
	} cases[] = {
		{"packet-loss 2% burst 5", 0.02, 5},   {"packet-loss 10% burst 2", 0.1, 2},
		{"packet-loss 10% burst 5", 0.1, 5},   {"packet-loss 50% burst 3", 0.5, 3},
		{"packet-loss 5% burst 20", 0.05, 20}, {"packet-loss 80% burst 10", 0.8, 10},
		{"packet-loss 10%", 0.1, 1 / 0.9},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const double p = cases[i].loss, b = cases[i].burst;
		const double r = 1 - 1 / b / (1 - p);
		const double n = 10 * MANY, variance = n * p * (1 - p) * (1 + r) / (1 - r);
		double lost, length;
		int n_lost = 0, n_runs = 0;

		for (uint64_t seed = 1; seed <= 10; seed++) {
			int runs;

			n_lost += count_lost(cases[i].text, seed, &runs);
			n_runs += runs;
		}
		lost = n_lost;
		length = lost / n_runs;
		/* squares of four standard deviations */
		cr_expect_lt((lost - n * p) * (lost - n * p), 16 * variance, "%s: %d lost",
			     cases[i].text, n_lost);
		cr_expect_lt((length - b) * (length - b), 16 * b * (b - 1) / n_runs,
			     "%s: %d lost in %d runs", cases[i].text, n_lost, n_runs);
	}
}

Test(flow, loses_the_same_packets_with_the_same_seed)
{
	struct bed beds[3];
	int n_other = 0;

	for (int i = 0; i < 3; i++) {
		begin(&beds[i], "packet-loss 30%");
		flow_seed(&beds[i].flow, i < 2 ? 7 : 8);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		bool lost = to_client(&beds[0], i * 10, 10).lost;

		/* the other direction has draws of its own */
		(void)to_server(&beds[1], i * 10, 10, 0);
		cr_expect_eq(to_client(&beds[1], i * 10, 10).lost, lost, "packet %u", i);
		n_other += to_client(&beds[2], i * 10, 10).lost != lost;
	}
	cr_expect_gt(n_other, 100);
}

Test(flow, loses_only_packets_with_data_in_the_direction_that_is_named)
{
	int n_lost = 0;
	struct bed bed;

	begin(&bed, "packet-loss 50% to-server");
	for (uint32_t i = 0; i < 200; i++) {
		expect(to_client(&bed, i * 10, 10), FLOW_PASS, false);
		expect(to_server(&bed, 0, 0, 0), FLOW_PASS, false);
		n_lost += to_server(&bed, i * 10, 10, 0).lost;
	}
	cr_expect(n_lost > 60 && n_lost < 140, "%d", n_lost);
	expect(to_server(&bed, 0, 0, TCP_FLAG_FIN), FLOW_PASS, false);
}

static struct flow_decision to_server_at(struct bed *bed, uint32_t place, uint32_t length,
					 uint8_t flags, int64_t now_ns)
{
	struct packet packet = data_at(CLIENT_ISN, place, length, flags);

	return flow_take(&bed->flow, FLOW_TO_SERVER, &packet, PLENTY, now_ns);
}

static void expect_due(struct flow_decision decision, int64_t due_ns)
{
	expect(decision, FLOW_HOLD, false);
	cr_expect_eq(decision.due_ns, due_ns, "%lld", (long long)decision.due_ns);
}

Test(flow, delays_all_packets_but_the_end_of_the_handshake)
{
	const int64_t ms = NS_PER_MS;
	struct bed bed;

	begin(&bed, "latency 50ms");
	expect(to_server_at(&bed, 0, 0, 0, 0), FLOW_PASS, false);
	expect_due(to_server_at(&bed, 0, 100, 0, ms), 51 * ms);
	expect_due(to_client_at(&bed, 0, 0, 0, 2 * ms), 52 * ms);
	expect_due(to_client_at(&bed, 0, 10, TCP_FLAG_FIN, 3 * ms), 53 * ms);
	/* a retransmission, too */
	expect_due(to_server_at(&bed, 0, 100, 0, 4 * ms), 54 * ms);
	expect_due(to_server_at(&bed, 100, 0, TCP_FLAG_RST, 5 * ms), 55 * ms);
	begin(&bed, "latency 50ms");
	expect_due(to_server_at(&bed, 0, 100, 0, ms), 51 * ms);
	begin(&bed, "latency 50ms from-server");
	expect(to_server_at(&bed, 0, 100, 0, ms), FLOW_PASS, false);
	expect_due(to_client_at(&bed, 0, 10, 0, 2 * ms), 52 * ms);
}

Test(flow, jitter_keeps_the_order_and_its_bounds)
{
	const int64_t low_ns = 40 * NS_PER_MS, high_ns = 60 * NS_PER_MS;
	int64_t last_ns = 0, least_ns = INT64_MAX, most_ns = 0;
	struct bed bed, same, other;
	uint32_t n_other = 0;

	begin(&bed, "latency 50ms jitter 10ms");
	begin(&same, "latency 50ms jitter 10ms");
	begin(&other, "latency 50ms jitter 10ms");
	flow_seed(&bed.flow, 7);
	flow_seed(&same.flow, 7);
	flow_seed(&other.flow, 8);
	for (uint32_t i = 0; i < 1000; i++) {
		int64_t now_ns = i * 100 * NS_PER_MS;
		int64_t due_ns = to_client_at(&bed, i * 10, 10, 0, now_ns).due_ns;

		least_ns = MIN(least_ns, due_ns - now_ns);
		most_ns = MAX(most_ns, due_ns - now_ns);
		(void)to_server_at(&same, i, 1, 0, now_ns);
		expect_due(to_client_at(&same, i * 10, 10, 0, now_ns), due_ns);
		n_other += to_client_at(&other, i * 10, 10, 0, now_ns).due_ns != due_ns;
	}
	cr_expect(least_ns >= low_ns && least_ns < low_ns + NS_PER_MS);
	cr_expect(most_ns < high_ns && most_ns > high_ns - NS_PER_MS);
	cr_expect_gt(n_other, 990);
	for (uint32_t i = 0; i < 100; i++) {
		int64_t due_ns = to_client_at(&bed, 10000 + i * 10, 10, 0, 100 * NS_PER_S).due_ns;

		cr_expect_geq(due_ns, last_ns);
		last_ns = due_ns;
	}
	cr_expect_gt(last_ns, 100 * NS_PER_S + 55 * NS_PER_MS);
}

Test(flow, with_latency_is_cut_after_what_has_arrived)
{
	struct flow_decision first;
	struct bed bed;

	begin(&bed, "latency 50ms");
	first = to_client_at(&bed, 0, 500, 0, 0);
	expect(to_client_at(&bed, 500, 300, TCP_FLAG_FIN, 0), FLOW_HOLD, false);
	expect(to_server_at(&bed, 0, 20, 0, 0), FLOW_HOLD, false);
	flow_released(&bed.flow, FLOW_TO_CLIENT, first.end);
	flow_drop_held(&bed.flow);
	cr_expect(flow_cut(&bed.flow, STEP_ENDS_CLOSE));
	cr_expect_eq(bed.flow.state, FLOW_CLOSED);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 500);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_SERVER), CLIENT_ISN + 1);
}

Test(flow, with_latency_keeps_a_fin_that_has_arrived)
{
	struct flow_decision fin;
	struct bed bed;

	begin(&bed, "latency 50ms");
	fin = to_client_at(&bed, 0, 500, TCP_FLAG_FIN, 0);
	flow_released(&bed.flow, FLOW_TO_CLIENT, fin.end);
	expect(to_client_at(&bed, 501, 0, 0, 0), FLOW_HOLD, false);
	flow_drop_held(&bed.flow);
	cr_expect_eq(flow_next(&bed.flow, FLOW_TO_CLIENT), SERVER_ISN + 1 + 501);
	/* a server that has closed can only reset */
	cr_expect(flow_cut(&bed.flow, STEP_ENDS_CLOSE));
	cr_expect_eq(bed.flow.state, FLOW_RESET);
}

Test(flow, with_latency_has_ended_when_both_ends_have_arrived)
{
	struct flow_decision to_client, to_server;
	struct bed bed;

	begin(&bed, "latency 50ms");
	to_client = to_client_at(&bed, 0, 0, TCP_FLAG_FIN, 0);
	to_server = to_server_at(&bed, 0, 0, TCP_FLAG_FIN, 0);
	flow_released(&bed.flow, FLOW_TO_CLIENT, to_client.end);
	cr_expect(flow_is_open(&bed.flow));
	flow_released(&bed.flow, FLOW_TO_SERVER, to_server.end);
	cr_expect_not(flow_is_open(&bed.flow));
}

Test(flow, that_was_paused_can_still_be_broken)
{
	struct bed bed;

	begin(&bed, "reset after 1000 bytes");
	for (int i = 0; i < 2; i++) {
		cr_expect(flow_cut(&bed.flow, STEP_ENDS_PAUSE));
		cr_expect_not(flow_cut(&bed.flow, STEP_ENDS_RESET), "not before it heals");
		expect(to_client(&bed, 0, 500), FLOW_DROP, false);
		expect(to_server(&bed, 0, 5, 0), FLOW_DROP, false);
		cr_expect(flow_heal(&bed.flow));
		cr_expect_not(flow_heal(&bed.flow));
	}
	expect(to_server(&bed, 0, 5, 0), FLOW_PASS, false);
	expect(to_client(&bed, 0, 500), FLOW_PASS, false);
	expect(to_client(&bed, 500, 500), FLOW_PASS, true);
	cr_expect_eq(bed.flow.state, FLOW_RESET);
}
