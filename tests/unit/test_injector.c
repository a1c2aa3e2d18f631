/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The injector without a kernel: packets are made here, verdicts land in a list, the clock is
 * turned by hand. libevent's timers run by the real clock, so held SYNs are held for milliseconds
 * only.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "injector/injector.h"
#include "injector/step_text.h"

#define MAX_ITEMS 64
#define START_NS  (1000 * NS_PER_S)

struct given_verdict {
	uint32_t packet_id;
	enum verdict_kind kind;
};

/* The fake kernel, and everything the injector said. */
struct bed {
	struct event_base *base;
	struct injector *injector;
	int64_t now_ns;
	int verdict_error; /* what set_verdict() returns */
	struct given_verdict verdicts[MAX_ITEMS];
	size_t n_verdicts;
	struct injector_event events[MAX_ITEMS];
	size_t n_events;
	char *problems[MAX_ITEMS];
	size_t n_problems, n_fatal;
	uint32_t next_packet_id;
	/* The kernel's table of sockets; for others a look fails as .find_error says. */
	struct fake_socket {
		uint16_t port;
		struct sock_found found;
	} sockets[MAX_ITEMS];
	size_t n_sockets;
	bool has_sockets;
	int find_error; /* 0: -ENOENT */
};

static int fake_set_verdict(void *context, uint32_t packet_id, const struct packet_verdict *verdict)
{
	struct bed *bed = context;

	if (bed->verdict_error < 0)
		return bed->verdict_error;
	cr_assert_lt(bed->n_verdicts, MAX_ITEMS);
	bed->verdicts[bed->n_verdicts++] = (struct given_verdict){packet_id, verdict->kind};
	return 0;
}

static int64_t fake_now_ns(void *context)
{
	const struct bed *bed = context;

	return bed->now_ns;
}

static int fake_find_socket(void *context, const struct address *local,
			    const struct address *remote, struct sock_found *ret)
{
	const struct bed *bed = context;

	for (size_t i = 0; i < bed->n_sockets; i++) {
		if (bed->sockets[i].port != local->port)
			continue;
		*ret = bed->sockets[i].found;
		return 0;
	}
	return bed->find_error ? bed->find_error : -ENOENT;
}

static void note_event(void *userdata, const struct injector_event *event)
{
	struct bed *bed = userdata;

	cr_assert_lt(bed->n_events, MAX_ITEMS);
	bed->events[bed->n_events++] = *event;
}

static void note_problem(void *userdata, enum injector_problem kind, const char *message)
{
	struct bed *bed = userdata;

	cr_assert_lt(bed->n_problems, MAX_ITEMS);
	bed->problems[bed->n_problems++] = xstrdup(message);
	bed->n_fatal += kind == INJECTOR_DEAD;
}

static struct address address_of(const char *host, uint16_t port)
{
	struct address address;

	cr_assert_eq(address_parse(host, port, &address), 0);
	return address;
}

/* One endpoint, 127.0.0.1:80; the steps of its script are joined by ", ". */
static struct bed *bed_start(struct bed *bed, const char *step_text)
{
	struct address address = address_of("127.0.0.1", 80);
	struct script script = {0};
	struct step_error error;
	struct step step;
	struct tracker_endpoint endpoint = {&address, 1, &script};
	struct injector_kernel kernel = {
		.set_verdict = fake_set_verdict,
		.now_ns = fake_now_ns,
		.find_socket = bed->has_sockets ? fake_find_socket : NULL,
		.context = bed,
	};
	struct diag_list diags = {0};

	bed->base = event_loop_new();
	bed->now_ns = START_NS;
	for (const char *text = step_text; *text;) {
		size_t length = strcspn(text, ",");
		AUTO_FREE char *one = xstrndup(text, length);

		cr_assert_eq(step_parse(one, &step, &error), 0, "%s", error.message);
		script_append(&script, &step);
		text += length + (text[length] == ',');
	}
	cr_assert_eq(injector_new(
			     &(struct injector_config){
				     .base = bed->base,
				     .endpoints = &endpoint,
				     .n_endpoints = 1,
				     .kernel = &kernel,
				     .want_sockets = bed->has_sockets,
				     .on_event = note_event,
				     .on_problem = note_problem,
				     .userdata = bed,
			     },
			     &diags, &bed->injector),
		     0);
	script_free(&script);
	return bed;
}

static struct bed *bed_new(const char *step_text)
{
	return bed_start(xzalloc(sizeof(struct bed)), step_text);
}

/* Makes the same bed, in which the clients' sockets can be looked up. */
static struct bed *bed_with_sockets(const char *step_text)
{
	struct bed *bed = xzalloc(sizeof(*bed));

	bed->has_sockets = true;
	return bed_start(bed, step_text);
}

/* From now on the client's socket with this port is in the table. */
static void bed_socket(struct bed *bed, uint16_t port, uint64_t cookie, uint8_t state)
{
	cr_assert_lt(bed->n_sockets, MAX_ITEMS);
	bed->sockets[bed->n_sockets++] = (struct fake_socket){
		port, {.cookie = cookie, .inode = 1000 + cookie, .state = state}};
}

/* … and from now on no socket with this port is. */
static void bed_no_socket(struct bed *bed, uint16_t port)
{
	for (size_t i = 0; i < bed->n_sockets; i++)
		if (bed->sockets[i].port == port)
			bed->sockets[i].port = 0;
}

static void bed_free(struct bed *bed)
{
	injector_free(bed->injector);
	event_base_free(bed->base);
	for (size_t i = 0; i < bed->n_problems; i++)
		free(bed->problems[i]);
	free(bed);
}

/* What the packets below have in common: an IPv4 and a TCP header, no options. */
struct segment {
	uint16_t source_port, destination_port;
	uint32_t sequence, acknowledgment;
	uint8_t flags;
	int64_t age_ns; /* arrived this long before now */
};

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)(value >> 16));
	put16(at + 2, (uint16_t)value);
}

static void bed_packet(struct bed *bed, const struct segment *segment)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	uint8_t data[40] = {[0] = 0x45, [3] = sizeof(data), [9] = IPPROTO_TCP};

	memcpy(data + 12, loopback, sizeof(loopback));
	memcpy(data + 16, loopback, sizeof(loopback));
	put16(data + 20, segment->source_port);
	put16(data + 22, segment->destination_port);
	put32(data + 24, segment->sequence);
	put32(data + 28, segment->acknowledgment);
	data[32] = 5 << 4;
	data[33] = segment->flags;
	injector_packet(bed->injector, &(struct queued_packet){
					       .id = ++bed->next_packet_id,
					       .data = data,
					       .length = sizeof(data),
					       .earliest_ns = bed->now_ns - segment->age_ns,
					       .arrived_ns = bed->now_ns - segment->age_ns,
				       });
}

static void bed_syn(struct bed *bed, uint16_t client_port, uint32_t isn)
{
	bed_packet(bed, &(struct segment){client_port, 80, isn, 0, TCP_FLAG_SYN, 0});
}

static void bed_syn_ack(struct bed *bed, uint16_t client_port, uint32_t isn)
{
	bed_packet(bed,
		   &(struct segment){80, client_port, 99, isn + 1, TCP_FLAG_SYN | TCP_FLAG_ACK, 0});
}

static void bed_death(struct bed *bed, uint16_t client_port)
{
	injector_death(bed->injector, &(struct socket_death){
					      .at_ns = bed->now_ns,
					      .local = address_of("127.0.0.1", client_port),
					      .remote = address_of("127.0.0.1", 80),
					      .retransmissions = 3,
					      .segments_in = 4,
					      .bytes_received = 5,
					      .bytes_acked = 6,
				      });
}

/* Lets the loop's timers run for a number of milliseconds of the real clock. */
static void bed_run_ms(struct bed *bed, int milliseconds)
{
	struct timeval timeout = {.tv_usec = milliseconds * 1000};

	event_base_loopexit(bed->base, &timeout);
	event_base_dispatch(bed->base);
}

static void expect_verdict(const struct bed *bed, size_t k, uint32_t packet_id,
			   enum verdict_kind kind)
{
	cr_assert_gt(bed->n_verdicts, k, "no verdict %zu", k);
	cr_expect_eq(bed->verdicts[k].packet_id, packet_id);
	cr_expect_eq(bed->verdicts[k].kind, kind, "verdict %zu is %s", k,
		     verdict_kind_name(bed->verdicts[k].kind));
}

Test(injector, carries_out_a_step_at_once_and_reports_syn_and_verdict)
{
	static const struct {
		const char *step;
		enum verdict_kind verdict;
		enum attempt_state state;
	} cases[] = {
		{"accept", VERDICT_ACCEPT, ATTEMPT_WAITING},
		{"refuse", VERDICT_REFUSE, ATTEMPT_REFUSED},
		{"drop", VERDICT_DROP, ATTEMPT_WAITING},
		{"lose 1", VERDICT_DROP, ATTEMPT_WAITING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bed *bed = bed_new(cases[i].step);

		bed_packet(bed, &(struct segment){5000, 80, 1, 0, TCP_FLAG_SYN, 2 * NS_PER_MS});
		expect_verdict(bed, 0, 1, cases[i].verdict);
		cr_assert_eq(bed->n_events, 2, "%s", cases[i].step);
		cr_expect_eq(bed->events[0].kind, EVENT_SYN);
		cr_expect_eq(bed->events[0].at_ns, START_NS - 2 * NS_PER_MS);
		cr_expect_eq(bed->events[0].tcp_flags, TCP_FLAG_SYN);
		cr_expect_eq(bed->events[0].net.ordinal, 1);
		cr_expect_eq(bed->events[1].kind, EVENT_VERDICT);
		cr_expect_eq(bed->events[1].at_ns, START_NS);
		cr_expect_eq(bed->events[1].net.verdict, cases[i].verdict, "%s", cases[i].step);
		cr_expect_eq(bed->events[1].net.lag_ns, 2 * NS_PER_MS);
		cr_expect_eq(bed->events[1].attempt.state, cases[i].state, "%s", cases[i].step);
		cr_expect_eq(injector_max_lag_ns(bed->injector), 2 * NS_PER_MS);
		cr_expect_eq(bed->n_problems, 0);
		bed_free(bed);
	}
}

Test(injector, holds_each_syn_for_its_own_time)
{
	struct bed *bed = bed_new("delay 20ms");

	bed_syn(bed, 5000, 1);
	bed->now_ns += 5 * NS_PER_MS;
	bed_syn(bed, 5000, 1);
	cr_expect_eq(bed->n_verdicts, 0);
	cr_expect_eq(bed->n_events, 2);

	/* by the fake clock the first is due, the second is not */
	bed->now_ns = START_NS + 21 * NS_PER_MS;
	bed_run_ms(bed, 60);
	cr_assert_eq(bed->n_verdicts, 1);
	expect_verdict(bed, 0, 1, VERDICT_ACCEPT);
	cr_expect_eq(bed->events[2].net.ordinal, 1);
	cr_expect_eq(bed->events[2].net.lag_ns, NS_PER_MS);

	bed->now_ns = START_NS + 25 * NS_PER_MS;
	bed_run_ms(bed, 60);
	cr_assert_eq(bed->n_verdicts, 2);
	expect_verdict(bed, 1, 2, VERDICT_ACCEPT);
	cr_expect_eq(bed->events[3].net.ordinal, 2);
	cr_expect_eq(bed->events[3].net.lag_ns, 0);
	bed_free(bed);
}

Test(injector, gives_a_verdict_at_once_if_it_was_due_before_the_packet_was_read)
{
	struct bed *bed = bed_new("delay 20ms then refuse");

	bed_packet(bed, &(struct segment){5000, 80, 1, 0, TCP_FLAG_SYN, 30 * NS_PER_MS});
	expect_verdict(bed, 0, 1, VERDICT_REFUSE);
	cr_expect_eq(bed->events[1].net.lag_ns, 10 * NS_PER_MS);
	cr_expect_eq(injector_max_lag_ns(bed->injector), 30 * NS_PER_MS,
		     "reading it was late, too");
	bed_free(bed);
}

Test(injector, reports_a_handshake_once_and_lets_every_syn_ack_through)
{
	struct bed *bed = bed_new("accept");

	bed_syn(bed, 5000, 1);
	bed_syn_ack(bed, 5000, 1);
	bed_syn_ack(bed, 5000, 1);
	bed_syn_ack(bed, 6000, 1); /* of an unknown client */
	for (size_t k = 0; k < 4; k++)
		expect_verdict(bed, k, (uint32_t)k + 1, VERDICT_ACCEPT);
	cr_assert_eq(bed->n_events, 3);
	cr_expect_eq(bed->events[2].kind, EVENT_ESTABLISHED);
	cr_expect_eq(bed->events[2].attempt.state, ATTEMPT_ESTABLISHED);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, reports_the_death_of_a_client_with_what_the_kernel_knew)
{
	struct bed *bed = bed_new("drop");

	bed_syn(bed, 5000, 1);
	bed_death(bed, 5001); /* of another process */
	cr_expect_eq(bed->n_events, 2);
	bed_death(bed, 5000);
	cr_assert_eq(bed->n_events, 3);
	cr_expect_eq(bed->events[2].kind, EVENT_CLOSED);
	cr_expect(bed->events[2].attempt.closed);
	cr_expect_eq(bed->events[2].net.retransmissions, 3);
	cr_expect_eq(bed->events[2].segments_in, 4);
	cr_expect_eq(bed->events[2].net.bytes_received, 5);
	cr_expect_eq(bed->events[2].net.bytes_acked, 6);
	bed_free(bed);
}

Test(injector, finds_the_newest_attempt_of_a_socket_that_was_disconnected)
{
	struct bed *bed = bed_new("drop");
	struct socket_death death = {
		.at_ns = START_NS,
		.local = address_of("0.0.0.0", 5000),
		.remote = address_of("127.0.0.1", 0),
	};
	struct socket_death listener = {
		.local = address_of("0.0.0.0", 5000),
		.remote = address_of("0.0.0.0", 0),
	};

	bed_syn(bed, 5000, 1);
	bed_syn(bed, 5001, 2);
	injector_death(bed->injector, &listener);
	cr_expect_eq(bed->n_events, 4);
	injector_death(bed->injector, &death);
	cr_assert_eq(bed->n_events, 5);
	cr_expect_eq(bed->events[4].attempt.id, 0);
	injector_death(bed->injector, &death);
	cr_expect_eq(bed->n_events, 5, "it is closed already");
	bed_free(bed);
}

Test(injector, counts_attempts_that_wait_for_an_answer)
{
	struct bed *bed = bed_new("accept");

	for (uint16_t k = 0; k < 4; k++)
		bed_syn(bed, 5000 + k, k);
	bed_syn(bed, 5000, 0); /* a retransmission */
	cr_expect_eq(injector_n_waiting(bed->injector), 4);
	bed_syn_ack(bed, 5001, 1);
	cr_expect_eq(injector_n_waiting(bed->injector), 3);
	bed_death(bed, 5001); /* did not wait any more */
	cr_expect_eq(injector_n_waiting(bed->injector), 3);
	bed_death(bed, 5002);
	cr_expect_eq(injector_n_waiting(bed->injector), 2);
	bed_syn_ack(bed, 5002, 2); /* too late: closed */
	cr_expect_eq(injector_n_waiting(bed->injector), 2);
	bed_free(bed);

	bed = bed_new("delay 1ms then refuse");
	bed_syn(bed, 5000, 1);
	bed_syn(bed, 5000, 1);
	cr_expect_eq(injector_n_waiting(bed->injector), 1);
	bed->now_ns += NS_PER_MS;
	bed_run_ms(bed, 30);
	cr_expect_eq(bed->n_verdicts, 2);
	cr_expect_eq(injector_n_waiting(bed->injector), 0);
	bed_syn(bed, 5001, 2);
	bed_death(bed, 5001); /* before it is refused */
	cr_expect_eq(injector_n_waiting(bed->injector), 0);
	bed->now_ns += NS_PER_MS;
	bed_run_ms(bed, 30);
	cr_expect_eq(bed->n_verdicts, 3);
	cr_expect_eq(injector_n_waiting(bed->injector), 0);
	bed_free(bed);
}

Test(injector, drops_and_reports_what_it_does_not_understand)
{
	static const struct {
		const char *what;
		struct segment segment;
		const char *problem;
	} cases[] = {
		{"no SYN", {5000, 80, 1, 1, TCP_FLAG_ACK, 0}, "neither SYN nor SYN-ACK"},
		{"SYN and RST", {5000, 80, 1, 0, TCP_FLAG_SYN | TCP_FLAG_RST, 0}, "neither SYN"},
		{"unknown endpoint",
		 {5000, 81, 1, 0, TCP_FLAG_SYN, 0},
		 "dropped a SYN from 127.0.0.1:5000 to 127.0.0.1:81, which is not an endpoint"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bed *bed = bed_new("accept");

		bed_packet(bed, &cases[i].segment);
		bed_packet(bed, &cases[i].segment);
		expect_verdict(bed, 0, 1, VERDICT_DROP);
		expect_verdict(bed, 1, 2, VERDICT_DROP);
		cr_assert_eq(bed->n_problems, 1, "%s: %zu problems", cases[i].what,
			     bed->n_problems);
		cr_expect(strstr(bed->problems[0], cases[i].problem), "%s: %s", cases[i].what,
			  bed->problems[0]);
		cr_expect_eq(bed->n_fatal, 0);
		cr_expect_eq(bed->n_events, 0);
		bed_free(bed);
	}
}

Test(injector, drops_and_reports_a_malformed_packet)
{
	static const uint8_t data[] = {0x45, 0};
	struct bed *bed = bed_new("accept");

	injector_packet(bed->injector, &(struct queued_packet){.id = 9,
							       .data = data,
							       .length = sizeof(data),
							       .arrived_ns = bed->now_ns});
	expect_verdict(bed, 0, 9, VERDICT_DROP);
	cr_assert_eq(bed->n_problems, 1);
	cr_expect(strstr(bed->problems[0], packet_error_text(PACKET_IPV4_TRUNCATED)), "%s",
		  bed->problems[0]);
	bed_free(bed);
}

Test(injector, reports_a_dead_queue_as_fatal_and_no_verdict)
{
	struct bed *bed = bed_new("accept");

	bed->verdict_error = -EBADF;
	bed_syn(bed, 5000, 1);
	cr_expect_eq(bed->n_events, 1, "the SYN alone");
	cr_expect_eq(bed->n_fatal, 1);
	bed_free(bed);
}

Test(injector, drops_held_packets_at_the_end_and_reports_no_verdict)
{
	struct bed *bed = bed_new("delay 1h");

	bed_syn(bed, 5000, 1);
	bed_syn(bed, 5001, 2);
	injector_finish(bed->injector);
	cr_assert_eq(bed->n_verdicts, 2);
	cr_expect_eq(bed->verdicts[0].kind, VERDICT_DROP);
	cr_expect_eq(bed->verdicts[1].kind, VERDICT_DROP);
	cr_expect_eq(bed->n_events, 2);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

static void expect_event(const struct bed *bed, size_t k, enum event_kind kind, uint32_t attempt)
{
	cr_assert_gt(bed->n_events, k, "no event %zu", k);
	cr_expect_eq(bed->events[k].kind, kind, "event %zu is of kind %d", k, bed->events[k].kind);
	cr_expect_eq(bed->events[k].attempt.id, attempt, "event %zu is of attempt %u", k,
		     bed->events[k].attempt.id);
}

Test(injector, asks_for_the_socket_of_an_attempt_while_its_first_syn_is_held)
{
	struct bed *bed = bed_with_sockets("drop");

	bed_socket(bed, 5000, 7, TCP_SYN_SENT);
	bed_syn(bed, 5000, 1);
	expect_event(bed, 0, EVENT_SYN, 0);
	cr_expect_eq(bed->events[0].attempt.cookie, 7);
	cr_expect_eq(bed->events[0].attempt.inode, 1007);
	cr_expect_eq(bed->n_events, 2);
	bed_free(bed);
}

Test(injector, reports_earlier_sockets_that_are_open_at_a_first_syn)
{
	struct bed *bed = bed_with_sockets("drop");

	bed_socket(bed, 5000, 7, TCP_SYN_SENT);
	bed_socket(bed, 5001, 8, TCP_SYN_SENT);
	bed_syn(bed, 5000, 1); /* events 0, 1 */
	bed->now_ns += NS_PER_MS;
	bed_syn(bed, 5001, 2);
	expect_event(bed, 2, EVENT_SYN, 1);
	expect_event(bed, 3, EVENT_OPEN, 0);
	cr_expect_eq(bed->events[3].net.tcp_state, TCP_SYN_SENT);
	cr_expect_eq(bed->events[3].at_ns, bed->now_ns);
	expect_event(bed, 4, EVENT_VERDICT, 1);
	bed_syn(bed, 5001, 2);
	cr_expect_eq(bed->n_events, 7, "a retransmission does not cause a look");
	bed_free(bed);
}

Test(injector, reports_an_unanswered_attempt_that_left_the_table_as_gone)
{
	struct bed *bed = bed_with_sockets("drop");

	bed_socket(bed, 5000, 7, TCP_SYN_SENT);
	bed_syn(bed, 5000, 1);
	bed->now_ns += 5 * NS_PER_MS;
	bed_no_socket(bed, 5000);
	bed_run_ms(bed, 60);
	cr_assert_eq(bed->n_events, 3);
	expect_event(bed, 2, EVENT_GONE, 0);
	cr_expect_eq(bed->events[2].earliest_ns, START_NS);
	cr_expect_eq(bed->events[2].at_ns, START_NS + 5 * NS_PER_MS);
	/* its death is known all the same */
	injector_death(bed->injector, &(struct socket_death){.at_ns = bed->now_ns, .cookie = 7});
	expect_event(bed, 3, EVENT_CLOSED, 0);
	cr_expect_eq(bed->events[3].earliest_ns, START_NS);
	bed_free(bed);
}

Test(injector, ends_all_attempts_of_a_socket_by_the_cookie_of_its_death)
{
	struct bed *bed = bed_with_sockets("refuse");

	bed_socket(bed, 5000, 7, TCP_SYN_SENT);
	bed_socket(bed, 5001, 7, TCP_SYN_SENT);
	bed_socket(bed, 5002, 9, TCP_SYN_SENT);
	bed_syn(bed, 5000, 1);
	bed_syn(bed, 5001, 2);
	bed_syn(bed, 5002, 3);
	bed->n_events = 0;
	injector_death(
		bed->injector,
		&(struct socket_death){.at_ns = bed->now_ns, .cookie = 7, .retransmissions = 2});
	cr_assert_eq(bed->n_events, 2);
	expect_event(bed, 0, EVENT_CLOSED, 0);
	cr_expect_eq(bed->events[0].net.retransmissions, 0, "the counts are of the last attempt");
	expect_event(bed, 1, EVENT_CLOSED, 1);
	cr_expect_eq(bed->events[1].net.retransmissions, 2);
	bed_free(bed);
}

Test(injector, leaves_an_attempt_alone_when_another_socket_of_its_addresses_died)
{
	struct bed *bed = bed_with_sockets("refuse");

	bed_socket(bed, 5000, 7, TCP_SYN_SENT);
	bed_syn(bed, 5000, 1);
	bed->n_events = 0;
	injector_death(bed->injector, &(struct socket_death){
					      .at_ns = bed->now_ns,
					      .cookie = 6,
					      .local = address_of("127.0.0.1", 5000),
					      .remote = address_of("127.0.0.1", 80),
				      });
	cr_expect_eq(bed->n_events, 0);
	bed_free(bed);
}

Test(injector, ends_all_attempts_of_the_same_addresses_when_no_cookie_is_known)
{
	struct bed *bed = bed_new("drop");

	bed_syn(bed, 5000, 1);
	bed->now_ns += NS_PER_MS;
	bed_syn(bed, 5000, 2);
	bed->n_events = 0;
	bed->now_ns += NS_PER_MS;
	bed_death(bed, 5000);
	cr_assert_eq(bed->n_events, 2);
	expect_event(bed, 0, EVENT_CLOSED, 0);
	cr_expect_eq(bed->events[0].earliest_ns, START_NS);
	expect_event(bed, 1, EVENT_CLOSED, 1);
	cr_expect_eq(bed->events[1].earliest_ns, START_NS + NS_PER_MS);
	cr_expect_eq(bed->events[1].net.retransmissions, 3);
	bed_free(bed);
}

Test(injector, syn_ack_for_a_socket_that_is_gone_establishes_nothing)
{
	struct bed *bed = bed_with_sockets("accept");

	bed_socket(bed, 5000, 7, TCP_SYN_SENT);
	bed_syn(bed, 5000, 1);
	bed_no_socket(bed, 5000);
	bed->n_events = 0;
	bed_syn_ack(bed, 5000, 1);
	expect_verdict(bed, 1, 2, VERDICT_ACCEPT);
	cr_expect_eq(bed->n_events, 0);
	cr_expect_eq(injector_n_connected(bed->injector), 0);
	bed_free(bed);
}

Test(injector, says_once_that_sockets_can_not_be_looked_up)
{
	struct bed *bed = bed_with_sockets("drop");

	bed->find_error = -EPERM;
	bed_syn(bed, 5000, 1);
	bed_syn(bed, 5001, 2);
	cr_assert_eq(bed->n_problems, 1);
	cr_expect(strstr(bed->problems[0], "can't look up the clients' sockets"), "%s",
		  bed->problems[0]);
	cr_expect_eq(bed->n_events, 4, "two SYNs and two verdicts");
	bed_free(bed);
}

Test(injector, another_subflow_is_not_an_attempt)
{
	/* a SYN with MP_JOIN (RFC 8684, 3.2), 12 bytes of options */
	static const uint8_t syn[] = {
		0x45, 0, 0, 52,   0,    0, 0,  0,  0,    6, 0, 0, 127, 0, 0, 1,    127,
		0,    0, 1, 0x13, 0x88, 0, 80, 0,  0,    0, 1, 0, 0,   0, 0, 0x80, TCP_FLAG_SYN,
		0,    0, 0, 0,    0,    0, 30, 12, 0x10, 1, 0, 0, 0,   0, 0, 0,    0,
		0,
	};
	struct bed *bed = bed_new("refuse");

	injector_packet(bed->injector, &(struct queued_packet){.id = 1,
							       .data = syn,
							       .length = sizeof(syn),
							       .arrived_ns = bed->now_ns});
	expect_verdict(bed, 0, 1, VERDICT_ACCEPT);
	cr_expect_eq(bed->n_events, 0);
	bed_free(bed);
}

/* ---- outages that end connections ---- */

/* Lets the loop run until the clock by which the injector goes has advanced so far. */
static void bed_pass_ms(struct bed *bed, int milliseconds)
{
	bed->now_ns += milliseconds * NS_PER_MS;
	bed_run_ms(bed, milliseconds + 10);
}

static size_t count_faults(const struct bed *bed, enum fault_kind kind, uint32_t outage)
{
	size_t n = 0;

	for (size_t i = 0; i < bed->n_events; i++)
		n += bed->events[i].kind == EVENT_FAULT && bed->events[i].net.fault == kind &&
		     bed->events[i].net.outage == outage;
	return n;
}

Test(injector, outage_ends_what_is_established_and_refuses_what_comes)
{
	struct bed *bed = bed_new("down 30ms..60ms ending stall, accept");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed_syn(bed, 1002, 6);
	bed_syn_ack(bed, 1002, 6);
	bed_run_ms(bed, 5);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 0, "not before its time");
	bed_pass_ms(bed, 31);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 2);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, outage_counts_from_the_first_attempt_and_repeats)
{
	struct bed *bed =
		bed_new("down 20ms..30ms every 40ms from first-attempt ending stall, accept");

	injector_client_started(bed->injector, START_NS);
	bed_pass_ms(bed, 100);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed_pass_ms(bed, 21);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 1);
	bed_pass_ms(bed, 15);
	bed_syn(bed, 1002, 6);
	bed_syn_ack(bed, 1002, 6);
	bed_pass_ms(bed, 25);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 2);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, outage_ends_a_connection_whose_handshake_it_interrupted)
{
	struct bed *bed = bed_new("down 20ms..60ms ending stall, accept");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_pass_ms(bed, 21);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 0);
	bed_syn_ack(bed, 1001, 5);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 1);
	bed_free(bed);
}

Test(injector, outage_that_ended_before_its_timer_expired_is_a_problem)
{
	struct bed *bed = bed_new("down 20ms..30ms ending stall, accept");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed->now_ns += 50 * NS_PER_MS;
	bed_run_ms(bed, 35);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 0);
	cr_assert_eq(bed->n_problems, 1);
	cr_expect(strstr(bed->problems[0], "had ended before its connections could be"), "%s",
		  bed->problems[0]);
	bed_free(bed);
}

Test(injector, pause_stalls_what_is_established_until_it_ends)
{
	struct bed *bed = bed_new("pause 20ms at 30ms every 60ms, accept");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	for (size_t n = 1; n <= 2; n++) {
		bed_pass_ms(bed, n == 1 ? 31 : 41);
		cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), n);
		cr_expect_eq(count_faults(bed, FAULT_HEALED, 1), n - 1);
		bed_pass_ms(bed, 20);
		cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), n);
		cr_expect_eq(count_faults(bed, FAULT_HEALED, 1), n);
	}
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, pause_loses_each_syn_and_syn_ack_that_comes_in_it)
{
	struct bed *bed = bed_new("pause 30ms at 30ms, lose 1");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	expect_verdict(bed, 0, 1, VERDICT_DROP);
	bed_pass_ms(bed, 31);
	bed_syn(bed, 1001, 5);
	expect_verdict(bed, 1, 2, VERDICT_DROP);
	bed_syn(bed, 1002, 6);
	expect_verdict(bed, 2, 3, VERDICT_DROP);
	bed_syn_ack(bed, 1001, 5);
	expect_verdict(bed, 3, 4, VERDICT_DROP);
	cr_expect_eq(count_faults(bed, FAULT_SYN_ACK_LOST, 0), 1);
	bed_pass_ms(bed, 30);
	bed_syn(bed, 1001, 5);
	expect_verdict(bed, 4, 5, VERDICT_ACCEPT);
	bed_syn(bed, 1002, 6);
	expect_verdict(bed, 5, 6, VERDICT_ACCEPT);
	bed_syn_ack(bed, 1001, 5);
	expect_verdict(bed, 6, 7, VERDICT_ACCEPT);
	cr_expect_eq(injector_n_connected(bed->injector), 1);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 0);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

/* It does not depend on when synfault comes to read it. */
Test(injector, pause_loses_a_syn_ack_by_the_time_of_its_arrival)
{
	struct bed *bed = bed_new("pause 30ms at 30ms, accept");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn(bed, 1002, 6);
	bed_pass_ms(bed, 35);
	bed_packet(bed,
		   &(struct segment){80, 1001, 99, 6, TCP_FLAG_SYN | TCP_FLAG_ACK, 10 * NS_PER_MS});
	expect_verdict(bed, 2, 3, VERDICT_ACCEPT);
	cr_expect_eq(injector_n_connected(bed->injector), 1);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 1, "it was there when the pause began");
	bed_pass_ms(bed, 30);
	bed_packet(bed,
		   &(struct segment){80, 1002, 99, 7, TCP_FLAG_SYN | TCP_FLAG_ACK, 10 * NS_PER_MS});
	expect_verdict(bed, 3, 4, VERDICT_DROP);
	bed_syn_ack(bed, 1002, 6);
	expect_verdict(bed, 4, 5, VERDICT_ACCEPT);
	cr_expect_eq(injector_n_connected(bed->injector), 2);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, fault_that_is_due_in_a_pause_comes_at_its_end)
{
	struct bed *bed = bed_new("pause 30ms at 30ms, reset after 40ms");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed_pass_ms(bed, 31);
	bed_pass_ms(bed, 15);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 1);
	cr_expect_eq(bed->n_problems, 0, "nothing is sent in the pause");
	bed_pass_ms(bed, 15);
	cr_expect_eq(count_faults(bed, FAULT_HEALED, 1), 1);
	/* the test's kernel has nothing to send the RST with */
	cr_assert_eq(bed->n_problems, 1);
	cr_expect(strstr(bed->problems[0], "could not be broken"), "%s", bed->problems[0]);
	bed_free(bed);
}

Test(injector, restart_in_a_pause_comes_at_its_end)
{
	struct bed *bed = bed_new("pause 30ms at 30ms, down 40ms..80ms ending stall, accept");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed_pass_ms(bed, 31);
	bed_pass_ms(bed, 15);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 2), 0);
	bed_pass_ms(bed, 15);
	cr_expect_eq(count_faults(bed, FAULT_HEALED, 1), 1);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 2), 1);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, latency_counts_from_a_packets_arrival)
{
	struct bed *bed = bed_new("latency 50ms");
	const struct injector_event *last;

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed->now_ns += 500 * NS_PER_MS;
	/* It arrived at 100 ms, so it was due at 150 ms. */
	bed_packet(bed, &(struct segment){80, 1001, 1000, 6, TCP_FLAG_FIN | TCP_FLAG_ACK,
					  400 * NS_PER_MS});
	bed_run_ms(bed, 10);
	expect_verdict(bed, 2, 3, VERDICT_ACCEPT);
	last = &bed->events[bed->n_events - 1];
	cr_assert_eq(last->kind, EVENT_FAULT);
	cr_expect_eq(last->net.fault, FAULT_DELAYED);
	cr_expect_eq(last->net.late_ns, 350 * NS_PER_MS);
	bed_free(bed);
}

/* Returns how many problems a pause of 30 ms at 30 ms makes that begins @late_ms too late. */
static size_t problems_of_late_pause(const char *script, int late_ms)
{
	struct bed *bed = bed_new(script);
	size_t n_problems;

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed->now_ns += (30 + late_ms) * NS_PER_MS;
	bed_run_ms(bed, 35);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 1);
	n_problems = bed->n_problems;
	if (n_problems)
		cr_expect(strstr(bed->problems[0], "synfault began it 28 ms late"), "%s",
			  bed->problems[0]);
	bed_free(bed);
	return n_problems;
}

Test(injector, pause_that_begins_late_is_too_short)
{
	cr_expect_eq(problems_of_late_pause("pause 30ms at 30ms, accept", 28), 1);
	cr_expect_eq(problems_of_late_pause("pause 30ms at 30ms, accept", 10), 0);
	cr_expect_eq(problems_of_late_pause("pause 1s at 30ms, accept", 28), 0);
	cr_expect_eq(problems_of_late_pause("down 30ms..60ms ending stall, accept", 28), 0);
}

Test(injector, restart_in_a_pause_is_not_lost_to_another_pause)
{
	struct bed *bed = bed_new("pause 100ms at 30ms, down 40ms..60ms ending stall, "
				  "pause 10ms at 70ms, accept");

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed_pass_ms(bed, 31);
	bed_pass_ms(bed, 15);
	bed_pass_ms(bed, 26);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 1);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 2), 0);
	bed_pass_ms(bed, 60);
	cr_expect_eq(count_faults(bed, FAULT_HEALED, 1), 1);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 2), 1);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 3), 0);
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, outage_begins_by_command_and_lasts_as_long_as_it_says)
{
	struct bed *bed = bed_new("down 100ms from command ending stall, accept");
	int64_t at_ns;
	size_t n_ended;

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed_pass_ms(bed, 10);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 0);
	cr_assert_eq(injector_command_outage(bed->injector, 0, 0, &at_ns, &n_ended), 0);
	cr_expect_eq(at_ns, bed->now_ns);
	cr_expect_eq(n_ended, 1);
	cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), 1);
	for (uint16_t k = 0; k < 4; k++) {
		size_t n = bed->n_verdicts;

		/* for its own time, then for the command's, which is shorter */
		if (k == 2)
			cr_assert_eq(injector_command_outage(bed->injector, 0, 20 * NS_PER_MS,
							     &at_ns, &n_ended),
				     0);
		bed->now_ns += (k < 2 ? 60 : 15) * NS_PER_MS;
		bed_syn(bed, (uint16_t)(2000 + k), k);
		expect_verdict(bed, n, bed->next_packet_id,
			       k % 2 == 0 ? VERDICT_REFUSE : VERDICT_ACCEPT);
	}
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, second_turn_of_a_command_begins_when_the_first_has_ended)
{
	struct bed *bed = bed_new("restart 60ms each at 60ms from command ending stall, accept");
	int64_t at_ns;
	size_t n_ended;

	injector_client_started(bed->injector, START_NS);
	bed_syn(bed, 1001, 5);
	bed_syn_ack(bed, 1001, 5);
	bed_pass_ms(bed, 10);
	/* the last of two commands counts, and it is for 20 ms */
	cr_assert_eq(injector_command_outage(bed->injector, 0, 0, &at_ns, &n_ended), 0);
	cr_expect_eq(n_ended, 0);
	bed_pass_ms(bed, 50);
	cr_assert_eq(injector_command_outage(bed->injector, 0, 20 * NS_PER_MS, &at_ns, &n_ended),
		     0);
	cr_expect_eq(at_ns, bed->now_ns);
	cr_expect_eq(n_ended, 0);
	for (uint16_t k = 0; k < 3; k++) {
		size_t n;

		/* 15, 30 and 45 ms after it */
		bed_pass_ms(bed, 15);
		cr_expect_eq(count_faults(bed, FAULT_STALLED, 1), k > 0, "%u", k);
		n = bed->n_verdicts;
		bed_syn(bed, (uint16_t)(2000 + k), k);
		expect_verdict(bed, n, bed->next_packet_id,
			       k == 1 ? VERDICT_REFUSE : VERDICT_ACCEPT);
	}
	cr_expect_eq(bed->n_problems, 0);
	bed_free(bed);
}

Test(injector, endpoint_without_such_an_outage_refuses_the_command)
{
	struct bed *bed = bed_new("down 1s..2s ending stall, accept");
	int64_t at_ns;
	size_t n_ended;

	cr_expect_eq(injector_command_outage(bed->injector, 0, 0, &at_ns, &n_ended), -ENOENT);
	bed_free(bed);
}
