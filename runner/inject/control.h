/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes commands on the Unix socket of `synfault inject`: line-delimited JSON (docs/inject.md). A
 * request is an object with "command" and optionally "id" and the command's argument; the reply
 * repeats the id. Only the user who runs synfault and root may send commands. No peer can block the
 * daemon: one that sends too much, or reads too slowly, loses its connection.
 */
#ifndef SYNFAULT_RUNNER_INJECT_CONTROL_H
#define SYNFAULT_RUNNER_INJECT_CONTROL_H

#include <event2/event.h>
#include <jansson.h>

#include "common/util.h"

#define CONTROL_MAX_LINE  65536 /* bytes of a request */
#define CONTROL_MAX_PEERS 32

struct control;
struct control_request;

/**
 * control_parse() - read one request
 * @line: without its newline
 * @ret_error: the reply to send, owned by the caller; only on failure
 *
 * Return: the request, owned by the caller: an object with a text "command", or NULL.
 */
json_t *control_parse(const char *line, size_t length, json_t **ret_error);

/**
 * control_new() - serve a control socket
 * @fd: listening and non-blocking; stays the caller's
 * @on_request: answers each request once with control_reply() or control_refuse(), now or later;
 *              the peer's next request follows after that
 */
struct control *control_new(struct event_base *base, int fd,
			    void (*on_request)(void *userdata, struct control_request *request),
			    void *userdata);
/** control_free() - close all connections and free unanswered requests */
void control_free(struct control *control);

/** control_command() - return a request's command; borrowed */
const char *control_command(const struct control_request *request);
/** control_argument() - return a text argument of the command, borrowed, or NULL */
const char *control_argument(const struct control_request *request, const char *name);

/** control_reply() - answer a request; frees the request and takes ownership of the result */
void control_reply(struct control_request *request, json_t *result);
/** control_refuse() - answer a request with an error; frees the request */
void control_refuse(struct control_request *request, const char *format, ...) PRINTF(2, 3);

/** control_flush() - run the loop until all replies are written, for at most a second */
void control_flush(struct control *control);

#endif
