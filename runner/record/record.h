/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of one scenario's run: one ordered list of timed events, the client's output and exit,
 * and everything that went wrong on the harness's side. It is all that judgement sees; it can be
 * written as JSON, read back, and judged again with the same outcome.
 *
 * Times are nanoseconds since the client was started (CLOCK_MONOTONIC); they are negative before.
 * An event has the latest time at which it can have happened, and says how much earlier it can have
 * happened, which is 0 for what is exact.
 */
#ifndef SYNFAULT_RUNNER_RECORD_RECORD_H
#define SYNFAULT_RUNNER_RECORD_RECORD_H

#include "common/diag.h"
#include "injector/event.h"

/*
 * The client can be run several times in one sandbox, side by side or one after the other: each run
 * is an instance, numbered from 0. What can't be traced to one has this number instead.
 */
#define INSTANCE_UNKNOWN UINT32_MAX
/* Side by side and one after the other, all in all. */
#define MAX_INSTANCES 10000

/* Of a TCP socket, TCP_ESTABLISHED to TCP_CLOSING: "established", "syn-sent", …; NULL: not one. */
const char *tcp_state_name(unsigned state);

struct event {
	enum event_kind kind;
	int64_t at_ns;    /* the latest time at which it can have happened */
	int64_t early_ns; /* it can have happened so much earlier; 0: at_ns is exact */
	union {
		struct net_event net;
		struct {
			uint32_t stream;   /* index into record->streams */
			uint32_t instance; /* whose; INSTANCE_UNKNOWN: a server's */
			uint64_t length;   /* bytes written */
		} output;
		struct {
			uint32_t endpoint;
			int wait_status;
		} server;
		/*
		 * STARVATION: time since the first look for which threads were ready without a
		 * processor, each an upper bound; the difference of two looks bounds what happened
		 * between them.
		 */
		struct {
			int64_t client_ns, server_ns;
			/* lateness of a thread of ours that sleeps in the same cgroup */
			int64_t canary_ns;
			bool incomplete; /* not all threads were seen: no bound up to this look */
		} starvation;
		struct {
			uint32_t instance;
		} start;
		struct {
			uint32_t instance;
			int wait_status; /* as waitpid() gives it */
		} exit;
	} u;
};

/* What does not change about an attempt. */
struct record_attempt {
	uint32_t endpoint; /* index into record->endpoints */
	uint32_t number;   /* 1, 2, 3 … at that endpoint */
	uint32_t instance; /* of the client, or INSTANCE_UNKNOWN */
	uint32_t step;     /* index into the endpoint's script */
	int64_t delay_ns;  /* drawn for it; 0 unless its step delays */
	struct address client, server;
	uint32_t isn;
	uint64_t cookie; /* of its socket, which several attempts can share; 0: not known */
};

struct record_endpoint {
	char *name;
	char *script; /* as text; script_format() */
	struct address *addresses;
	size_t n_addresses;
	char *hostname; /* or NULL */
	char *remote; /* host and port of a server that existed already, as in the file; or NULL */
	/*
	 * How delayed SYNs to another host were sent: "reinjected", or "held" in place, where the
	 * kernel does not repeat them meanwhile (injector/reinject.h); NULL: there were none.
	 */
	char *delays;
};

/* One captured stream: the first and the last bytes, and how much there was. */
#define STREAM_KEEP ((size_t)65536) /* head and tail: this much each */
struct stream {
	char *name; /* "stdout", "stderr", "stdout.2" of the second instance, "api.stdout", … */
	char *head;
	size_t head_length;
	char *tail; /* what came after the head, as far as kept */
	size_t tail_length;
	uint64_t total; /* bytes written; more than head + tail: the middle was cut */
};
/* Two of each instance of the client, in their order, then two of each server command. */
enum { STREAM_STDOUT, STREAM_STDERR, STREAMS_EACH };

/* The harness can't vouch for the run, or could not run it: the outcome is error (or skip). */
struct problem {
	char *message;           /* one sentence with the remedy where there is one */
	bool missing_capability; /* the machine lacks something: skip rather than error */
};

/* Something that people may want to see, and that judgement does not look at. */
struct section {
	char *title;
	char *text; /* lines, each with its newline */
};

struct record {
	char *scenario; /* name */
	char *path;
	uint64_t seed;
	int64_t started_realtime_ns;               /* of time 0 */
	char *kernel;                              /* release, as uname -r */
	char *isolation;                           /* "private" or "shared" */
	uint32_t syn_retries, syn_linear_timeouts; /* sysctls in force in the sandbox */

	struct record_endpoint *endpoints;
	size_t n_endpoints;
	struct record_attempt *attempts;
	size_t n_attempts, attempts_capacity;
	struct event *events;
	size_t n_events, events_capacity;
	struct stream *streams; /* two per instance, then two per server command */
	size_t n_streams;
	struct problem *problems;
	size_t n_problems, problems_capacity;
	struct section *sections; /* the sandbox when the client ended: runner/sandbox/snapshot.h */
	size_t n_sections, sections_capacity;

	uint32_t n_instances; /* of the client that were to be run; 1 unless it is told otherwise */
	bool client_started;
	/*
	 * The client was somebody else's (`synfault inject`): of it there is no start, output and
	 * end; time 0 is when the faults were armed, and client_started says that they were.
	 */
	bool attached;
	/* What was asked for, and so can be judged by: see expectation_needs(). */
	bool has_sockets;     /* cookies, OPEN, GONE */
	bool has_client_ends; /* CLIENT_END of all connections */
	bool has_starvation;
	/*
	 * For people; judgement goes by single events. The harness's own lag: the longest time from
	 * a SYN's arrival until we read it, or from when a verdict or other timer was due until it
	 * was done; and how long the client's processes stood ready without a processor in all (-1:
	 * the kernel did not say); of several instances that ran side by side the first process
	 * that waited longest.
	 */
	int64_t harness_lag_ns;
	int64_t client_lag_ns;
	bool complete; /* written last: the supervising process got to the end */
};

struct record *record_new(void);
void record_free(struct record *record);
void record_freep(struct record **record);
#define AUTO_RECORD CLEANUP(record_freep)
void record_add_event(struct record *record, const struct event *event);
void record_add_problem(struct record *record, bool missing_capability, const char *format, ...)
	PRINTF(3, 4);
void record_add_section(struct record *record, const char *title, const char *text);
/* The client's end, of several instances the last one's: the EVENT_EXIT or NULL. */
const struct event *record_exit(const struct record *record);
/* The start and the end of one instance, or NULL. */
const struct event *record_instance_start(const struct record *record, uint32_t instance);
const struct event *record_instance_exit(const struct record *record, uint32_t instance);
bool record_timed_out(const struct record *record);

/* Adds captured bytes; keeps head and tail (as a ring inside, straightened by stream_finish()). */
struct stream_writer;
struct stream_writer *stream_writer_new(const char *name);
void stream_writer_add(struct stream_writer *writer, const char *data, size_t length);
/* Ends the capture: frees the writer, writes the stream. */
void stream_writer_finish(struct stream_writer *writer, struct stream *ret);

/* The earliest time at which an event can have happened. */
static inline int64_t event_earliest_ns(const struct event *event)
{
	return event->at_ns - event->early_ns;
}

/*
 * JSON, one object per record (docs/record.md). Text that is not UTF-8 is stored as
 * {"base64": "…"}. record_read_json() checks everything it reads: returns NULL with a message the
 * caller owns when the text is not a record. What was written reads back equal.
 */
char *record_write_json(const struct record *record, size_t *ret_length);
/* One event's keys and values, without braces, put after what @out holds of an object. */
void record_write_event(const struct event *event, struct strbuf *out);
struct record *record_read_json(const char *text, size_t length, char **ret_message);

#endif
