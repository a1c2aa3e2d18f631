/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of one scenario's run: one ordered list of timed events, the client's output and exit,
 * and everything that went wrong on the harness's side. The judge sees nothing else. A record can
 * be written as JSON, read back, and judged again with the same outcome.
 *
 * Times are nanoseconds since the client was started (CLOCK_MONOTONIC); earlier ones are negative.
 * An event has the latest time at which it can have happened, and how much earlier it can have
 * happened: 0 if the time is exact.
 */
#ifndef SYNFAULT_RUNNER_RECORD_RECORD_H
#define SYNFAULT_RUNNER_RECORD_RECORD_H

#include "common/diag.h"
#include "injector/event.h"

/*
 * The client can run several times in one sandbox, side by side or one after the other. Each run is
 * an instance, numbered from 0. What can't be traced to an instance has this number instead.
 */
#define INSTANCE_UNKNOWN UINT32_MAX
/* In one scenario, side by side and one after the other. */
#define MAX_INSTANCES 10000

/**
 * tcp_state_name() - return "established", "syn-sent", …
 * @state: TCP_ESTABLISHED to TCP_CLOSING
 *
 * Return: NULL for any other.
 */
const char *tcp_state_name(unsigned state);

struct event {
	enum event_kind kind;
	int64_t at_ns;    /* the latest time at which it can have happened */
	int64_t early_ns; /* by how much earlier it can have happened; 0: at_ns is exact */
	union {
		struct net_event net;
		struct {
			uint32_t stream;   /* index into record->streams */
			uint32_t instance; /* that wrote it; INSTANCE_UNKNOWN: a server */
			uint64_t length;   /* bytes written */
		} output;
		struct {
			uint32_t endpoint;
			int wait_status;
		} server;
		/*
		 * STARVATION: upper bounds of the time since the first look for which threads were
		 * ready without a processor. The difference of two looks bounds what happened
		 * between them.
		 */
		struct {
			int64_t client_ns, server_ns;
			/*
			 * How late a sleeping thread of ours in the same cgroup has woken, without
			 * its waits for a processor. A later look can find a lower value.
			 */
			int64_t canary_ns;
			bool incomplete; /* the look missed threads: there is no bound up to it */
		} starvation;
		struct {
			uint32_t endpoint;
			int64_t lasts_ns; /* 0: as its step says */
		} outage;
		struct {
			uint32_t instance;
		} start;
		struct {
			uint32_t instance;
			int wait_status; /* as waitpid() gives it */
		} exit;
	} u;
};

/* The constant properties of an attempt. */
struct record_attempt {
	uint32_t endpoint; /* index into record->endpoints */
	uint32_t number;   /* 1, 2, 3 … at that endpoint */
	uint32_t instance; /* of the client, or INSTANCE_UNKNOWN */
	uint32_t step;     /* index into the endpoint's script */
	int64_t delay_ns;  /* drawn for it; 0 unless its step delays */
	struct address client, server;
	uint32_t isn;
	uint64_t cookie; /* of its socket, which several attempts can share; 0: unknown */
};

struct record_endpoint {
	char *name;
	char *script; /* as text; script_format() */
	struct address *addresses;
	size_t n_addresses;
	char *hostname; /* or NULL */
	char *remote;   /* host and port of an existing server, as in the file; or NULL */
	/*
	 * How delayed SYNs to another host were sent: "reinjected", or "held" in place, where the
	 * kernel does not retransmit them (injector/reinject.h); NULL: there were none.
	 */
	char *delays;
};

/*
 * Something that was changed at an endpoint while it was armed (docs/protocol.md). Each change adds
 * steps, which are numbered on from those before it. Either the endpoint's script was replaced, for
 * its attempts from .attempt on; or one attempt was held.
 */
struct record_change {
	uint32_t endpoint; /* index into record->endpoints */
	uint32_t attempt;  /* number of the first attempt, or of that to hold */
	int64_t at_ns;
	int64_t limit_ns; /* after which a held attempt is let through; 0: the script was replaced
			   */
	/* The new steps, "refuse x2, accept"; or the verdict on the held attempt, NULL: none so far
	 */
	char *steps;
};

/* A captured stream: its first and last bytes, and their total number. */
#define STREAM_KEEP ((size_t)65536) /* head and tail: this much each */
struct stream {
	char *name; /* "stdout", "stderr", "stdout.2" of the second instance, "api.stdout", … */
	char *head;
	size_t head_length;
	char *tail; /* the last bytes after the head */
	size_t tail_length;
	uint64_t total; /* bytes written; if more than head + tail, the middle was cut */
};
/* Two for each instance of the client, in their order, then two for each server command. */
enum { STREAM_STDOUT, STREAM_STDERR, STREAMS_EACH };

/* The harness could not run the scenario, or can't vouch for it: the outcome is error (or skip). */
struct problem {
	char *message;           /* one sentence, if possible with a remedy */
	bool missing_capability; /* the machine lacks something: skip rather than error */
	bool late;               /* a delay of synfault caused it: another run may do better */
};

/* For people to read; the judge ignores it. */
struct section {
	char *title;
	char *text; /* lines, each with its newline */
};

/* The client's clock jumped: when, by that clock, and how far. */
struct clock_jump {
	int64_t at_ns, by_ns;
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
	struct record_change *changes; /* in their order */
	size_t n_changes, changes_capacity;
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

	/*
	 * The run was in virtual time (runner/clock): all times are by the client's clock, which is
	 * real time and all jumps so far. Lags are real time.
	 */
	bool virtual_time;
	struct clock_jump *jumps;
	size_t n_jumps, jumps_capacity;
	char *clock_failure; /* why that clock can't be trusted, which is a problem, too; or NULL */

	uint32_t n_instances; /* instances of the client that were to run; 1 by default */
	bool client_started;
	/*
	 * Another program started the client (`synfault inject`): the record has no start, output
	 * and end of it. Time 0 is when the faults were armed, and client_started says that they
	 * were.
	 */
	bool attached;
	/* A process of the client was seen in another network namespace than the endpoints. */
	bool other_netns;
	/* Some attempt was made by no process that the command of `synfault exec` has started. */
	bool outside;
	/* What was asked for, and can be judged: see expectation_needs(). */
	bool has_sockets;     /* cookies, OPEN, GONE */
	bool has_client_ends; /* CLIENT_END of all connections */
	bool has_starvation;
	/*
	 * For people; the judge uses single events. harness_lag_ns: the longest time from a SYN's
	 * arrival until we read it, or from when a verdict or other timer was due until it was
	 * done. client_lag_ns: how long the client's processes were ready without a processor
	 * altogether (-1: the kernel did not say); with several instances side by side, the first
	 * process that waited longest.
	 */
	int64_t harness_lag_ns;
	int64_t client_lag_ns;
	bool complete; /* written last: the supervisor reached the end */
};

/** record_new() - make an empty record; free it with record_free() */
struct record *record_new(void);
void record_free(struct record *record);
void record_freep(struct record **record);
#define AUTO_RECORD CLEANUP(record_freep)
/** record_add_event() - add an event in the order of time */
void record_add_event(struct record *record, const struct event *event);
/**
 * record_add_problem() - add a problem
 * @missing_capability: the machine lacks something: skip rather than error
 */
void record_add_problem(struct record *record, bool missing_capability, const char *format, ...)
	PRINTF(3, 4);
/** record_add_section() - add a section; copies the texts */
void record_add_section(struct record *record, const char *title, const char *text);
/** record_exit() - return the client's EVENT_EXIT, of several instances the last one's, or NULL */
const struct event *record_exit(const struct record *record);
/**
 * record_watched_until() - return until when the client and its sockets were watched; 0: not at all
 *
 * Looks at threads can come after that, when the record of a session is completed.
 */
int64_t record_watched_until(const struct record *record);
/** record_instance_start() - return the start of an instance, or NULL */
const struct event *record_instance_start(const struct record *record, uint32_t instance);
/** record_instance_exit() - return the end of an instance, or NULL */
const struct event *record_instance_exit(const struct record *record, uint32_t instance);
/** record_timed_out() - return whether the scenario's timeout ran out */
bool record_timed_out(const struct record *record);

struct stream_writer;
/** stream_writer_new() - begin a stream; only its head and tail are kept */
struct stream_writer *stream_writer_new(const char *name);
/** stream_writer_add() - add captured bytes */
void stream_writer_add(struct stream_writer *writer, const char *data, size_t length);
/** stream_writer_finish() - write the stream, and free the writer */
void stream_writer_finish(struct stream_writer *writer, struct stream *ret);

/* The earliest time at which an event can have happened. */
static inline int64_t event_earliest_ns(const struct event *event)
{
	return event->at_ns - event->early_ns;
}

/**
 * record_write_json() - write a record as one JSON object (docs/record.md)
 *
 * Text that is not UTF-8 becomes {"base64": "…"}. A written record reads back equal.
 *
 * Return: the text, owned by the caller.
 */
char *record_write_json(const struct record *record, size_t *ret_length);
/** record_write_event() - add an event's keys and values, without braces, to an object in @out */
void record_write_event(const struct event *event, struct strbuf *out);
/**
 * record_read_json() - read a record and check everything in it
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Return: the record, or NULL.
 */
struct record *record_read_json(const char *text, size_t length, char **ret_message);

#endif
