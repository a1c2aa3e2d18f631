/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of distinguishing attempts and of deciding what happens to their SYNs. Most are a list of
 * packets in their order, each with the expected answer of the tracker.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "common/duration.h"
#include "common/random.h"
#include "injector/step_text.h"
#include "injector/tracker.h"

TestSuite(tracker);

static void free_tracker(struct tracker **tracker)
{
	tracker_free(*tracker);
}
#define AUTO_TRACKER CLEANUP(free_tracker)

/* "127.0.0.1:80" or "[::1]:80" */
static struct address address_of(const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *start = text + (*text == '[');
	AUTO_FREE char *host = xstrndup(start, (size_t)(colon - start) - (*text == '['));
	struct address address;

	cr_assert_eq(address_parse(host, (uint16_t)atoi(colon + 1), &address), 0, "%s", text);
	return address;
}

struct endpoint_text {
	const char *addresses[4];
	const char *steps[8];
};

/* Everything that is given to tracker_new() is freed before the tracker is used. */
static struct tracker *tracker_of(const struct endpoint_text *texts, size_t n_texts, uint64_t seed)
{
	AUTO_FREE struct tracker_endpoint *endpoints = xzalloc(n_texts * sizeof(*endpoints));
	AUTO_FREE struct script *scripts = xzalloc(n_texts * sizeof(*scripts));
	AUTO_FREE struct address *addresses = xzalloc(n_texts * 4 * sizeof(*addresses));
	struct tracker *tracker;

	for (size_t i = 0; i < n_texts; i++) {
		for (size_t j = 0; j < 8 && texts[i].steps[j]; j++) {
			struct step_error error;
			struct step step;

			cr_assert_eq(step_parse(texts[i].steps[j], &step, &error), 0);
			script_append(&scripts[i], &step);
		}
		endpoints[i].script = &scripts[i];
		endpoints[i].addresses = &addresses[i * 4];
		for (size_t j = 0; j < 4 && texts[i].addresses[j]; j++, endpoints[i].n_addresses++)
			addresses[i * 4 + j] = address_of(texts[i].addresses[j]);
	}
	tracker = tracker_new(endpoints, n_texts, seed);
	for (size_t i = 0; i < n_texts; i++)
		script_free(&scripts[i]);
	return tracker;
}

#define TRACKER_OF(texts) tracker_of(texts, ARRAY_SIZE(texts), 1)

static struct packet syn_of(const char *client, const char *server, uint32_t isn)
{
	return (struct packet){
		.source = address_of(client),
		.destination = address_of(server),
		.sequence = isn,
		.flags = TCP_FLAG_SYN,
		.mss = 1460,
	};
}

static struct packet syn_ack_of(const char *client, const char *server, uint32_t acknowledgment)
{
	return (struct packet){
		.source = address_of(server),
		.destination = address_of(client),
		.sequence = 0xcafe,
		.acknowledgment = acknowledgment,
		.flags = TCP_FLAG_SYN | TCP_FLAG_ACK,
	};
}

/* Sends a SYN that has to be taken. */
static struct tracker_decision send_syn(struct tracker *tracker, const char *client,
					const char *server, uint32_t isn, int64_t now_ns)
{
	struct packet packet = syn_of(client, server, isn);
	struct tracker_decision decision;

	cr_assert_eq(tracker_syn(tracker, &packet, now_ns, &decision), 0, "%s to %s", client,
		     server);
	return decision;
}

Test(tracker, step_decides_by_the_ordinal_of_the_syn)
{
	static const struct {
		const char *step;
		uint32_t ordinal;
		enum verdict_kind kind;
		int64_t hold_ns;
	} cases[] = {
		{"accept", 1, VERDICT_ACCEPT, 0},
		{"accept", 2, VERDICT_ACCEPT, 0},
		{"refuse", 1, VERDICT_REFUSE, 0},
		{"refuse", 2, VERDICT_REFUSE, 0},
		{"drop", 1, VERDICT_DROP, 0},
		{"drop", 1000, VERDICT_DROP, 0},
		{"lose 2", 1, VERDICT_DROP, 0},
		{"lose 2", 2, VERDICT_DROP, 0},
		{"lose 2", 3, VERDICT_ACCEPT, 0},
		{"lose 2", 4, VERDICT_ACCEPT, 0},
		{"delay 1s..2s", 1, VERDICT_ACCEPT, 1234},
		{"delay 1s..2s", 3, VERDICT_ACCEPT, 1234},
		{"delay 1s then refuse", 1, VERDICT_REFUSE, 1234},
		{"delay 1s then refuse", 2, VERDICT_REFUSE, 1234},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step_error error;
		struct verdict verdict;
		struct step step;

		cr_assert_eq(step_parse(cases[i].step, &step, &error), 0);
		verdict = step_decide(&step, cases[i].ordinal, 1234);
		cr_expect_eq(verdict.kind, cases[i].kind, "%s, SYN %u: %s", cases[i].step,
			     cases[i].ordinal, verdict_kind_name(verdict.kind));
		cr_expect_eq(verdict.hold_ns, cases[i].hold_ns, "%s, SYN %u", cases[i].step,
			     cases[i].ordinal);
	}
}

Test(tracker, verdicts_have_names)
{
	cr_assert_str_eq(verdict_kind_name(VERDICT_ACCEPT), "accept");
	cr_assert_str_eq(verdict_kind_name(VERDICT_REFUSE), "refuse");
	cr_assert_str_eq(verdict_kind_name(VERDICT_DROP), "drop");
}

/* A SYN, and how the tracker must take it. */
struct exchange {
	const char *name, *client, *server;
	uint32_t isn;
	/* expected */
	uint32_t id, endpoint, number, step, syns;
	bool retransmission;
	enum verdict_kind verdict;
};

static void exchange_all(struct tracker *tracker, const struct exchange *exchanges,
			 size_t n_exchanges)
{
	for (size_t i = 0; i < n_exchanges; i++) {
		const struct exchange *expected = &exchanges[i];
		struct tracker_decision decision =
			send_syn(tracker, expected->client, expected->server, expected->isn,
				 (int64_t)i * NS_PER_MS);
		const struct attempt_info *attempt = &decision.attempt;
		struct attempt_info stored;

		cr_expect_eq(attempt->id, expected->id, "%s: id %u", expected->name, attempt->id);
		cr_expect_eq(attempt->endpoint, expected->endpoint, "%s: endpoint %u",
			     expected->name, attempt->endpoint);
		cr_expect_eq(attempt->number, expected->number, "%s: number %u", expected->name,
			     attempt->number);
		cr_expect_eq(attempt->step, expected->step, "%s: step %u", expected->name,
			     attempt->step);
		cr_expect_eq(attempt->syns, expected->syns, "%s: %u SYNs", expected->name,
			     attempt->syns);
		cr_expect_eq(decision.retransmission, expected->retransmission, "%s",
			     expected->name);
		cr_expect_eq(decision.verdict.kind, expected->verdict, "%s: %s", expected->name,
			     verdict_kind_name(decision.verdict.kind));
		cr_expect_eq(attempt->state, ATTEMPT_WAITING, "%s", expected->name);
		cr_expect(!attempt->closed, "%s", expected->name);
		cr_expect_eq(attempt->key.isn, expected->isn, "%s", expected->name);

		stored = tracker_attempt(tracker, attempt->id);
		cr_expect_eq(stored.syns, attempt->syns, "%s: stored", expected->name);
		cr_expect_eq(stored.number, attempt->number, "%s: stored", expected->name);
	}
}

#define EXCHANGE_ALL(tracker, exchanges) exchange_all(tracker, exchanges, ARRAY_SIZE(exchanges))

#define API     "127.0.0.1:80"
#define C(port) "127.0.0.1:" #port

static const struct endpoint_text one_endpoint[] = {
	{{API}, {"refuse", "drop", "lose 1", "accept"}},
};

Test(tracker, retransmissions_are_not_attempts)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const struct exchange exchanges[] = {
		{"first", C(4001), API, 100, 0, 0, 1, 0, 1, false, VERDICT_REFUSE},
		{"second", C(4002), API, 200, 1, 0, 2, 1, 1, false, VERDICT_DROP},
		{"its retransmission", C(4002), API, 200, 1, 0, 2, 1, 2, true, VERDICT_DROP},
		{"one more", C(4002), API, 200, 1, 0, 2, 1, 3, true, VERDICT_DROP},
		{"third, lost", C(4003), API, 300, 2, 0, 3, 2, 1, false, VERDICT_DROP},
		{"third, through", C(4003), API, 300, 2, 0, 3, 2, 2, true, VERDICT_ACCEPT},
		{"fourth", C(4004), API, 400, 3, 0, 4, 3, 1, false, VERDICT_ACCEPT},
		{"fifth", C(4005), API, 500, 4, 0, 5, 3, 1, false, VERDICT_ACCEPT},
	};

	EXCHANGE_ALL(tracker, exchanges);
	cr_assert_eq(tracker_n_attempts(tracker), 5);
}

Test(tracker, attempt_keeps_its_step_while_the_script_goes_on)
{
	/* A client that leaves its timed-out sockets open: their SYNs go on between later ones. */
	static const struct endpoint_text endpoints[] = {{{API}, {"drop", "refuse", "accept"}}};
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(endpoints);
	static const struct exchange exchanges[] = {
		{"first", C(4001), API, 100, 0, 0, 1, 0, 1, false, VERDICT_DROP},
		{"second", C(4002), API, 200, 1, 0, 2, 1, 1, false, VERDICT_REFUSE},
		{"first again", C(4001), API, 100, 0, 0, 1, 0, 2, true, VERDICT_DROP},
		{"third", C(4003), API, 300, 2, 0, 3, 2, 1, false, VERDICT_ACCEPT},
		{"first still", C(4001), API, 100, 0, 0, 1, 0, 3, true, VERDICT_DROP},
		{"second again", C(4002), API, 200, 1, 0, 2, 1, 2, true, VERDICT_REFUSE},
	};

	EXCHANGE_ALL(tracker, exchanges);
}

Test(tracker, port_used_again_with_a_new_isn_is_a_new_attempt)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const struct exchange exchanges[] = {
		{"first", C(4001), API, 100, 0, 0, 1, 0, 1, false, VERDICT_REFUSE},
		{"next ISN", C(4001), API, 101, 1, 0, 2, 1, 1, false, VERDICT_DROP},
		{"lower ISN", C(4001), API, 99, 2, 0, 3, 2, 1, false, VERDICT_DROP},
		{"the oldest again", C(4001), API, 100, 0, 0, 1, 0, 2, true, VERDICT_REFUSE},
		{"the second again", C(4001), API, 101, 1, 0, 2, 1, 2, true, VERDICT_DROP},
		{"the third again", C(4001), API, 99, 2, 0, 3, 2, 2, true, VERDICT_ACCEPT},
	};

	EXCHANGE_ALL(tracker, exchanges);
}

Test(tracker, knows_which_attempt_had_the_port_before)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const struct exchange exchanges[] = {
		{"first", C(4001), API, 100, 0, 0, 1, 0, 1, false, VERDICT_REFUSE},
		{"another port", C(4002), API, 100, 1, 0, 2, 1, 1, false, VERDICT_DROP},
		{"the first port", C(4001), API, 101, 2, 0, 3, 2, 1, false, VERDICT_DROP},
	};
	uint32_t earlier = 77;

	EXCHANGE_ALL(tracker, exchanges);
	cr_expect_eq(tracker_earlier(tracker, 0, &earlier), -ENOENT);
	cr_expect_eq(tracker_earlier(tracker, 1, &earlier), -ENOENT);
	cr_expect_eq(earlier, 77);
	cr_expect_eq(tracker_earlier(tracker, 2, &earlier), 0);
	cr_expect_eq(earlier, 0);
}

Test(tracker, same_isn_from_another_port_or_address_is_a_new_attempt)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const struct exchange exchanges[] = {
		{"first", C(4001), API, 100, 0, 0, 1, 0, 1, false, VERDICT_REFUSE},
		{"port", C(4002), API, 100, 1, 0, 2, 1, 1, false, VERDICT_DROP},
		{"address", "127.0.0.9:4001", API, 100, 2, 0, 3, 2, 1, false, VERDICT_DROP},
	};

	EXCHANGE_ALL(tracker, exchanges);
}

Test(tracker, same_client_port_to_several_endpoints_is_an_attempt_at_each)
{
	static const struct endpoint_text endpoints[] = {
		{{"127.0.0.1:80"}, {"refuse", "accept"}},
		{{"127.0.0.1:81"}, {"drop", "refuse"}},
		{{"127.0.0.2:80"}, {"lose 1", "drop"}},
	};
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(endpoints);
	static const struct exchange exchanges[] = {
		{"a", C(4001), "127.0.0.1:80", 100, 0, 0, 1, 0, 1, false, VERDICT_REFUSE},
		{"b", C(4001), "127.0.0.1:81", 100, 1, 1, 1, 0, 1, false, VERDICT_DROP},
		{"c", C(4001), "127.0.0.2:80", 100, 2, 2, 1, 0, 1, false, VERDICT_DROP},
		{"c again", C(4001), "127.0.0.2:80", 100, 2, 2, 1, 0, 2, true, VERDICT_ACCEPT},
		{"a, second", C(4002), "127.0.0.1:80", 7, 3, 0, 2, 1, 1, false, VERDICT_ACCEPT},
		{"b, second", C(4002), "127.0.0.1:81", 7, 4, 1, 2, 1, 1, false, VERDICT_REFUSE},
		{"b, first again", C(4001), "127.0.0.1:81", 100, 1, 1, 1, 0, 2, true, VERDICT_DROP},
	};

	EXCHANGE_ALL(tracker, exchanges);
}

Test(tracker, addresses_of_one_endpoint_share_its_script)
{
	static const struct endpoint_text endpoints[] = {
		{{"127.0.0.1:80", "[::1]:80", "[2001:db8::1]:8080"}, {"refuse", "drop", "accept"}},
	};
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(endpoints);
	static const struct exchange exchanges[] = {
		{"IPv6", "[::1]:4001", "[::1]:80", 100, 0, 0, 1, 0, 1, false, VERDICT_REFUSE},
		{"IPv4", C(4001), "127.0.0.1:80", 100, 1, 0, 2, 1, 1, false, VERDICT_DROP},
		{"IPv6, other", "[::1]:4001", "[2001:db8::1]:8080", 100, 2, 0, 3, 2, 1, false,
		 VERDICT_ACCEPT},
		{"IPv4 again", C(4001), "127.0.0.1:80", 100, 1, 0, 2, 1, 2, true, VERDICT_DROP},
	};

	EXCHANGE_ALL(tracker, exchanges);
}

Test(tracker, repeated_steps_serve_their_number_of_attempts)
{
	static const struct endpoint_text endpoints[] = {
		{{API}, {"refuse x2", "drop", "lose 1 x2", "refuse x2"}},
	};
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(endpoints);
	static const uint32_t steps[] = {0, 0, 1, 2, 2, 3, 3, 3, 3, 3};

	for (uint32_t i = 0; i < ARRAY_SIZE(steps); i++)
		cr_expect_eq(send_syn(tracker, C(4001), API, i, 0).attempt.step, steps[i],
			     "attempt %u", i + 1);
}

Test(tracker, kinds_of_syns_make_no_difference)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	const struct {
		const char *name;
		struct packet packet;
	} cases[] = {
		{"plain", syn_of(C(4001), API, 100)},
		{"ECN setup (RFC 3168)", syn_of(C(4002), API, 200)},
		{"Multipath (RFC 8684)", syn_of(C(4003), API, 300)},
		{"Fast Open with data (RFC 7413)", syn_of(C(4004), API, 400)},
		{"Fast Open asking for a cookie", syn_of(C(4005), API, 500)},
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tracker_decision decision;
		struct packet packet = cases[i].packet;

		packet.flags |= i == 1 ? TCP_FLAG_ECE | TCP_FLAG_CWR : 0;
		packet.multipath = i == 2;
		packet.fast_open = i >= 3;
		packet.payload_length = i == 3 ? 500 : 0;
		cr_assert_eq(tracker_syn(tracker, &packet, 0, &decision), 0);
		cr_expect_eq(decision.attempt.number, i + 1, "%s", cases[i].name);
		cr_expect(!decision.retransmission, "%s", cases[i].name);

		/* Retransmitted, ECN and Fast Open are given up (tcp_output.c): same attempt. */
		packet = cases[i].packet;
		cr_assert_eq(tracker_syn(tracker, &packet, 0, &decision), 0);
		cr_expect_eq(decision.attempt.number, i + 1, "%s, again", cases[i].name);
		cr_expect(decision.retransmission, "%s, again", cases[i].name);
	}
	cr_assert_eq(tracker_n_attempts(tracker), ARRAY_SIZE(cases));
}

Test(tracker, syn_to_no_endpoint_is_not_counted)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const char *const others[] = {"127.0.0.1:81", "127.0.0.2:80", "[::1]:80",
					     "[7f00:1::]:80"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct packet packet = syn_of(C(4001), others[i], 100);
		struct tracker_decision decision = {.attempt.id = 77};

		cr_expect_eq(tracker_syn(tracker, &packet, 0, &decision), -ENOENT, "%s", others[i]);
		cr_expect_eq(decision.attempt.id, 77, "%s wrote its output", others[i]);
	}
	cr_assert_eq(tracker_n_attempts(tracker), 0);
	cr_assert_eq(send_syn(tracker, C(4001), API, 100, 0).attempt.number, 1);
}

Test(tracker, attempt_starts_with_its_first_syn)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct address client = address_of(C(4001)), server = address_of(API);
	struct attempt_info attempt;

	send_syn(tracker, C(4001), API, 100, 1000);
	attempt = send_syn(tracker, C(4001), API, 100, 2000).attempt;
	cr_assert_eq(attempt.started_ns, 1000);
	cr_assert(address_equal(&attempt.key.client, &client));
	cr_assert(address_equal(&attempt.key.server, &server));
}

Test(tracker, syn_ack_establishes_the_attempt_it_acknowledges)
{
	static const struct {
		const char *name;
		uint32_t isn;
		uint32_t data;           /* carried by the SYN */
		uint32_t acknowledgment; /* of the SYN-ACK */
		int expected;
	} cases[] = {
		{"ISN + 1", 100, 0, 101, 0},
		{"ISN", 100, 0, 100, -ENOENT},
		{"ISN + 2 without data", 100, 0, 102, -ENOENT},
		{"wrapped around", UINT32_MAX, 0, 0, 0},
		{"all data acknowledged", 100, 50, 151, 0},
		{"data not acknowledged", 100, 50, 101, 0},
		{"some of the data", 100, 50, 120, 0},
		{"more than the data", 100, 50, 152, -ENOENT},
		{"below the ISN with data", 100, 50, 100, -ENOENT},
		{"data wrapped around", UINT32_MAX - 9, 50, 41, 0},
		{"more than data wrapped around", UINT32_MAX - 9, 50, 42, -ENOENT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
		struct packet syn = syn_of(C(4001), API, cases[i].isn);
		struct packet syn_ack = syn_ack_of(C(4001), API, cases[i].acknowledgment);
		struct attempt_info attempt = {.id = 77};
		struct tracker_decision decision;

		syn.payload_length = cases[i].data;
		cr_assert_eq(tracker_syn(tracker, &syn, 0, &decision), 0);
		cr_expect_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), cases[i].expected, "%s",
			     cases[i].name);
		cr_expect_eq(attempt.id, cases[i].expected ? 77 : 0, "%s", cases[i].name);
		cr_expect_eq(tracker_attempt(tracker, 0).state,
			     cases[i].expected ? ATTEMPT_WAITING : ATTEMPT_ESTABLISHED, "%s",
			     cases[i].name);
	}
}

Test(tracker, data_of_any_syn_of_the_attempt_may_be_acknowledged)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct packet syn = syn_of(C(4001), API, 100);
	struct packet syn_ack = syn_ack_of(C(4001), API, 151);
	struct tracker_decision decision;
	struct attempt_info attempt;

	/* The retransmission goes without data, but both may have arrived. */
	syn.payload_length = 50;
	cr_assert_eq(tracker_syn(tracker, &syn, 0, &decision), 0);
	syn.payload_length = 0;
	cr_assert_eq(tracker_syn(tracker, &syn, 0, &decision), 0);
	cr_assert_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), 0);
}

Test(tracker, syn_ack_finds_its_attempt_among_those_of_one_port)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const struct {
		const char *name;
		uint32_t acknowledgment;
		int expected;
		uint32_t id;
	} cases[] = {
		{"the middle one", 1001, 0, 1},
		{"the oldest, with data", 131, 0, 0},
		{"the newest, with data", 5041, 0, 2},
		{"none", 3001, -ENOENT, 0},
	};
	static const uint32_t isns[] = {100, 1000, 5000};

	for (size_t i = 0; i < ARRAY_SIZE(isns); i++) {
		struct packet syn = syn_of(C(4001), API, isns[i]);
		struct tracker_decision decision;

		syn.payload_length = 40;
		cr_assert_eq(tracker_syn(tracker, &syn, 0, &decision), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct packet syn_ack = syn_ack_of(C(4001), API, cases[i].acknowledgment);
		struct attempt_info attempt = {0};

		cr_expect_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), cases[i].expected, "%s",
			     cases[i].name);
		cr_expect_eq(attempt.id, cases[i].id, "%s", cases[i].name);
	}
}

Test(tracker, syn_ack_of_unknown_addresses_is_ignored)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const struct {
		const char *client, *server;
	} cases[] = {
		{C(4002), API},
		{C(4001), "127.0.0.1:81"},
		{"127.0.0.2:4001", API},
		{API, C(4001)}, /* the wrong way round */
	};

	send_syn(tracker, C(4001), API, 100, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct packet syn_ack = syn_ack_of(cases[i].client, cases[i].server, 101);
		struct attempt_info attempt;

		cr_expect_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), -ENOENT, "%s to %s",
			     cases[i].client, cases[i].server);
	}
}

Test(tracker, second_syn_ack_is_distinguished)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct packet syn_ack = syn_ack_of(C(4001), API, 101);
	struct attempt_info attempt;

	send_syn(tracker, C(4001), API, 100, 0);
	cr_assert_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), 0);
	cr_assert_eq(attempt.state, ATTEMPT_ESTABLISHED);
	cr_assert_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), -EALREADY);
}

/* Closes the newest open attempt of the addresses. Returns 0 or -ENOENT. */
static int close_newest(struct tracker *tracker, const struct address *client,
			const struct address *server, struct attempt_info *ret)
{
	uint32_t id;
	int r = tracker_find_open(tracker, client, server, &id);

	if (r == 0)
		*ret = tracker_close(tracker, id);
	return r;
}

Test(tracker, syn_ack_for_a_dead_socket_establishes_nothing)
{
	/* The client gave up while its SYN was held. */
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct address client = address_of(C(4001)), server = address_of(API);
	struct packet syn = syn_of(C(4001), API, 100);
	struct packet plain = syn_ack_of(C(4001), API, 101);
	struct packet with_data = syn_ack_of(C(4001), API, 111);
	struct tracker_decision decision;
	struct attempt_info attempt;

	syn.payload_length = 10;
	cr_assert_eq(tracker_syn(tracker, &syn, 0, &decision), 0);
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
	cr_expect_eq(tracker_syn_ack(tracker, &plain, &attempt), -ENOENT);
	cr_expect_eq(tracker_syn_ack(tracker, &with_data, &attempt), -ENOENT);
	cr_expect_eq(tracker_attempt(tracker, 0).state, ATTEMPT_WAITING);
}

Test(tracker, refused_attempt_is_known_by_its_id)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct attempt_info attempt = {.id = 77};

	send_syn(tracker, C(4001), API, 100, 0);
	send_syn(tracker, C(4002), API, 200, 0);
	cr_assert_eq(tracker_refused(tracker, 1, &attempt), 0);
	cr_assert_eq(attempt.id, 1);
	cr_assert_eq(attempt.state, ATTEMPT_REFUSED);
	cr_assert_eq(tracker_attempt(tracker, 0).state, ATTEMPT_WAITING);
	cr_assert_eq(tracker_refused(tracker, 2, &attempt), -ENOENT);
	cr_assert_eq(attempt.id, 1);
}

Test(tracker, answered_attempt_keeps_its_first_answer)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct packet first = syn_ack_of(C(4001), API, 101);
	struct packet second = syn_ack_of(C(4002), API, 201);
	struct attempt_info attempt;

	send_syn(tracker, C(4001), API, 100, 0);
	send_syn(tracker, C(4002), API, 200, 0);
	cr_assert_eq(tracker_syn_ack(tracker, &first, &attempt), 0);
	cr_assert_eq(tracker_refused(tracker, 0, &attempt), 0);
	cr_expect_eq(attempt.state, ATTEMPT_ESTABLISHED);
	cr_assert_eq(tracker_refused(tracker, 1, &attempt), 0);
	cr_expect_eq(tracker_syn_ack(tracker, &second, &attempt), -EALREADY);
	cr_expect_eq(tracker_attempt(tracker, 1).state, ATTEMPT_REFUSED);
}

Test(tracker, finds_the_newest_open_attempt_of_addresses)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct address client = address_of(C(4001)), server = address_of(API);
	struct attempt_info attempt = {0};

	send_syn(tracker, C(4001), API, 100, 0); /* 0 */
	send_syn(tracker, C(4002), API, 100, 0); /* 1, another port */
	send_syn(tracker, C(4001), API, 200, 0); /* 2 */
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
	cr_assert_eq(attempt.id, 2);
	cr_assert(attempt.closed);
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
	cr_assert_eq(attempt.id, 0);
	attempt.id = 77;
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), -ENOENT);
	cr_assert_eq(attempt.id, 77);

	/* The port is used once more after all of its attempts have closed. */
	send_syn(tracker, C(4001), API, 300, 0); /* 3 */
	send_syn(tracker, C(4001), API, 400, 0); /* 4 */
	send_syn(tracker, C(4001), API, 500, 0); /* 5 */
	(void)tracker_close(tracker, 4);
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
	cr_assert_eq(attempt.id, 5);
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
	cr_assert_eq(attempt.id, 3);
	cr_assert(!tracker_attempt(tracker, 1).closed);
}

Test(tracker, knows_when_a_socket_was_last_seen)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);

	send_syn(tracker, C(4001), API, 100, 10);
	cr_expect_eq(tracker_attempt(tracker, 0).seen_ns, 10);
	send_syn(tracker, C(4001), API, 100, 30);
	cr_expect_eq(tracker_attempt(tracker, 0).seen_ns, 30, "a retransmission shows it");
	tracker_note_seen(tracker, 0, 20);
	cr_expect_eq(tracker_attempt(tracker, 0).seen_ns, 30);
	tracker_note_seen(tracker, 0, 40);
	cr_expect_eq(tracker_attempt(tracker, 0).seen_ns, 40);
	cr_expect_eq(tracker_attempt(tracker, 0).started_ns, 10);
}

Test(tracker, death_of_unknown_addresses_closes_nothing)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	static const struct {
		const char *client, *server;
	} cases[] = {
		{C(4002), API},
		{C(4001), "127.0.0.1:81"},
		{"[::1]:4001", API},
		{API, C(4001)}, /* the server's own socket */
	};

	send_syn(tracker, C(4001), API, 100, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address client = address_of(cases[i].client);
		struct address server = address_of(cases[i].server);
		struct attempt_info attempt;

		cr_expect_eq(close_newest(tracker, &client, &server, &attempt), -ENOENT, "%s to %s",
			     cases[i].client, cases[i].server);
	}
	cr_assert(!tracker_attempt(tracker, 0).closed);
}

Test(tracker, closing_keeps_the_state)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct address client = address_of(C(4001)), server = address_of(API);
	struct packet syn_ack = syn_ack_of(C(4001), API, 101);
	struct attempt_info attempt;

	send_syn(tracker, C(4001), API, 100, 0);
	cr_assert_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), 0);
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
	cr_assert_eq(attempt.state, ATTEMPT_ESTABLISHED);
	cr_assert(attempt.closed);
}

Test(tracker, late_retransmission_of_a_closed_attempt_is_still_its_own)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct address client = address_of(C(4001)), server = address_of(API);
	struct tracker_decision decision;
	struct attempt_info attempt;

	send_syn(tracker, C(4001), API, 100, 0);
	cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
	decision = send_syn(tracker, C(4001), API, 100, 0);
	cr_assert(decision.retransmission);
	cr_assert(decision.attempt.closed);
	cr_assert_eq(tracker_n_attempts(tracker), 1);
}

Test(tracker, fixed_delay_is_the_same_for_every_syn)
{
	static const struct endpoint_text endpoints[] = {{{API}, {"delay 300ms", "accept"}}};
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(endpoints);

	for (int i = 0; i < 3; i++) {
		struct tracker_decision decision = send_syn(tracker, C(4001), API, 100, 0);

		cr_expect_eq(decision.attempt.delay_ns, 300 * NS_PER_MS);
		cr_expect_eq(decision.verdict.hold_ns, 300 * NS_PER_MS);
		cr_expect_eq(decision.verdict.kind, VERDICT_ACCEPT);
	}
	cr_expect_eq(send_syn(tracker, C(4002), API, 200, 0).attempt.delay_ns, 0);
}

Test(tracker, drawn_delay_belongs_to_the_attempt)
{
	static const struct endpoint_text endpoints[] = {
		{{API}, {"delay 100ms..2s"}},
		{{"127.0.0.1:81"}, {"delay 100ms..2s"}},
	};
	int64_t delays[2][20];
	bool endpoints_differ = false, attempts_differ = false;

	for (uint64_t seed = 1; seed <= 2; seed++) {
		AUTO_TRACKER struct tracker *tracker = tracker_of(endpoints, 2, seed);

		for (uint32_t i = 0; i < 20; i++) {
			const char *server = i % 2 ? "127.0.0.1:81" : API;
			struct tracker_decision decision = send_syn(tracker, C(4001), server, i, 0);
			int64_t delay = decision.attempt.delay_ns;

			cr_expect(delay >= 100 * NS_PER_MS && delay <= 2 * NS_PER_S);
			cr_expect_eq(decision.verdict.hold_ns, delay);
			/* Part of what a seed means: never to be changed. */
			cr_expect_eq(delay, random_between(random_draw(seed, i % 2, i / 2 + 1, 0),
							   100 * NS_PER_MS, 2 * NS_PER_S));
			cr_expect_eq(send_syn(tracker, C(4001), server, i, 0).attempt.delay_ns,
				     delay, "retransmission");
			delays[seed - 1][i] = delay;
		}
	}
	for (size_t i = 0; i < 20; i += 2) {
		cr_expect_neq(delays[0][i], delays[1][i], "seeds give different delays");
		endpoints_differ |= delays[0][i] != delays[0][i + 1];
		attempts_differ |= delays[0][i] != delays[0][0];
	}
	cr_expect(endpoints_differ && attempts_differ);
}

Test(tracker, endpoint_of_a_tracker_without_endpoints_is_never_found)
{
	AUTO_TRACKER struct tracker *tracker = tracker_new(NULL, 0, 1);
	struct packet packet = syn_of(C(4001), API, 100);
	struct tracker_decision decision;

	cr_assert_eq(tracker_syn(tracker, &packet, 0, &decision), -ENOENT);
	tracker_free(NULL);
}

/* The address 10.x.y.z with @number in its low bytes. */
static struct address numbered_address(uint32_t number, uint16_t port)
{
	return (struct address){
		.family = AF_INET,
		.port = port,
		.bytes = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number},
	};
}

/* The k-th of many attempts: endpoint, port and ISN follow from k. */
static struct packet numbered_syn(uint32_t k, uint32_t n_endpoints)
{
	return (struct packet){
		.source = numbered_address(0xff0000 + k / 50000, (uint16_t)(1024 + k % 50000)),
		.destination = numbered_address(k % n_endpoints, 80),
		.sequence = k * UINT32_C(2654435761),
		.flags = TCP_FLAG_SYN,
	};
}

Test(tracker, many_attempts_at_many_endpoints_are_kept_apart)
{
	enum { N_ENDPOINTS = 1000, N_ATTEMPTS = 100000 };
	AUTO_FREE struct address *addresses = xzalloc(N_ENDPOINTS * sizeof(*addresses));
	AUTO_FREE struct tracker_endpoint *endpoints = xzalloc(N_ENDPOINTS * sizeof(*endpoints));
	CLEANUP(script_free) struct script script = {0};
	AUTO_TRACKER struct tracker *tracker = NULL;

	script_append(&script, &(struct step){.action = STEP_REFUSE, .repeat = 50});
	script_append(&script, &(struct step){.action = STEP_ACCEPT, .repeat = 1});
	for (uint32_t i = 0; i < N_ENDPOINTS; i++) {
		addresses[i] = numbered_address(i, 80);
		endpoints[i] = (struct tracker_endpoint){&addresses[i], 1, &script};
	}
	tracker = tracker_new(endpoints, N_ENDPOINTS, 1);

	for (uint32_t k = 0; k < N_ATTEMPTS; k++) {
		struct packet packet = numbered_syn(k, N_ENDPOINTS);
		struct tracker_decision decision;

		cr_assert_eq(tracker_syn(tracker, &packet, k, &decision), 0);
		cr_assert(decision.attempt.id == k && !decision.retransmission, "attempt %u", k);
		cr_assert_eq(decision.attempt.endpoint, k % N_ENDPOINTS, "attempt %u", k);
		cr_assert_eq(decision.attempt.number, k / N_ENDPOINTS + 1, "attempt %u", k);
		cr_assert_eq(decision.attempt.step, k / N_ENDPOINTS >= 50, "attempt %u", k);
	}
	for (uint32_t k = 0; k < N_ATTEMPTS; k++) {
		struct packet packet = numbered_syn(k, N_ENDPOINTS);
		struct tracker_decision decision;
		struct attempt_info attempt;

		cr_assert_eq(tracker_syn(tracker, &packet, k, &decision), 0);
		cr_assert(decision.attempt.id == k && decision.retransmission, "attempt %u", k);
		cr_assert_eq(decision.attempt.started_ns, k, "attempt %u", k);
		cr_assert_eq(close_newest(tracker, &packet.source, &packet.destination, &attempt),
			     0);
		cr_assert_eq(attempt.id, k);
	}
	cr_assert_eq(tracker_n_attempts(tracker), N_ATTEMPTS);
}

Test(tracker, one_port_used_again_many_times_stays_fast, .timeout = 20)
{
	/* The client binds all attempts to one port: if they were searched one by one, this would
	 * take for ever.
	 */
	enum { N = 200000 };
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one_endpoint);
	struct packet syn = syn_of(C(4001), API, 0), syn_ack = syn_ack_of(C(4001), API, 0);
	struct address client = syn.source, server = syn.destination;
	struct attempt_info attempt;

	syn.payload_length = 10;
	for (uint32_t i = 0; i < N; i++) {
		struct tracker_decision decision;

		syn.sequence = i * 1000;
		syn_ack.acknowledgment = i * 1000 + 11;
		cr_assert_eq(tracker_syn(tracker, &syn, 0, &decision), 0);
		cr_assert_eq(tracker_syn_ack(tracker, &syn_ack, &attempt), 0);
		cr_assert_eq(attempt.id, i);
	}
	for (uint32_t i = N; i-- > 0;) {
		cr_assert_eq(close_newest(tracker, &client, &server, &attempt), 0);
		cr_assert_eq(attempt.id, i);
	}
}

/* ---- changes ---- */

static const struct endpoint_text one[] = {{{"127.0.0.1:80"}, {"refuse x2", "accept"}}};

static void replace(struct tracker *tracker, const char *steps, uint32_t first)
{
	struct script script = {0};
	struct step_error error;
	struct step step;

	cr_assert_eq(step_parse(steps, &step, &error), 0);
	script_append(&script, &step);
	cr_expect_eq(tracker_replace(tracker, 0, &script), first);
	script_free(&script);
}

/* Sends the first SYN of an attempt, whose ISN is its number; checks step and verdict. */
static struct tracker_decision attempt(struct tracker *tracker, uint32_t number, uint32_t step,
				       enum verdict_kind verdict)
{
	struct tracker_decision decision =
		send_syn(tracker, "127.0.0.1:1000", "127.0.0.1:80", number, number * NS_PER_S);

	cr_expect_eq(decision.attempt.number, number);
	cr_expect_eq(decision.attempt.step, step, "attempt %u: step %u", number,
		     decision.attempt.step);
	cr_expect_eq(decision.verdict.kind, verdict, "attempt %u", number);
	return decision;
}

Test(tracker, replaced_script_serves_the_attempts_that_start_from_then_on)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one);

	attempt(tracker, 1, 0, VERDICT_REFUSE);
	replace(tracker, "drop x2", 2);
	attempt(tracker, 2, 2, VERDICT_DROP);
	replace(tracker, "accept", 3);
	/* Its retransmission is the attempt's, not the new script's. */
	cr_expect_eq(
		send_syn(tracker, "127.0.0.1:1000", "127.0.0.1:80", 2, 9 * NS_PER_S).verdict.kind,
		VERDICT_DROP);
	attempt(tracker, 3, 3, VERDICT_ACCEPT);
	cr_expect_eq(tracker_step(tracker, 0)->action, STEP_REFUSE, "steps don't move");
	cr_expect_eq(tracker_step(tracker, 1)->action, STEP_DROP);
}

Test(tracker, held_attempt_waits_for_its_verdict_and_uses_up_no_step)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one);
	const struct step refuse = {.action = STEP_REFUSE, .repeat = 1};
	struct attempt_info info;
	uint32_t number;

	cr_assert_eq(tracker_hold(tracker, 0, 0, 30 * NS_PER_S, &number), 0);
	cr_expect_eq(number, 1u);
	cr_expect_eq(tracker_hold(tracker, 0, 1, NS_PER_S, &number), -EEXIST);
	cr_expect_eq(tracker_release(tracker, 0, 1, &refuse, 0, &info), -EAGAIN);
	cr_expect_eq(attempt(tracker, 1, 2, VERDICT_ACCEPT).verdict.hold_ns, 30 * NS_PER_S);
	cr_assert_eq(tracker_release(tracker, 0, 1, &refuse, 3 * NS_PER_S, &info), 0);
	cr_expect_eq(info.delay_ns, 2 * NS_PER_S);
	cr_expect_eq(tracker_step(tracker, info.id)->action, STEP_DELAY);
	cr_expect(tracker_step(tracker, info.id)->then_refuse);
	cr_expect_eq(tracker_release(tracker, 0, 1, &refuse, 4 * NS_PER_S, &info), -ENOENT);
	/* The script goes on as if that attempt had not been made. */
	attempt(tracker, 2, 0, VERDICT_REFUSE);
	attempt(tracker, 3, 0, VERDICT_REFUSE);
	attempt(tracker, 4, 1, VERDICT_ACCEPT);
	cr_expect_eq(tracker_hold(tracker, 0, 4, NS_PER_S, &number), -EEXIST, "it has begun");
	cr_expect_eq(tracker_release(tracker, 0, 4, &refuse, 5 * NS_PER_S, &info), -ENOENT);
}

Test(tracker, hold_outlives_the_script_and_ends_at_its_limit)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one);
	const struct step drop = {.action = STEP_DROP, .repeat = 1};
	struct attempt_info info;
	uint32_t number;

	cr_assert_eq(tracker_hold(tracker, 0, 2, NS_PER_S, &number), 0);
	cr_assert_eq(tracker_hold(tracker, 0, 3, NS_PER_S, &number), 0);
	replace(tracker, "drop", 1);
	attempt(tracker, 1, 4, VERDICT_DROP);
	attempt(tracker, 2, 2, VERDICT_ACCEPT);
	attempt(tracker, 3, 3, VERDICT_ACCEPT);
	attempt(tracker, 4, 4, VERDICT_DROP);
	cr_expect_eq(tracker_release(tracker, 0, 2, &drop, 3 * NS_PER_S, &info), -ETIME);
	cr_expect_eq(tracker_release(tracker, 0, 3, &drop, 3 * NS_PER_S + 1, &info), 0);
	cr_expect_eq(tracker_step(tracker, info.id)->action, STEP_DROP);
}

static enum verdict_kind verdict_at(struct tracker *tracker, uint32_t isn, int64_t at_ms)
{
	return send_syn(tracker, "127.0.0.1:1000", "127.0.0.1:80", isn, at_ms * NS_PER_MS)
		.verdict.kind;
}

Test(tracker, window_from_the_first_attempt_counts_from_a_held_one)
{
	static const struct endpoint_text endpoint[] = {
		{{"127.0.0.1:80"},
		 {"down 1s from first-attempt", "pause 2s at 2s from first-attempt", "accept"}}};
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(endpoint);
	uint32_t number;

	tracker_client_started(tracker, 500 * NS_PER_MS);
	cr_assert_eq(tracker_hold(tracker, 0, 1, 30 * NS_PER_S, &number), 0);
	cr_expect_eq(verdict_at(tracker, 1, 1000), VERDICT_ACCEPT);
	cr_expect_eq(verdict_at(tracker, 2, 1900), VERDICT_REFUSE);
	cr_expect_eq(verdict_at(tracker, 3, 2100), VERDICT_ACCEPT);
	for (uint32_t id = 0; id < 3; id++) {
		cr_expect_not(tracker_pauses(tracker, id, 2900 * NS_PER_MS));
		cr_expect(tracker_pauses(tracker, id, 3100 * NS_PER_MS));
		cr_expect(tracker_pauses(tracker, id, 4900 * NS_PER_MS));
		cr_expect_not(tracker_pauses(tracker, id, 5100 * NS_PER_MS));
	}
}

Test(tracker, window_of_a_replacement_counts_from_its_own_first_attempt)
{
	AUTO_TRACKER struct tracker *tracker = TRACKER_OF(one);
	uint32_t number;

	cr_expect_eq(verdict_at(tracker, 1, 1000), VERDICT_REFUSE);
	replace(tracker, "down 1s from first-attempt with drop", 2);
	cr_assert_eq(tracker_hold(tracker, 0, 2, 30 * NS_PER_S, &number), 0);
	cr_expect_eq(verdict_at(tracker, 2, 5000), VERDICT_ACCEPT);
	cr_expect_eq(verdict_at(tracker, 3, 5900), VERDICT_DROP);
}
