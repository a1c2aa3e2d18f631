/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a scenario and a record of its run, for tests of judgement and of reports. Its functions
 * say what happened, in the order of time if the reader needs it:
 *
 *     struct record_builder *b = record_builder_new();
 *     size_t api = record_builder_endpoint(b, "api", "refuse x2, accept");
 *     record_builder_attempt_refused(b, api, 0);
 *     record_builder_attempt_refused(b, api, 2000);
 *     record_builder_attempt_connected(b, api, 4000);
 *     record_builder_client_exits(b, 4100, 0);
 *     record_builder_expect_attempts(b, api, 3, 3);
 *
 * Times are milliseconds since the client's start. Steps and numbers of attempts follow from the
 * script; the test must make the attempts fit the script. It can change scenario and record by hand
 * at any time.
 */
#ifndef SYNFAULT_TESTS_LIB_RECORD_BUILDER_H
#define SYNFAULT_TESTS_LIB_RECORD_BUILDER_H

#include "runner/judge/judge.h"
#include "runner/record/history.h"
#include "runner/record/record.h"
#include "runner/scenario/scenario.h"

struct record_builder {
	struct scenario *scenario;
	struct record *record;
	uint16_t next_port;
	int64_t last_ms;           /* of the event that was added last */
	enum event_kind last_kind; /* its kind */
};

/*
 * Makes a complete record of a client that has started, with two empty streams and with all kinds
 * of events recorded. No process has waited for a processor, and nothing else has happened yet.
 */
struct record_builder *record_builder_new(void);
void record_builder_free(struct record_builder *builder);
void record_builder_freep(struct record_builder **builder);
#define AUTO_RECORD_BUILDER CLEANUP(record_builder_freep)

/* Steps of the script are joined by ", ". Returns the endpoint's index. */
size_t record_builder_endpoint(struct record_builder *builder, const char *name,
			       const char *script);

/* Add an attempt with this end; each returns its id. */
uint32_t record_builder_attempt_refused(struct record_builder *builder, size_t endpoint,
					int64_t at_ms);
uint32_t record_builder_attempt_connected(struct record_builder *builder, size_t endpoint,
					  int64_t at_ms);
/* Its one SYN was held for this time; the step is one that delays. */
uint32_t record_builder_attempt_refused_late(struct record_builder *builder, size_t endpoint,
					     int64_t at_ms, int64_t delay_ms);
uint32_t record_builder_attempt_connected_late(struct record_builder *builder, size_t endpoint,
					       int64_t at_ms, int64_t delay_ms);
/* Dropped, retransmitted by the kernel every second, until the client closed its socket. */
uint32_t record_builder_attempt_dropped(struct record_builder *builder, size_t endpoint,
					int64_t at_ms, int64_t closed_ms);
/* Likewise, but the first SYN after @n_lost SYNs gets through. */
uint32_t record_builder_attempt_lost(struct record_builder *builder, size_t endpoint, int64_t at_ms,
				     uint32_t n_lost);
/* Dropped once; the socket was still open at the end of the record. */
uint32_t record_builder_attempt_left_open(struct record_builder *builder, size_t endpoint,
					  int64_t at_ms);
/* Let through to a port without a listener. */
uint32_t record_builder_attempt_rejected(struct record_builder *builder, size_t endpoint,
					 int64_t at_ms, int64_t closed_ms);

/* Add an attempt without events, and single events, for cases without a function above. */
uint32_t record_builder_attempt(struct record_builder *builder, size_t endpoint);
void record_builder_syn(struct record_builder *builder, uint32_t id, uint32_t ordinal,
			int64_t at_ms);
void record_builder_verdict(struct record_builder *builder, uint32_t id, uint32_t ordinal,
			    enum verdict_kind verdict, int64_t at_ms);
void record_builder_established(struct record_builder *builder, uint32_t id, int64_t at_ms);
void record_builder_closed(struct record_builder *builder, uint32_t id, int64_t at_ms,
			   uint32_t retransmissions);
void record_builder_still_open(struct record_builder *builder, uint32_t id, int64_t at_ms);
void record_builder_open(struct record_builder *builder, uint32_t id, int64_t at_ms, uint8_t state);
/* When the attempt's socket was last seen in SYN_SENT, and when it was first missing there. */
void record_builder_gone(struct record_builder *builder, uint32_t id, int64_t seen_ms,
			 int64_t missed_ms);
void record_builder_client_end(struct record_builder *builder, uint32_t id, int64_t at_ms, bool rst,
			       int64_t last_receive_ns);
/* Adds a look at the processes: how long they have been without a processor so far. */
void record_builder_starved(struct record_builder *builder, int64_t at_ms, int64_t client_ms,
			    int64_t server_ms);
/* Makes the last event uncertain: it can have happened this much earlier. */
void record_builder_or_earlier(struct record_builder *builder, int64_t by_ms);

/* @stream: STREAM_STDOUT, STREAM_STDERR. May be called again; output that is too long is cut. */
void record_builder_client_writes(struct record_builder *builder, uint32_t stream, int64_t at_ms,
				  const char *text, size_t length);
void record_builder_client_exits(struct record_builder *builder, int64_t at_ms, int code);
void record_builder_client_killed(struct record_builder *builder, int64_t at_ms, int signal);
void record_builder_server_exits(struct record_builder *builder, size_t endpoint, int64_t at_ms,
				 int wait_status);
void record_builder_stops(struct record_builder *builder, int64_t at_ms);
void record_builder_times_out(struct record_builder *builder, int64_t at_ms);

/*
 * Adds an expectation. Each has its own place: the first is on line 101, the second on 102 … The
 * pointer is valid until the next one is added.
 */
struct expectation *record_builder_expect(struct record_builder *builder,
					  enum expectation_kind kind, size_t endpoint);
void record_builder_expect_exit(struct record_builder *builder, int code);
void record_builder_expect_attempts(struct record_builder *builder, size_t endpoint, int64_t low,
				    int64_t high);
/* Expects a fixed wait with a tolerance of 200 ms; change it through the result. */
struct expectation *record_builder_expect_fixed(struct record_builder *builder,
						enum expectation_kind kind, size_t endpoint,
						int64_t wait_ms);
/* Expects a list of waits in milliseconds, ended by a negative number. */
struct expectation *record_builder_expect_list(struct record_builder *builder,
					       enum expectation_kind kind, size_t endpoint, ...);
void record_builder_expect_text(struct record_builder *builder, enum expectation_kind kind,
				bool negated, enum text_match_kind match, const char *text);

/* Judges the record; free the judgement with judgement_free(). */
struct judgement record_builder_judge(const struct record_builder *builder);

#endif
