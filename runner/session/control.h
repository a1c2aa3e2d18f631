/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes commands on a Unix socket: line-delimited JSON (docs/protocol.md). A request is an object
 * with "command", optionally "id", and the command's arguments; the reply repeats the id. Only the
 * user who runs synfault and root may send commands, or over TCP whoever knows a token. No peer can
 * block the daemon: one that sends too much, or reads too slowly, loses its connection.
 */
#ifndef SYNFAULT_RUNNER_SESSION_CONTROL_H
#define SYNFAULT_RUNNER_SESSION_CONTROL_H

#include <event2/event.h>

#include "runner/record/json_fields.h"

#define CONTROL_PROTOCOL 2     /* its version */
#define CONTROL_MAX_LINE 65536 /* bytes of a request */

/* Why a request was refused: the code in the reply. */
enum control_error {
	CONTROL_BAD_REQUEST,     /* not JSON, or wrong arguments */
	CONTROL_UNKNOWN_COMMAND, /* this daemon has no such command */
	CONTROL_DENIED,          /* another user's */
	CONTROL_TOO_MANY,        /* connections or sessions */
	CONTROL_NOT_ARMED,       /* no fault is injected at the moment */
	CONTROL_NOT_FOUND,       /* no such session, scenario or endpoint */
	CONTROL_BAD_SCENARIO,    /* an error in a scenario */
	CONTROL_UNAVAILABLE,     /* this machine can't do it: a reason to skip a test */
	CONTROL_NOT_HELD,        /* that attempt is not held, or not any more */
	CONTROL_TIMED_OUT,       /* what was waited for did not happen */
	CONTROL_ENDED,           /* the session, or the daemon, has ended */
	CONTROL_N_ERRORS,
};
/** control_error_name() - return the code: "bad-request", "unavailable", … */
const char *control_error_name(enum control_error error);

struct control;
struct control_request;
struct control_peer;

/* A command that a daemon takes. */
struct control_command {
	const char *name;
	const struct json_type *arguments; /* of a closed type */
	/*
	 * Answers the request once with control_reply() or control_refuse(), now or later.
	 * @arguments: borrowed until then
	 */
	void (*carry_out)(void *userdata, struct control_request *request, const void *arguments);
};
struct control_commands {
	const struct control_command *items;
	size_t n_items;
};

/* For commands without arguments. */
extern const struct json_type control_no_arguments;
/* For "hello". */
extern const struct json_type control_hello_arguments;

struct control_config {
	struct event_base *base;
	int fd;     /* listening and non-blocking; stays the caller's; -1: peers are only added */
	int tcp_fd; /* the same over TCP, if there is a token */
	/* What the first request of a TCP connection, "hello", has to know; borrowed; NULL: no TCP.
	 */
	const char *token;
	struct control_commands commands;
	size_t max_peers;    /* not counting those that still have to say the token */
	int64_t stranger_ns; /* how long these may take; 0: 10 s */
	int64_t lag_ns;      /* how long a peer that may lag can take to read on; 0: 10 minutes */
	bool patient;        /* peers may be silent for as long as they like */
	bool pipelined;      /* peers need not wait for a reply before the next request */
	bool lingers;        /* a peer that sends no more still gets lines, as long as it reads */
	/* Called when a connection has ended, or its peer sends no more; NULL: not. */
	void (*on_gone)(void *userdata, const struct control_peer *peer);
	void *userdata;
};

/**
 * control_parse() - read one request
 * @line: without its newline
 * @ret_error: the reply to send, owned by the caller; only on failure
 *
 * Return: the request, which is freed by its answer, or NULL.
 */
struct control_request *control_parse(const struct control_commands *commands, const char *line,
				      size_t length, json_t **ret_error);

/** control_token_fits() - compare a secret in a time that does not depend on what is given */
bool control_token_fits(const char *given, const char *secret);

/** control_new() - serve a control socket; @config is copied */
struct control *control_new(const struct control_config *config);
/** control_add_peer() - serve a connected socket, which is closed at its end */
void control_add_peer(struct control *control, int fd);
/** control_stop_listening() - accept no more connections; the sockets stay the caller's */
void control_stop_listening(struct control *control);

/** control_free() - close all connections and free unanswered requests; NULL is allowed */
void control_free(struct control *control);

/** control_command() - return a request's command; borrowed */
const char *control_command(const struct control_request *request);
/** control_arguments() - return a request's arguments as the command's type; borrowed */
const void *control_arguments(const struct control_request *request);
/** control_json() - return the arguments as they came; borrowed */
json_t *control_json(const struct control_request *request);
/** control_peer() - return who sent the request; NULL: the connection has ended */
struct control_peer *control_peer(const struct control_request *request);

/** control_peer_pid() - return the process that has connected; 0: unknown */
pid_t control_peer_pid(const struct control_peer *peer);
/** control_id() - return a request's id as a new reference; JSON null if it has none */
json_t *control_id(const struct control_request *request);
/** control_peer_unread() - return how many bytes for the peer the kernel has not taken yet */
size_t control_peer_unread(const struct control_peer *peer);
/** control_peer_send() - send a line that answers no request; frees the object */
void control_peer_send(const struct control_peer *peer, json_t *object);
/**
 * control_peer_may_lag() - let a peer read much later than others
 *
 * Its caller has to bound what it sends by control_peer_unread().
 */
void control_peer_may_lag(struct control_peer *peer);

/** control_reply() - answer a request; frees the request and takes ownership of the result */
void control_reply(struct control_request *request, json_t *result);
/**
 * control_refuse() - answer a request with an error; frees the request
 * @remedy: what to do about it, or NULL
 */
void control_refuse(struct control_request *request, enum control_error error, const char *remedy,
		    const char *format, ...) PRINTF(4, 5);
/** control_relay() - answer with another daemon's reply; only its id is replaced */
void control_relay(struct control_request *request, json_t *reply);
/** control_tell() - send a line that no request has asked for to all peers; frees the object */
void control_tell(struct control *control, json_t *object);

/**
 * control_hello() - make the reply to "hello": protocol, program, commands, limits
 *
 * The caller may add to it.
 */
json_t *control_hello(const struct control *control);

/** control_flush() - run the loop until all replies are written, for at most a second */
void control_flush(struct control *control);

#endif
