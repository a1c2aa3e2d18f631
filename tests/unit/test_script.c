/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of fault steps: how they are read and written, and which attempts they serve. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "injector/script.h"
#include "injector/step_text.h"

TestSuite(script);

static struct step step_of(const char *text)
{
	struct step_error error;
	struct step step;

	cr_assert_eq(step_parse(text, &step, &error), 0, "\"%s\"", text);
	return step;
}

static bool step_equal(const struct step *a, const struct step *b)
{
	return a->action == b->action && a->repeat == b->repeat &&
	       a->repeat_explicit == b->repeat_explicit && a->lose == b->lose &&
	       a->then_refuse == b->then_refuse && a->delay_min_ns == b->delay_min_ns &&
	       a->delay_max_ns == b->delay_max_ns && a->unreachable == b->unreachable &&
	       a->then_unreachable == b->then_unreachable && a->abort == b->abort &&
	       a->after == b->after && a->bytes == b->bytes && a->after_ns == b->after_ns &&
	       a->to_server == b->to_server && a->ending == b->ending && a->then == b->then &&
	       a->loss == b->loss && a->burst == b->burst && a->rate == b->rate &&
	       a->slow_to_server == b->slow_to_server && a->way == b->way &&
	       a->for_ns == b->for_ns && a->latency_ns == b->latency_ns &&
	       a->jitter_ns == b->jitter_ns;
}

Test(script, reads_every_form_of_a_step)
{
	enum { MS = 1000000 };
	static const struct {
		const char *text;
		struct step step;
	} cases[] = {
		{"accept", {.action = STEP_ACCEPT, .repeat = 1}},
		{"refuse", {.action = STEP_REFUSE, .repeat = 1}},
		{"drop", {.action = STEP_DROP, .repeat = 1}},
		{"lose 1", {.action = STEP_LOSE, .repeat = 1, .lose = 1}},
		{"lose 1000000", {.action = STEP_LOSE, .repeat = 1, .lose = 1000000}},
		{"delay 300ms",
		 {.action = STEP_DELAY,
		  .repeat = 1,
		  .delay_min_ns = 300 * MS,
		  .delay_max_ns = 300 * MS}},
		{"delay 0s", {.action = STEP_DELAY, .repeat = 1}},
		{"delay 1.5s",
		 {.action = STEP_DELAY,
		  .repeat = 1,
		  .delay_min_ns = 1500 * MS,
		  .delay_max_ns = 1500 * MS}},
		{"delay 100ms..2s",
		 {.action = STEP_DELAY,
		  .repeat = 1,
		  .delay_min_ns = 100 * MS,
		  .delay_max_ns = 2000 * MS}},
		{"delay 1.5ms..2.5ms",
		 {.action = STEP_DELAY,
		  .repeat = 1,
		  .delay_min_ns = 1500000,
		  .delay_max_ns = 2500000}},
		{"delay 1ms ..2ms",
		 {.action = STEP_DELAY, .repeat = 1, .delay_min_ns = MS, .delay_max_ns = 2 * MS}},
		{"delay 1ms .. 2ms",
		 {.action = STEP_DELAY, .repeat = 1, .delay_min_ns = MS, .delay_max_ns = 2 * MS}},
		{"delay 1ms.. 2ms",
		 {.action = STEP_DELAY, .repeat = 1, .delay_min_ns = MS, .delay_max_ns = 2 * MS}},
		{"delay 2ms..2ms",
		 {.action = STEP_DELAY,
		  .repeat = 1,
		  .delay_min_ns = 2 * MS,
		  .delay_max_ns = 2 * MS}},
		{"delay 1ms then refuse",
		 {.action = STEP_DELAY,
		  .repeat = 1,
		  .then_refuse = true,
		  .delay_min_ns = MS,
		  .delay_max_ns = MS}},
		{"delay 1ms then accept",
		 {.action = STEP_DELAY, .repeat = 1, .delay_min_ns = MS, .delay_max_ns = MS}},
		{"delay 1ms..2ms then refuse x3",
		 {.action = STEP_DELAY,
		  .repeat = 3,
		  .repeat_explicit = true,
		  .then_refuse = true,
		  .delay_min_ns = MS,
		  .delay_max_ns = 2 * MS}},
		{"refuse x3", {.action = STEP_REFUSE, .repeat = 3, .repeat_explicit = true}},
		{"refuse x1", {.action = STEP_REFUSE, .repeat = 1, .repeat_explicit = true}},
		{"drop x1000000",
		 {.action = STEP_DROP, .repeat = 1000000, .repeat_explicit = true}},
		{"lose 2 x4",
		 {.action = STEP_LOSE, .repeat = 4, .repeat_explicit = true, .lose = 2}},
		{" \t refuse \n x3 ",
		 {.action = STEP_REFUSE, .repeat = 3, .repeat_explicit = true}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step_error error = {0};
		struct step step = {0};

		cr_expect_eq(step_parse(cases[i].text, &step, &error), 0, "\"%s\": %s",
			     cases[i].text, error.message);
		cr_expect(step_equal(&step, &cases[i].step), "\"%s\"", cases[i].text);
	}
}

static struct step new_step(enum step_action action)
{
	return (struct step){.action = action, .repeat = 1};
}

static void expect_step(const char *text, const struct step *expected)
{
	AUTO_STRBUF struct strbuf written = {0};
	struct step_error error = {0};
	struct step step = {0};

	cr_expect_eq(step_parse(text, &step, &error), 0, "\"%s\": %s", text, error.message);
	cr_expect(step_equal(&step, expected), "\"%s\"", text);
	step_format(&step, &written);
	cr_expect_eq(step_parse(strbuf_text(&written), &step, &error), 0, "\"%s\" for \"%s\": %s",
		     strbuf_text(&written), text, error.message);
	cr_expect(step_equal(&step, expected), "\"%s\" for \"%s\"", strbuf_text(&written), text);
}

Test(script, reads_what_happens_to_the_syn_or_its_answer)
{
	static const char *const unreachable[UNREACHABLE_N_KINDS] = {
		[UNREACHABLE_NET] = "unreachable net",
		[UNREACHABLE_HOST] = "unreachable host",
		[UNREACHABLE_PORT] = "unreachable port",
		[UNREACHABLE_ADMIN] = "unreachable admin",
		[UNREACHABLE_PROTOCOL] = "unreachable protocol",
	};
	struct step step = new_step(STEP_UNREACHABLE);

	for (int kind = 0; kind < UNREACHABLE_N_KINDS; kind++) {
		step.unreachable = (enum unreachable_kind)kind;
		expect_step(unreachable[kind], &step);
	}
	step = new_step(STEP_DELAY);
	step.delay_min_ns = step.delay_max_ns = 2 * NS_PER_S;
	step.then_unreachable = true;
	step.unreachable = UNREACHABLE_ADMIN;
	expect_step("delay 2s then unreachable admin", &step);
	step = new_step(STEP_LOSE_SYN_ACK);
	step.lose = 3;
	expect_step("lose-synack 3", &step);
	step = new_step(STEP_HALF_OPEN);
	expect_step("half-open", &step);
	step = new_step(STEP_BACKLOG_FULL);
	expect_step("backlog-full", &step);
	step.abort = true;
	expect_step("backlog-full abort", &step);
	step.repeat = 3;
	step.repeat_explicit = true;
	expect_step("backlog-full abort x3", &step);
}

Test(script, reads_what_happens_to_a_connection)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} amounts[] = {
		{"0 bytes", 0},
		{"1 byte", 1},
		{"1000 bytes", 1000},
		{"1000bytes", 1000},
		{"7B", 7},
		{"10KB", 10000},
		{"10 kB", 10000},
		{"4 KiB", 4096},
		{"2MB", 2000000},
		{"1 MiB", 1 << 20},
		{"1 GB", 1000000000},
		{"1GiB", 1 << 30},
		{"1000000 GB", SCRIPT_MAX_BYTES},
	};
	static const enum step_action actions[] = {STEP_RESET, STEP_STALL, STEP_CLOSE};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const char *name = step_action_name(actions[i]);
		struct step step = new_step(actions[i]);
		AUTO_FREE char *after_accept = xasprintf("%s after accept", name);
		AUTO_FREE char *after_time = xasprintf("%s after 1.5s", name);

		expect_step(after_accept, &step);
		step.after = AFTER_TIME;
		step.after_ns = 1500 * NS_PER_MS;
		expect_step(after_time, &step);
		for (size_t k = 0; k < ARRAY_SIZE(amounts); k++) {
			AUTO_FREE char *plain = xasprintf("%s after %s", name, amounts[k].text);
			AUTO_FREE char *client = xasprintf("%s to-client", plain);
			AUTO_FREE char *server = xasprintf("%s to-server", plain);

			step = new_step(actions[i]);
			step.after = AFTER_BYTES;
			step.bytes = amounts[k].bytes;
			expect_step(plain, &step);
			expect_step(client, &step);
			step.to_server = true;
			expect_step(server, &step);
		}
	}
}

Test(script, reads_stalls_that_heal_or_stop_one_direction)
{
	struct step step = new_step(STEP_STALL);

	step.for_ns = 2 * NS_PER_S;
	expect_step("stall after accept for 2s", &step);
	step.way = STALL_FROM_SERVER;
	expect_step("stall from-server after accept for 2s", &step);
	step.after = AFTER_TIME;
	step.after_ns = NS_PER_S;
	expect_step("stall from-server after 1s for 2s", &step);
	step.way = STALL_TO_SERVER;
	step.for_ns = 0;
	expect_step("stall to-server after 1s", &step);
	step = new_step(STEP_STALL);
	step.after = AFTER_BYTES;
	step.bytes = 3;
	step.to_server = true;
	step.way = STALL_FROM_SERVER;
	step.for_ns = 300 * NS_PER_MS;
	step.repeat = 2;
	step.repeat_explicit = true;
	expect_step("stall from-server after 3 bytes to-server for 300ms x2", &step);
}

Test(script, reads_rates)
{
	struct step step = new_step(STEP_SLOW);

	step.rate = 10000;
	expect_step("slow 10KB/s", &step);
	expect_step("slow 10 KB/s", &step);
	expect_step("slow 10000 bytes/s to-client", &step);
	step.slow_to_server = true;
	expect_step("slow 10000B/s to-server", &step);
}

Test(script, reads_lost_packets)
{
	static const struct {
		const char *text;
		uint32_t loss;
	} cases[] = {
		{"packet-loss 2%", 20000},      {"packet-loss 0.1%", 1000},
		{"packet-loss 0.0001%", 1},     {"packet-loss 99.9999%", 999999},
		{"packet-loss 12.50%", 125000},
	};
	struct step step = new_step(STEP_PACKET_LOSS);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		step.loss = cases[i].loss;
		expect_step(cases[i].text, &step);
	}
	step.loss = 20000;
	step.burst = 5;
	expect_step("packet-loss 2% burst 5", &step);
	step.way = STALL_FROM_SERVER;
	step.repeat = 3;
	step.repeat_explicit = true;
	expect_step("packet-loss 2% burst 5 from-server x3", &step);
	step = new_step(STEP_DELAY);
	step.delay_min_ns = step.delay_max_ns = 300 * NS_PER_MS;
	step.then = STEP_PACKET_LOSS;
	step.loss = 1000;
	step.way = STALL_TO_SERVER;
	expect_step("delay 300ms then packet-loss 0.1% to-server", &step);
}

Test(script, reads_latency)
{
	struct step step = new_step(STEP_LATENCY);

	step.latency_ns = 50 * NS_PER_MS;
	expect_step("latency 50ms", &step);
	step.jitter_ns = 10 * NS_PER_MS;
	expect_step("latency 50ms jitter 10ms", &step);
	step.jitter_ns = 50 * NS_PER_MS;
	step.way = STALL_TO_SERVER;
	step.repeat = 3;
	step.repeat_explicit = true;
	expect_step("latency 50ms jitter 50ms to-server x3", &step);
	step = new_step(STEP_LOSE);
	step.lose = 1;
	step.then = STEP_LATENCY;
	step.latency_ns = 2 * NS_PER_S;
	step.way = STALL_FROM_SERVER;
	expect_step("lose 1 then latency 2s from-server", &step);
}

Test(script, reads_two_faults_of_one_attempt)
{
	struct step step = new_step(STEP_DELAY);

	step.delay_min_ns = step.delay_max_ns = 300 * NS_PER_MS;
	step.then = STEP_RESET;
	step.after = AFTER_BYTES;
	step.bytes = 10000;
	expect_step("delay 300ms then reset after 10 KB", &step);
	step.to_server = true;
	step.delay_max_ns = NS_PER_S;
	step.repeat = 3;
	step.repeat_explicit = true;
	expect_step("delay 300ms..1s then reset after 10 KB to-server x3", &step);
	step = new_step(STEP_LOSE);
	step.lose = 1;
	step.then = STEP_STALL;
	step.after = AFTER_TIME;
	step.after_ns = 5 * NS_PER_S;
	expect_step("lose 1 then stall after 5s", &step);
	step.way = STALL_TO_SERVER;
	step.for_ns = NS_PER_S;
	expect_step("lose 1 then stall to-server after 5s for 1s", &step);
	step = new_step(STEP_LOSE_SYN_ACK);
	step.lose = 2;
	step.then = STEP_CLOSE;
	expect_step("lose-synack 2 then close after accept", &step);
	step = new_step(STEP_LOSE_SYN_ACK);
	step.lose = 2;
	step.then = STEP_SLOW;
	step.rate = 1000;
	step.slow_to_server = true;
	expect_step("lose-synack 2 then slow 1 KB/s to-server", &step);
	step = new_step(STEP_SLOW);
	step.rate = 10000;
	step.then = STEP_CLOSE;
	step.after = AFTER_TIME;
	step.after_ns = 5 * NS_PER_S;
	expect_step("slow 10 KB/s then close after 5s", &step);
	step.slow_to_server = true;
	expect_step("slow 10 KB/s to-server then close after 5s", &step);
}

struct error_case {
	const char *text;
	const char *marked;  /* the part of the text that the error marks */
	const char *message; /* a part of it */
	const char *hint;    /* a part of it; NULL: there is none */
};

static void expect_errors(const struct error_case *cases, size_t n_cases)
{
	for (size_t i = 0; i < n_cases; i++) {
		struct step_error error = {0};
		struct step step = {.repeat = 77};
		const char *text = cases[i].text;

		cr_expect_eq(step_parse(text, &step, &error), -EINVAL, "\"%s\"", text);
		cr_expect_eq(step.repeat, 77, "\"%s\" wrote its output", text);
		cr_expect_leq(error.offset + error.length, strlen(text), "\"%s\"", text);
		cr_expect(error.length == strlen(cases[i].marked) &&
				  !memcmp(text + error.offset, cases[i].marked, error.length),
			  "\"%s\": marked \"%.*s\"", text, (int)error.length, text + error.offset);
		cr_expect(strstr(error.message, cases[i].message), "\"%s\": %s", text,
			  error.message);
		cr_expect(cases[i].hint ? strstr(error.hint, cases[i].hint) != NULL
					: error.hint[0] == '\0',
			  "\"%s\": hint: %s", text, error.hint);
	}
}

static const struct error_case fault_errors[] = {
	{"unreachable", "unreachable", "needs what can't be reached", "one of net, host"},
	{"unreachable x2", "unreachable", "needs what can't be reached", "one of net, host"},
	{"unreachable hots", "hots", "not a kind of", "did you mean \"host\"?"},
	{"unreachable network", "network", "not a kind of", "did you mean \"net\"?"},
	{"unreachable 5", "5", "not a kind of", "one of net, host"},
	{"delay 1s then unreachable", "unreachable", "needs what can't", "one of net, host"},
	{"lose-synack", "lose-synack", "needs the number of SYN-ACKs", "\"lose-synack 2\""},
	{"lose-synack 0", "0", "loses nothing", "use \"accept\""},
	{"lose-synack x2", "x2", "not a number of SYN-ACKs", "\"lose-synack 2\""},
	{"half-open after 2s", "after", "unexpected \"after\"", "separate item"},
	{"backlog-full 3", "3", "unexpected \"3\"", "backlog-full x3"},
	{"reset", "reset", "must say after what", "the SYN with RST, \"refuse\""},
	{"reset x3", "reset", "must say after what", "\"reset after accept\""},
	{"stall", "stall", "must say after what", "\"stall after 1000 bytes\""},
	{"close after", "after", "needs bytes, a duration", "\"close after 1000 bytes\""},
	{"close after x3", "after", "needs bytes, a duration", "\"close after 1000 bytes\""},
	{"close after 100", "100", "not a number of bytes", "\"close after 100 bytes\"?"},
	{"close after lunch", "lunch", "not a number of bytes", "\"close after 2s\""},
	{"close after 5 apples", "5", "not a number of bytes", "\"close after 5 bytes\"?"},
	{"close after 5apples", "5apples", "the duration \"5apples\"", NULL},
	{"reset after 1s to-server", "to-server", "unexpected \"to-server\"", "separate item"},
	{"reset after 1000001 GB", "1000001", "too many bytes", "1000000 GB"},
	{"reset after 99999999999999999999999 B", "99999999999999999999999", "too many", "1000000"},
	{"stall for 3s", "stall", "must say after what", "\"stall after accept\""},
	{"stall to-client after 1s", "to-client", "not a direction", "\"from-server\"?"},
	{"stall from-client after 1s", "from-client", "not a direction", "\"to-server\"?"},
	{"stall after 1s for", "for", "needs a duration", "\"stall after 2s for 5s\""},
	{"stall after 1s for x2", "for", "needs a duration", "\"stall after 2s for 5s\""},
	{"stall after 1s for 0s", "0s", "stops nothing", "use \"accept\""},
	{"stall after 1s for 3", "3", "the duration \"3\"", "did you mean \"3ms\"?"},
	{"stall after 1s for 3s for 3s", "for", "unexpected \"for\"", "separate item"},
	{"stall after 1s to-server", "to-server", "comes before \"after\"",
	 "did you mean \"stall to-server after 1s\"?"},
	{"stall after 1s from-server for 2s", "from-server", "comes before \"after\"",
	 "did you mean \"stall from-server after 1s for 2s\"?"},
	{"stall after 1s for 2s from-server x3", "from-server", "comes before \"after\"",
	 "did you mean \"stall from-server after 1s for 2s\"?"},
	{"stall after 10 KB from-server", "from-server", "comes before \"after\"",
	 "did you mean \"stall from-server after 10 KB\"?"},
	{"reset after 1s for 3s", "for", "\"reset\" ends the connection",
	 "\"stall after 2s for 5s\""},
	{"close after 1 KB for 3s", "for", "\"close\" ends the connection", "stall after 2s"},
	{"slow", "slow", "needs a rate", "slow 10 KB/s"},
	{"slow x2", "slow", "needs a rate", "slow 10 KB/s"},
	{"slow 300ms", "300ms", "is not a rate", "did you mean \"delay 300ms\"?"},
	{"slow 10", "10", "is not a rate", "did you mean \"slow 10 bytes/s\"?"},
	{"slow 10KB", "10KB", "is not a rate", "slow 10 KB/s"},
	{"slow 0 bytes/s", "0", "nothing ever arrives", "stall after accept"},
	{"packet-loss", "packet-loss", "needs the share", "packet-loss 2%"},
	{"packet-loss x3", "packet-loss", "needs the share", "packet-loss 2%"},
	{"packet-loss 2", "2", "not a percentage", "did you mean \"packet-loss 2%\"?"},
	{"packet-loss 0.02", "0.02", "not a percentage", "for example"},
	{"packet-loss 2.%", "2.%", "not a percentage", "for example"},
	{"packet-loss .5%", ".5%", "not a percentage", "for example"},
	{"packet-loss %", "%", "not a percentage", "for example"},
	{"packet-loss 0.00001%", "0.00001%", "not a percentage", "for example"},
	{"packet-loss 0%", "0%", "more than 0%", "use \"accept\""},
	{"packet-loss 100%", "100%", "less than 100%", "use \"stall after accept\""},
	{"packet-loss 150%", "150%", "less than 100%", "\"packet-loss 2%\""},
	{"packet loss 5%", "packet", "unknown step", "did you mean \"packet-loss 5%\"?"},
	{"half open x2", "half", "unknown step", "did you mean \"half-open x2\"?"},
	{"packet 5%", "packet", "unknown step", "the steps are"},
	{"packet-loss 99999999999999999999%", "99999999999999999999%", "less than 100%",
	 "\"packet-loss 2%\""},
	{"packet-loss 2% burst", "burst", "2 to 1000", "packet-loss 2% burst 5"},
	{"packet-loss 2% burst 1", "1", "2 to 1000", "packet-loss 2% burst 5"},
	{"packet-loss 2% burst 1001", "1001", "2 to 1000", "packet-loss 2% burst 5"},
	{"packet-loss 90% burst 5", "5", "bursts this short", "at least 10"},
	{"packet-loss 2% to-client", "to-client", "not a direction", "\"from-server\"?"},
	{"packet-loss 2% then reset after 1s", "then", "unexpected", "is the last that happens"},
	{"latency", "latency", "needs a duration", "latency 50ms jitter 10ms"},
	{"latency x3", "latency", "needs a duration", "latency 50ms"},
	{"latency 50", "50", "the duration \"50\"", "did you mean \"50ms\"?"},
	{"latency 0ms", "0ms", "nothing comes late", "use \"accept\""},
	{"latency 50ms jitter", "jitter", "needs a duration", "latency 50ms jitter 10ms"},
	{"latency 50ms jitter x2", "jitter", "needs a duration", "latency 50ms jitter 10ms"},
	{"latency 50ms jitter 51ms", "51ms", "come too early", "at most the latency"},
	{"latency 50ms to-client", "to-client", "not a direction", "\"from-server\"?"},
	{"latency 50ms then reset after 1s", "then", "unexpected", "is the last that happens"},
	{"latency 50ms then refuse", "then", "unexpected", "item: [latency 50ms, refuse]"},
	{"accept then close after 1 KB x2", "then", "unexpected",
	 "item: [accept, close after 1 KB x2]"},
	{"refuse accept", "accept", "unexpected", "item: [refuse, accept]"},
	{"latency 50ms then\nrefuse x3\n", "then", "unexpected", "separate item"},
	{"slow 1 KB/s then latency 50ms", "latency", "can follow \"slow\"", "for example"},
	{"lag 50ms", "lag", "unknown step", "latency D"},
	{"refuse after 10 bytes", "after", "unexpected \"after\"", "separate item"},
};

Test(script, explains_what_is_wrong_with_a_fault_of_a_connection)
{
	expect_errors(fault_errors, ARRAY_SIZE(fault_errors));
}

static const struct error_case action_errors[] = {
	{"", "", "the step is empty", "the steps are accept, refuse, drop"},
	{"  ", "", "the step is empty", "the steps are"},
	{"foo", "foo", "unknown step \"foo\"", "the steps are"},
	{"refsue", "refsue", "unknown step \"refsue\"", "did you mean \"refuse\"?"},
	{"Refuse", "Refuse", "unknown step", "did you mean \"refuse\"?"},
	{"acept x3", "acept", "unknown step \"acept\"", "did you mean \"accept\"?"},
	{"timeout", "timeout", "unknown step", "did you mean \"drop\"?"},
	{"wait 2s", "wait", "unknown step", "did you mean \"delay D\"?"},
	{"refuse, accept", "refuse,", "unknown step \"refuse,\"", "[refuse, accept]"},
	{"refuse; accept", "refuse;", "unknown step", "separate item"},
	{"3 refuse", "3", "comes before the step", "did you mean \"refuse x3\"?"},
	{"3x refuse", "3x", "comes before the step", "did you mean \"refuse x3\"?"},
	{"x3 refuse", "x3", "comes before the step", "did you mean \"refuse x3\"?"},
	{"x3", "x3", "unknown step", "the steps are"},
	{"3 refuse 4", "3", "unknown step", "the steps are"},
};

Test(script, unknown_action_gets_a_suggestion)
{
	expect_errors(action_errors, ARRAY_SIZE(action_errors));
}

static const struct error_case repetition_errors[] = {
	{"refuse 3", "3", "unexpected \"3\" after \"refuse\"", "did you mean \"refuse x3\"?"},
	{"refuse*3", "refuse*3", "unknown step", "did you mean \"refuse x3\"?"},
	{"dropx3", "dropx3", "unknown step", "did you mean \"drop x3\"?"},
	{"refuse×3", "refuse×3", "unknown step", "did you mean \"refuse x3\"?"},
	{"lose3", "lose3", "unknown step", "did you mean \"lose\"?"},
	{"refuse 3x", "3x", "unexpected \"3x\"", "did you mean \"refuse x3\"?"},
	{"refuse *3", "*3", "unexpected", "did you mean \"refuse x3\"?"},
	{"refuse ×3", "×3", "unexpected", "did you mean \"refuse x3\"?"},
	{"refuse X3", "X3", "unexpected", "did you mean \"refuse x3\"?"},
	{"refuse x 3", "x", "unexpected \"x\"", "did you mean \"refuse x3\"?"},
	{"lose 2 3", "3", "unexpected \"3\" after \"lose 2\"", "did you mean \"lose 2 x3\"?"},
	{"refuse x", "x", "unexpected \"x\"", "separate item"},
	{"refuse x-1", "x-1", "unexpected \"x-1\"", "separate item"},
	{"refuse x0", "x0", "would serve no attempt", "leave the step out"},
	{"refuse x1000001", "x1000001", "at most 1000000 times", "all attempts that follow"},
	{"refuse x99999999999999999999", "x99999999999999999999", "at most 1000000 times",
	 "all attempts that follow"},
	{"refuse x3 x4", "x4", "unexpected \"x4\" after \"refuse x3\"", "ends a step"},
	{"refuse accept", "accept", "unexpected \"accept\" after \"refuse\"", "[refuse, accept]"},
	{"refuse then accept", "then", "unexpected \"then\"", "allows no connection"},
	{"drop then reset after 1s", "then", "unexpected \"then\"",
	 "\"drop\" allows no connection"},
	{"half-open then reset after 1s", "then", "unexpected \"then\"", "allows no connection"},
	{"accept then reset after 1s", "then", "unexpected \"then\"", "leave out \"accept then\""},
	{"reset after 1s then accept", "then", "unexpected \"then\"", "is the last that happens"},
	{"stall after 1s for 2s then close after 9s", "then", "unexpected \"then\"", "is the last"},
	{"delay 1s then slow 1 KB/s then close after 9s", "then", "unexpected",
	 "one \"then\" at most"},
	{"lose 1 then", "then", "needs what happens next", "slow 10 KB/s then close after 5s"},
	{"lose 1 then accept", "accept", "can follow \"lose\", not", "leave out \"then accept\""},
	{"lose 1 then refuse", "refuse", "can follow \"lose\", not \"refuse\"", "for example"},
	{"lose 1 then rset after 1s", "rset", "can follow \"lose\"", "did you mean \"reset\"?"},
	{"lose-synack 1 then delay 1s", "delay", "can follow \"lose-synack\"", "for example"},
	{"lose 1 then reset", "reset", "must say after what", "\"reset after accept\""},
	{"slow 1 KB/s then slow 2 KB/s", "slow", "can follow \"slow\", not \"slow\"",
	 "for example"},
	{"slow 1 KB/s then refuse", "refuse", "can follow \"slow\"", "close after 5s"},
	{"slow 10 KB/s then close after 5 KB", "5", "comes after a time, not after bytes",
	 "did you mean \"close after 500ms\"?"},
	{"slow 10 KB/s then reset after accept", "accept", "nothing is slow",
	 "\"reset after accept\""},
	{"refuse x3, accept", "x3,", "unexpected \"x3,\"", "[refuse x3, accept]"},
};

Test(script, wrong_repetition_gets_a_suggestion)
{
	expect_errors(repetition_errors, ARRAY_SIZE(repetition_errors));
}

static const struct error_case lose_errors[] = {
	{"lose", "lose", "needs the number of SYNs", "for example \"lose 2\""},
	{"lose 0", "0", "loses nothing", "use \"accept\""},
	{"lose x3", "x3", "is not a number of SYNs", "did you mean \"lose 3\"?"},
	{"lose 3x", "3x", "is not a number of SYNs", "did you mean \"lose 3\"?"},
	{"lose -1", "-1", "is not a number of SYNs", "for example"},
	{"lose 1.5", "1.5", "is not a number of SYNs", "for example"},
	{"lose two", "two", "is not a number of SYNs", "for example"},
	{"lose 1000001", "1000001", "from 1 to 1000000", "use \"drop\""},
	{"lose 99999999999999999999", "99999999999999999999", "from 1 to 1000000", "use \"drop\""},
};

Test(script, wrong_lose_is_explained)
{
	expect_errors(lose_errors, ARRAY_SIZE(lose_errors));
}

static const struct error_case delay_errors[] = {
	{"delay", "delay", "needs a duration", "for example \"delay 300ms\""},
	{"delay 300", "300", "\"300\" has no unit", "did you mean \"300ms\"?"},
	{"delay 300 ms", "300", "\"300\" has no unit", "did you mean \"300ms\"?"},
	{"delay 2 s x3", "2", "\"2\" has no unit", "did you mean \"2s\"?"},
	{"delay 0", "0", "has no unit", "did you mean \"0ms\"?"},
	{"delay x3", "x3", "does not start with a number", "for example \"delay 300ms x3\""},
	{"delay 2sec", "2sec", "has an unknown unit", NULL},
	{"delay -1s", "-1s", "is negative", NULL},
	{"delay 25h", "25h", "is longer than 24h", NULL},
	{"delay 1s..300", "300", "has no unit", "did you mean \"300ms\"?"},
	{"delay 1..2s", "1", "has no unit", "did you mean"},
	{"delay ..2s", "", "is empty", NULL},
	{"delay 1s..", "1s..", "the range has no end", "for example"},
	{"delay 1s .. x3", "x3", "does not start with a number", "for example"},
	{"delay 1s..2s..3s", "..3s", "unexpected \"..3s\"", "separate item"},
	{"delay 2s..1s", "2s..1s", "ends before it begins", "did you mean \"1s..2s\"?"},
	{"delay 2s .. 1s x3", "2s .. 1s", "ends before it begins", "did you mean \"1s..2s\"?"},
	{"delay 1s 2s", "2s", "unexpected \"2s\" after \"delay 1s\"",
	 "did you mean \"delay 1s..2s\"?"},
	{"delay 1s refuse", "refuse", "unexpected \"refuse\"",
	 "did you mean \"delay 1s then refuse\"?"},
	{"delay 1s then", "then", "needs what happens next", "for example"},
	{"delay 1s then x3", "then", "needs what happens next", "for example"},
	{"delay 1s then drop", "drop", "can follow \"delay\", not \"drop\"", "use \"drop\""},
	{"delay 1s then refsue", "refsue", "can follow \"delay\"", "did you mean \"refuse\"?"},
	{"delay 1s then 2s", "2s", "can follow \"delay\"", "for example"},
	{"delay 1s then refuse then accept", "then", "unexpected \"then\"", "separate item"},
};

Test(script, wrong_delay_is_explained)
{
	expect_errors(delay_errors, ARRAY_SIZE(delay_errors));
}

Test(script, hints_suggest_valid_steps)
{
	static const char *const cases[] = {"refuse 3", "3x refuse",   "lose x3",
					    "lose 2 3", "delay 1s 2s", "delay 1s refuse"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *offered = NULL;
		struct step_error error;
		struct step step;
		const char *start;

		cr_assert_eq(step_parse(cases[i], &step, &error), -EINVAL);
		start = strchr(error.hint, '"') + 1;
		offered = xstrndup(start, strcspn(start, "\""));
		cr_expect_eq(step_parse(offered, &step, &error), 0, "\"%s\": \"%s\"", cases[i],
			     offered);
	}
}

Test(script, errors_about_long_words_fit)
{
	static const char *const forms[] = {"%s",          "lose %s",          "delay %s",
					    "refuse %s",   "delay 1s then %s", "%s refuse",
					    "lose 1 x2 %s"};

	for (size_t i = 0; i < ARRAY_SIZE(forms) * 2; i++) {
		const char *form = forms[i / 2];
		char word[4001], text[5000];
		struct step_error error;
		struct step step;

		/* Two-byte characters, from an even or an odd byte on: none may be cut in the
		 * middle. */
		word[0] = '-';
		for (size_t at = i % 2; at + 1 < sizeof(word); at += 2)
			memcpy(word + at, "ü", 2);
		word[4000 - i % 2] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), form, word);
#pragma GCC diagnostic pop
		cr_expect_eq(step_parse(text, &step, &error), -EINVAL, "%s", form);
		cr_expect(memchr(error.message, '\0', sizeof(error.message)), "%s", form);
		cr_expect(strstr(error.message, "ü…\""), "%s: %s", form, error.message);
		cr_expect_eq(error.length, strlen(word), "%s: %zu", form, error.length);
	}
}

Test(script, delays_are_whole_microseconds)
{
	struct step step = step_of("delay 1.4us..1.6us");

	cr_assert_eq(step.delay_min_ns, NS_PER_US);
	cr_assert_eq(step.delay_max_ns, 2 * NS_PER_US);
}

Test(script, step_is_written_as_it_was_read)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{"accept", "accept"},
		{"refuse x3", "refuse x3"},
		{"refuse x1", "refuse x1"},
		{"  drop   x2", "drop x2"},
		{"lose 2 x4", "lose 2 x4"},
		{"delay 300ms", "delay 300ms"},
		{"delay 1500us", "delay 1500us"},
		{"delay 1m30s", "delay 90s"},
		{"delay 0s..0.1s then accept", "delay 0s..100ms"},
		{"delay 1s .. 2s then refuse x5", "delay 1s..2s then refuse x5"},
		{"delay 24h", "delay 24h"},
		{"delay 1s then  unreachable net", "delay 1s then unreachable net"},
		{"reset after 1000 bytes to-client", "reset after 1 KB"},
		{"reset after 1024B to-server", "reset after 1 KiB to-server"},
		{"close after 0B", "close after 0 bytes"},
		{"close after 1B x2", "close after 1 byte x2"},
		{"stall after 1500ms", "stall after 1500ms"},
		{"slow 2500000B/s", "slow 2500 KB/s"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0};
		struct step step = step_of(cases[i].text), again;

		step_format(&step, &out);
		cr_expect_str_eq(strbuf_text(&out), cases[i].written);
		again = step_of(strbuf_text(&out));
		cr_expect(step_equal(&step, &again), "%s", cases[i].text);
	}
}

Test(script, outages_are_steps_with_a_window)
{
	static const struct {
		const char *text, *written;
		enum step_action action;
		int64_t from_s, to_s, every_s;
		enum time_origin from;
	} cases[] = {
		{"down 5s", "down 5s", STEP_REFUSE, 0, 5, 0, TIME_FROM_START},
		{"down 5s from start", "down 5s", STEP_REFUSE, 0, 5, 0, TIME_FROM_START},
		{"down 2s..7s  from  first-attempt with drop",
		 "down 2s..7s from first-attempt with drop", STEP_DROP, 2, 7, 0,
		 TIME_FROM_FIRST_ATTEMPT},
		{"down 5s every 20s from first-attempt", "down 5s every 20s from first-attempt",
		 STEP_REFUSE, 0, 5, 20, TIME_FROM_FIRST_ATTEMPT},
		{"flap up 2s down 1s from first-attempt", "down 2s..3s every 3s from first-attempt",
		 STEP_REFUSE, 2, 3, 3, TIME_FROM_FIRST_ATTEMPT},
		{" down  5s ", "down 5s", STEP_REFUSE, 0, 5, 0, TIME_FROM_START},
		{"down 2s..7s", "down 2s..7s", STEP_REFUSE, 2, 7, 0, TIME_FROM_START},
		{"down 5s every 20s", "down 5s every 20s", STEP_REFUSE, 0, 5, 20, TIME_FROM_START},
		{"down 2s..7s every 20s with drop", "down 2s..7s every 20s with drop", STEP_DROP, 2,
		 7, 20, TIME_FROM_START},
		{"down 5s with refuse", "down 5s", STEP_REFUSE, 0, 5, 0, TIME_FROM_START},
		{"down 5s with unreachable host", "down 5s with unreachable host", STEP_UNREACHABLE,
		 0, 5, 0, TIME_FROM_START},
		{"flap up 2s down 1s", "down 2s..3s every 3s", STEP_REFUSE, 2, 3, 3,
		 TIME_FROM_START},
		{"flap down 1s up 2s", "down 1s every 3s", STEP_REFUSE, 0, 1, 3, TIME_FROM_START},
		{"flap up 2s down 1s with drop", "down 2s..3s every 3s with drop", STEP_DROP, 2, 3,
		 3, TIME_FROM_START},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0}, twice = {0};
		struct step step = step_of(cases[i].text), again;

		cr_expect_eq(step.action, cases[i].action, "%s", cases[i].text);
		cr_expect(step.when.given && step.when.has_window, "%s", cases[i].text);
		cr_expect_eq(step.when.window.from_ns, cases[i].from_s * NS_PER_S);
		cr_expect_eq(step.when.window.to_ns, cases[i].to_s * NS_PER_S);
		cr_expect_eq(step.when.window.every_ns, cases[i].every_s * NS_PER_S);
		cr_expect_eq(step.when.window.from, cases[i].from, "%s", cases[i].text);
		step_format(&step, &out);
		cr_expect_str_eq(strbuf_text(&out), cases[i].written);
		again = step_of(strbuf_text(&out));
		step_format(&again, &twice);
		cr_expect_str_eq(strbuf_text(&twice), cases[i].written);
	}
}

Test(script, outages_may_end_established_connections)
{
	static const struct {
		const char *text, *written;
		enum step_action action;
		enum step_ending ending;
	} cases[] = {
		{"down 2s..3s ending reset", "restart 1s at 2s", STEP_REFUSE, STEP_ENDS_RESET},
		{"down 1s every 4s  ending close", "restart 1s at 0s every 4s ending close",
		 STEP_REFUSE, STEP_ENDS_CLOSE},
		{"down 2s.. from first-attempt ending stall with drop",
		 "down 2s.. from first-attempt ending stall with drop", STEP_DROP, STEP_ENDS_STALL},
		{"down 2s..3s with unreachable host  ending reset ",
		 "down 2s..3s ending reset with unreachable host", STEP_UNREACHABLE,
		 STEP_ENDS_RESET},
		{"down 2s.. ending reset", "down 2s.. ending reset", STEP_REFUSE, STEP_ENDS_RESET},
		{"flap up 2s down 1s ending close", "restart 1s at 2s every 3s ending close",
		 STEP_REFUSE, STEP_ENDS_CLOSE},
		{"restart 5s", "restart 5s", STEP_REFUSE, STEP_ENDS_RESET},
		{"restart 5s from start", "restart 5s at 1s", STEP_REFUSE, STEP_ENDS_RESET},
		{"restart 5s at 3s", "restart 5s at 3s", STEP_REFUSE, STEP_ENDS_RESET},
		{"restart 500ms at 3s every 10s from first-attempt ending close with drop",
		 "down 3s..3500ms every 10s from first-attempt ending close with drop", STEP_DROP,
		 STEP_ENDS_CLOSE},
		{"restart 1s every 10s", "restart 1s every 10s", STEP_REFUSE, STEP_ENDS_RESET},
		{"restart 5s from command", "restart 5s from command", STEP_REFUSE,
		 STEP_ENDS_RESET},
		{"restart 5s each from command", "restart 5s each from command", STEP_REFUSE,
		 STEP_ENDS_RESET},
		{"restart 2s each at 4s  from command ending close with drop",
		 "restart 2s each at 4s from command ending close with drop", STEP_DROP,
		 STEP_ENDS_CLOSE},
		{"restart 1s ending stall", "restart 1s ending stall", STEP_REFUSE,
		 STEP_ENDS_STALL},
		{"pause 5s", "pause 5s", STEP_PAUSE, STEP_ENDS_PAUSE},
		{"pause 5s at 3s", "pause 5s at 3s", STEP_PAUSE, STEP_ENDS_PAUSE},
		{"pause 500ms at 0s every 10s from first-attempt",
		 "pause 500ms at 0s every 10s from first-attempt", STEP_PAUSE, STEP_ENDS_PAUSE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf out = {0}, twice = {0};
		struct step step = step_of(cases[i].text), again;

		cr_expect_eq(step.action, cases[i].action, "%s", cases[i].text);
		cr_expect_eq(step.ending, cases[i].ending, "%s", cases[i].text);
		cr_expect(step.when.given && step.when.has_window, "%s", cases[i].text);
		step_format(&step, &out);
		cr_expect_str_eq(strbuf_text(&out), cases[i].written);
		again = step_of(strbuf_text(&out));
		step_format(&again, &twice);
		cr_expect_str_eq(strbuf_text(&twice), cases[i].written);
	}
}

Test(script, ending_that_the_grammar_can_not_express_follows_the_condition)
{
	AUTO_STRBUF struct strbuf out = {0};
	struct step step = step_of("restart 1s at 2s");

	step.when.family = AF_INET6;
	step_format(&step, &out);
	cr_expect_str_eq(strbuf_text(&out), "refuse when time 2s..3s and ipv6 ending reset");
	strbuf_free(&out);
	step = step_of("pause 1s at 2s");
	step.when.family = AF_INET;
	step_format(&step, &out);
	cr_expect_str_eq(strbuf_text(&out), "pause when time 2s..3s and ipv4");
}

Test(script, invalid_outages_are_marked_where_they_are_wrong)
{
	static const struct {
		const char *text, *marked, *message;
	} cases[] = {
		{"down", "down", "needs a duration"},
		{"down 5", "5", "has no unit"},
		{"down 5s x2", "x2", "not for a number of attempts"},
		{"down 5s every 5s", "5s every 5s", "includes all times"},
		{"down 7s..2s", "7s..2s", "ends before it begins"},
		{"down 5s with", "with", "needs a step after it"},
		{"down 5s with lose 2", "lose 2", "a server that is down"},
		{"down 5s with down 2s", "down 2s", "a server that is down"},
		{"down 5s with refsue", "refsue", "unknown step"},
		{"flap", "flap", "how long the server is up"},
		{"flap up 2s", "2s", "how long the server is up"},
		{"flap 2s down 1s", "2s", "how long the server is up"},
		{"flap up 2s up 1s", "flap", "up for a time, then down"},
		{"flap up down", "down", "a duration is missing"},
		{"flap up 2s down 0s", "0s", "more than 0"},
		{"flap up 2s down 1s x2", "x2", "unexpected word"},
		{"flap up 23h down 2h", "flap", "longer than 24h"},
		{"down 5s from", "from", "names the instant"},
		{"down 5s from the-start", "the-start", "names the instant"},
		{"flap up 2s down 1s from with", "with", "names the instant"},
		{"down 5s from first-attempt x2", "x2", "unexpected word"},
		{"down 1s..5s ending", "ending", "how established connections end"},
		{"down 1s..5s ending refuse", "refuse", "how established connections end"},
		{"down 1s..5s ending reset x2", "x2", "unexpected word"},
		{"down 1s..5s with ending reset", "with", "needs a step after it"},
		{"down 1s..5s with drop ending", "ending", "how established connections end"},
		{"down 1s..5s with drop ending reset with drop", "with", "unexpected word"},
		{"down 1s..5s with lose 2 ending reset", "lose 2", "a server that is down"},
		{"restart", "restart", "a duration is missing"},
		{"restart 5", "5", "the duration \"5\" has no unit"},
		{"pause 1s at 3", "3", "the duration \"3\" has no unit"},
		{"flap up 2 down 1s", "2", "the duration \"2\" has no unit"},
		{"restart five", "five", "a duration is missing"},
		{"restart 0s", "restart 0s", "takes time"},
		{"restart 5s at", "at", "a duration is missing"},
		{"restart 5s at 2s x3", "x3", "unexpected word"},
		{"restart 5s at 2s every 6s", "restart 5s at 2s every 6s", "within its period"},
		{"restart 5s at 2s every", "every", "a duration is missing"},
		{"restart 2h at 23h", "restart 2h at 23h", "24h"},
		{"restart 5s at 2s each", "each", "after the first duration"},
		{"pause 1s every 5s each", "each", "after the first duration"},
		{"down 1s..2s ending pause", "pause", "says how established connections end"},
		{"pause", "pause", "a duration is missing"},
		{"pause 0s", "pause 0s", "takes time"},
		{"pause 5s at 2s every 6s", "pause 5s at 2s every 6s", "within its period"},
		{"pause 5s ending reset", "ending", "all packets get lost"},
		{"pause 5s at 1s with drop", "with", "all packets get lost"},
		{"pause 5s from first-attempt with drop", "from", "all packets get lost"},
		{"pause 5s from command", "from", "no command begins a pause"},
		{"pause 5s x3", "x3", "unexpected word"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step_error error = {0};
		struct step step;

		cr_expect_eq(step_parse(cases[i].text, &step, &error), -EINVAL, "%s",
			     cases[i].text);
		cr_expect(strstr(error.message, cases[i].message), "%s: %s", cases[i].text,
			  error.message);
		cr_expect(error.length == strlen(cases[i].marked) &&
				  !memcmp(cases[i].text + error.offset, cases[i].marked,
					  error.length),
			  "%s: marks \"%.*s\"", cases[i].text, (int)error.length,
			  cases[i].text + error.offset);
		cr_expect(*error.hint, "%s", cases[i].text);
	}
}

Test(script, step_made_by_code_is_written_with_its_repetition)
{
	AUTO_STRBUF struct strbuf out = {0};

	step_format(&(struct step){.action = STEP_REFUSE, .repeat = 3}, &out);
	cr_assert_str_eq(strbuf_text(&out), "refuse x3");
}

static void script_of(struct script *script, const char *const *steps)
{
	for (; *steps; steps++) {
		struct step step = step_of(*steps);

		script_append(script, &step);
	}
}

Test(script, is_written_as_a_list)
{
	CLEANUP(script_free) struct script script = {0};
	AUTO_STRBUF struct strbuf out = {0};

	script_of(&script, (const char *const[]){"refuse x3", "delay 300ms", "accept", NULL});
	script_format(&script, &out);
	cr_assert_str_eq(strbuf_text(&out), "refuse x3, delay 300ms, accept");
}

Test(script, steps_serve_their_attempts_and_the_last_one_the_rest)
{
	CLEANUP(script_free) struct script script = {0};
	static const struct {
		uint64_t attempt;
		size_t index;
	} cases[] = {
		{1, 0},
		{2, 0},
		{3, 0},
		{4, 1},
		{5, 2},
		{6, 2},
		{7, 3},
		{8, 3},
		{9, 3},
		{10, 3},
		{1000000000000, 3},
		{UINT64_MAX, 3},
	};

	script_of(&script,
		  (const char *const[]){"refuse x3", "drop", "lose 1 x2", "accept x2", NULL});
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(script_step_index(&script, cases[i].attempt), cases[i].index,
			     "attempt %llu", (unsigned long long)cases[i].attempt);
	cr_expect_eq(script_first_attempt(&script, 0), 1);
	cr_expect_eq(script_first_attempt(&script, 1), 4);
	cr_expect_eq(script_first_attempt(&script, 2), 5);
	cr_expect_eq(script_first_attempt(&script, 3), 7);
}

Test(script, single_step_serves_all_attempts)
{
	CLEANUP(script_free) struct script script = {0};

	script_of(&script, (const char *const[]){"refuse", NULL});
	cr_assert_eq(script_step_index(&script, 1), 0);
	cr_assert_eq(script_step_index(&script, 99), 0);
}

Test(script, first_attempt_and_step_index_agree_for_huge_repetitions)
{
	CLEANUP(script_free) struct script script = {0};
	struct step step = step_of("refuse x1000000");

	/* Together more attempts than 32 bits can count. */
	for (int i = 0; i < 5000; i++)
		script_append(&script, &step);
	for (size_t i = 0; i < script.n_steps; i += 499) {
		uint64_t first = script_first_attempt(&script, i);

		cr_assert_eq(first, 1 + UINT64_C(1000000) * i);
		cr_assert_eq(script_step_index(&script, first), i);
		if (i > 0)
			cr_assert_eq(script_step_index(&script, first - 1), i - 1);
	}
}

Test(script, every_action_has_a_name_that_is_read)
{
	static const char *const names[] = {
		"accept",      "refuse",      "drop",         "lose",  "delay", "unreachable",
		"lose-synack", "half-open",   "backlog-full", "reset", "stall", "close",
		"slow",        "packet-loss", "latency",      "pause",
	};

	for (int i = 0; i < STEP_N_ACTIONS; i++)
		cr_assert_str_eq(step_action_name((enum step_action)i), names[i]);
}
