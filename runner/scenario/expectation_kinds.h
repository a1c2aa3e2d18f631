/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All kinds of expectations, a row each, with what the files that need it have to know:
 *
 *	kind        EXPECT_…
 *	key         in a scenario file, below "expect"
 *	owned       the memory of its value, to be freed; or NULL
 *	decode      reads one value, for all endpoints or for one; NULL: its key makes several
 *	contradict  adds an error if no client can meet it; NULL: any client may
 *	is_value    whether a mapping is a value rather than a mapping of endpoints; NULL: never
 *
 * Whoever has a function for each kind makes its table from these rows:
 *
 *	#define ROW(kind, key, owned, decode, ...) [EXPECT_##kind] = decode,
 *	static decode_fn *const decoders[] = {EXPECTATION_KINDS(ROW)};
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_EXPECTATION_KINDS_H
#define SYNFAULT_RUNNER_SCENARIO_EXPECTATION_KINDS_H

/* clang-format off */
#define EXPECTATION_KINDS(ROW) \
	ROW(EXIT, "exit", value->exit.codes, decode_exit, NULL, is_any) \
	ROW(DURATION, "duration", NULL, decode_time_value, contradict_time, NULL) \
	ROW(ATTEMPTS, "attempts", NULL, decode_count_value, NULL, NULL) \
	ROW(RETRANSMISSIONS, "retransmissions", NULL, decode_count_value, NULL, NULL) \
	ROW(BACKOFF, "backoff", value->policy.list, \
	    decode_policy, contradict_policy, is_policy_value) \
	ROW(ATTEMPT_DELAY, "attempt-delay", value->policy.list, \
	    decode_policy, contradict_policy, is_policy_value) \
	ROW(STDOUT, "stdout", value->text.text, NULL, NULL, NULL) \
	ROW(STDERR, "stderr", value->text.text, NULL, NULL, NULL) \
	ROW(HERD, "herd", NULL, decode_herd, NULL, holds_no_mapping) \
	ROW(CONNECT_TIMEOUT, "connect-timeout", NULL, \
	    decode_time_value, contradict_connect_timeout, NULL) \
	ROW(GIVES_UP, "gives-up", NULL, decode_gives_up, contradict_gives_up, holds_no_mapping) \
	ROW(ORDER, "order", value->order.targets, NULL, NULL, NULL) \
	ROW(FALLBACK, "fallback", NULL, decode_fallback, contradict_fallback, is_any) \
	ROW(CONCURRENT_ATTEMPTS, "concurrent-attempts", NULL, \
	    decode_concurrent_attempts, contradict_concurrent_attempts, NULL) \
	ROW(LEAKS, "leaks", NULL, decode_count_value, NULL, NULL) \
	ROW(RETRY_ON, "retry-on", NULL, decode_retry_on, contradict_retry_on, NULL) \
	ROW(TOTAL_BACKOFF, "total-backoff", NULL, \
	    decode_time_value, contradict_total_backoff, NULL) \
	ROW(CONNECTED, "connected", NULL, decode_count_value, contradict_connections, NULL) \
	ROW(RECEIVED, "received", NULL, decode_count_value, contradict_connections, NULL) \
	ROW(SENT, "sent", NULL, decode_count_value, contradict_connections, NULL) \
	ROW(ENDED, "ended", value->ended.ends, decode_ended, NULL, NULL) \
	/* from connected, or the last byte received, to the client's own FIN or RST */ \
	ROW(READ_TIMEOUT, "read-timeout", NULL, decode_time_value, contradict_read_timeout, NULL) \
	/* from the first SYN to the last end of an attempt */ \
	ROW(CONNECTING, "connecting", NULL, decode_time_value, contradict_time, NULL)
/* clang-format on */

#endif
