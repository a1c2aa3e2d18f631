/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All kinds of expectations, a row each, with all that is known of the kind:
 *
 *	kind        EXPECT_…
 *	key         in a scenario file, below "expect"
 *	owned       the memory of its value, to be freed; or NULL
 *	decode      reads one value, for all endpoints or for one; NULL: its key makes several
 *	is_value    whether a mapping is a value rather than a mapping of endpoints; NULL: never
 *	contradict  adds an error if no client can meet it; NULL: any client may
 *	judge       measures and judges it
 *	needs       what a record must contain for that: bits of enum expectation_need
 *	traits      bits of enum expectation_trait
 *	the rest    the initializer of its struct schema_key: help, example, and what it takes
 *
 * Each floor takes the columns that it knows of, and ignores the others:
 *
 *	#define DECODE(kind, key, owned, decode, ...) [EXPECT_##kind] = decode,
 *	static decode_fn *const decoders[] = {EXPECTATION_KINDS(DECODE)};
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_EXPECTATION_KINDS_H
#define SYNFAULT_RUNNER_SCENARIO_EXPECTATION_KINDS_H

/* What a record must contain for an expectation to be judged. */
enum expectation_need {
	NEEDS_SOCKETS = 1u << 0,     /* cookies and looks at sockets: record.has_sockets */
	NEEDS_CLIENT_ENDS = 1u << 1, /* record.has_client_ends */
	NEEDS_STARVATION = 1u << 2,  /* record.has_starvation: every kind does */
	NEEDS_CLIENT = 1u << 3,      /* the client's own process, unknown if attached */
	NEEDS_DEATHS = 1u << 4,      /* the ends of its connections: the run waits for them */
	NEEDS_ALL = NEEDS_SOCKETS | NEEDS_CLIENT_ENDS | NEEDS_STARVATION | NEEDS_CLIENT,
};

enum expectation_trait {
	ON_ATTEMPTS = 1u << 0, /* if broken, it is broken whether or not all faults fired */
	BY_LUCK = 1u << 1,     /* delays may have made it come out right */
};

/* clang-format off */

#define EXPECTATIONS_BELOW_EXPECT(ROW) \
	ROW(EXIT, "exit", value->exit.codes, decode_exit, is_any, NULL, judge_exit, \
	    NEEDS_CLIENT, BY_LUCK, \
	    .value = "a status, a list of them, nonzero, or {signal: NAME}", \
	    .description = "How the client must end.", .example = "0", \
	    .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING, .type = SCHEMA_STATUS, \
	    .mapping = &schema_exit, .decode = decode_expectation) \
	ROW(DURATION, "duration", NULL, decode_time_value, NULL, contradict_time, \
	    judge_duration, NEEDS_CLIENT, 0, \
	    .value = "a duration or a range", .example = "1s..5s", \
	    .description = "How long the client runs, from start to exit.", \
	    .type = SCHEMA_DURATION_RANGE, .decode = decode_expectation) \
	ROW(ATTEMPTS, "attempts", NULL, decode_count_value, NULL, NULL, judge_attempts, 0, \
	    ON_ATTEMPTS, \
	    COUNT("3", "How many connection attempts there are.")) \
	ROW(RETRANSMISSIONS, "retransmissions", NULL, decode_count_value, NULL, NULL, \
	    judge_retransmissions, 0, ON_ATTEMPTS, \
	    COUNT("0", "How many SYNs the kernel retransmits.")) \
	ROW(BACKOFF, "backoff", value->policy.list, decode_policy, is_policy_value, \
	    contradict_policy, judge_backoff, NEEDS_SOCKETS, ON_ATTEMPTS, \
	    POLICY("How long the client pauses, from the end of an attempt to the start of the next.")) \
	ROW(ATTEMPT_DELAY, "attempt-delay", value->policy.list, decode_policy, is_policy_value, \
	    contradict_policy, judge_backoff, 0, ON_ATTEMPTS, \
	    POLICY("The times from the start of an attempt to the start of the next.")) \
	ROW(STDOUT, "stdout", value->text.text, NULL, NULL, NULL, judge_text, NEEDS_CLIENT, \
	    BY_LUCK, \
	    OUTPUT("{contains: done}", "What the client writes to its standard output.")) \
	ROW(STDERR, "stderr", value->text.text, NULL, NULL, NULL, judge_text, NEEDS_CLIENT, \
	    BY_LUCK, \
	    OUTPUT("{contains: \"Connection refused\"}", \
	           "What the client writes to its standard error output.")) \
	ROW(CONNECTED, "connected", NULL, decode_count_value, NULL, contradict_connections, \
	    judge_connected, 0, ON_ATTEMPTS | BY_LUCK, \
	    COUNT("1", "How many attempts become connections.")) \
	ROW(ENDED, "ended", value->ended.ends, decode_ended, NULL, NULL, judge_ended, \
	    NEEDS_SOCKETS | NEEDS_CLIENT_ENDS | NEEDS_DEATHS, BY_LUCK, \
	    .value = "an end, a list of them, or a mapping of endpoints to these", \
	    .description = "How every attempt ends as the client sees it, or each in turn.", \
	    .example = "[refused, closed]", .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING, \
	    .type = SCHEMA_CHOICE, .choices = connection_ends, .named = &schema_ended_named, \
	    .decode = decode_expectation) \
	ROW(HERD, "herd", NULL, decode_keys, holds_no_mapping, NULL, judge_herd, 0, \
	    ON_ATTEMPTS | BY_LUCK, \
	    .value = "a mapping of max and within, or a mapping of endpoints to it", \
	    .description = "How many attempts may come together.", \
	    .example = "{max: 5, within: 1s}", .forms = SCHEMA_MAPPING, .mapping = &schema_herd, \
	    .named = &schema_herd_named, .decode = decode_expectation) \
	ROW(CONNECT_TIMEOUT, "connect-timeout", NULL, decode_time_value, NULL, \
	    contradict_connect_timeout, judge_connect_timeout, NEEDS_SOCKETS, ON_ATTEMPTS, \
	    TIME("5s", "How long the client waits for an answer, from the first SYN until it closes the " \
	         "socket itself.")) \
	ROW(READ_TIMEOUT, "read-timeout", NULL, decode_time_value, NULL, \
	    contradict_read_timeout, judge_read_timeout, NEEDS_CLIENT_ENDS, 0, \
	    TIME("30s", "How long the client waits for data, from connected or the last byte received " \
	         "until it closes or resets the connection itself.")) \
	ROW(CONNECTING, "connecting", NULL, decode_time_value, NULL, contradict_time, \
	    judge_connecting, NEEDS_SOCKETS, ON_ATTEMPTS, \
	    TIME("..15s", "How long all attempts take together, from the first SYN to the last end of an " \
	         "attempt.")) \
	ROW(TOTAL_BACKOFF, "total-backoff", NULL, decode_time_value, NULL, \
	    contradict_total_backoff, judge_total_backoff, NEEDS_SOCKETS, ON_ATTEMPTS, \
	    TIME("..10s", "How long all pauses of the client take together.")) \
	ROW(GIVES_UP, "gives-up", NULL, decode_gives_up, holds_no_mapping, contradict_gives_up, \
	    judge_gives_up, 0, ON_ATTEMPTS, \
	    .value = "a mapping of after and attempts, or a mapping of endpoints to it", \
	    .description = "When the client stops trying.", .example = "{after: 10s}", \
	    .forms = SCHEMA_MAPPING, .mapping = &schema_gives_up, .named = &schema_gives_up_named, \
	    .decode = decode_expectation) \
	ROW(RETRY_ON, "retry-on", NULL, decode_retry_on, NULL, contradict_retry_on, \
	    judge_retry_on, NEEDS_SOCKETS, ON_ATTEMPTS, \
	    .value = "a list of endings, or a mapping of endpoints to lists", \
	    .description = "After which endings of an attempt the same address may be tried again.", \
	    .example = "[refused, unanswered]", \
	    .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING, .type = SCHEMA_CHOICE, \
	    .choices = ending_names, .named = &schema_retry_on_named, .decode = decode_expectation) \
	ROW(ORDER, "order", value->order.targets, NULL, NULL, NULL, judge_order, NEEDS_SOCKETS, \
	    ON_ATTEMPTS | BY_LUCK, \
	    .value = "a list of endpoints, families and addresses, or a mapping of them to {after: …}", \
	    .description = "The order in which the client first tries them.", \
	    .example = "[ipv6, ipv4]", .forms = SCHEMA_LIST | SCHEMA_MAPPING, .type = SCHEMA_WORD, \
	    .named = &schema_order_named, .decode = decode_order) \
	ROW(FALLBACK, "fallback", NULL, decode_fallback, is_any, contradict_fallback, \
	    judge_fallback, 0, ON_ATTEMPTS | BY_LUCK, \
	    .value = "a mapping of from, to and within", \
	    .description = "How soon the client turns to something else.", \
	    .example = "{from: ipv6, to: ipv4, within: 300ms}", .forms = SCHEMA_MAPPING, \
	    .mapping = &schema_fallback, .decode = decode_expectation) \
	ROW(CONCURRENT_ATTEMPTS, "concurrent-attempts", NULL, decode_concurrent_attempts, NULL, \
	    contradict_concurrent_attempts, judge_concurrent_attempts, NEEDS_SOCKETS, \
	    ON_ATTEMPTS, \
	    COUNT("1", "How many attempts may be open at once.")) \
	ROW(RECONNECTS, "reconnects", NULL, decode_reconnects, is_reconnects, \
	    contradict_reconnects, judge_reconnects, NEEDS_SOCKETS | NEEDS_CLIENT_ENDS, BY_LUCK, \
	    .value = "a number or a range, a mapping of count and within, or a mapping of " \
	             "endpoints to these", \
	    .description = "How many new connections the client makes after one was ended by a fault.", \
	    .example = "{count: 1, within: 2s}", .forms = SCHEMA_SCALAR | SCHEMA_MAPPING, \
	    .type = SCHEMA_COUNT_RANGE, .mapping = &schema_reconnects, \
	    .named = &schema_reconnects_named, .decode = decode_expectation) \
	ROW(CONCURRENT_CONNECTIONS, "concurrent-connections", NULL, \
	    decode_concurrent_connections, NULL, contradict_connections, \
	    judge_concurrent_connections, NEEDS_SOCKETS | NEEDS_CLIENT_ENDS | NEEDS_DEATHS, \
	    BY_LUCK, \
	    COUNT("10", "How many connections the client has at once.")) \
	ROW(STALE, "stale", NULL, decode_time_value, NULL, contradict_stale, judge_stale, \
	    NEEDS_SOCKETS | NEEDS_CLIENT_ENDS | NEEDS_DEATHS, 0, \
	    TIME("..200ms", "How long the client holds on to a connection that a fault ended, until it " \
	         "closes it or tries again.")) \
	ROW(LEAKS, "leaks", NULL, decode_count_value, NULL, NULL, judge_leaks, \
	    NEEDS_SOCKETS | NEEDS_CLIENT_ENDS | NEEDS_DEATHS, ON_ATTEMPTS, \
	    COUNT("0", "How many sockets outlive their attempt, or the client."))

/* In a mapping of their own. */
#define EXPECTATIONS_BELOW_BYTES(ROW) \
	ROW(RECEIVED, "received", NULL, decode_count_value, NULL, contradict_connections, \
	    judge_bytes, NEEDS_CLIENT_ENDS | NEEDS_DEATHS, 0, \
	    COUNT("1000", "How many bytes of data came from the servers.")) \
	ROW(SENT, "sent", NULL, decode_count_value, NULL, contradict_connections, judge_bytes, \
	    NEEDS_CLIENT_ENDS | NEEDS_DEATHS, 0, \
	    COUNT("{api: 1..500}", "How many bytes of data the client sent, without retransmissions."))

#define EXPECTATION_KINDS(ROW) EXPECTATIONS_BELOW_EXPECT(ROW) EXPECTATIONS_BELOW_BYTES(ROW)
/* clang-format on */

#endif
