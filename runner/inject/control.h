/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The orders that `synfault inject` takes on its Unix socket: line-delimited JSON (docs/inject.md).
 * A request is an object with "command" and, if the peer wants, "id" and what the command takes;
 * the reply repeats the id. Only the user who runs synfault, and root, are listened to. No peer can
 * make us wait: what is too long, too much or too slow costs it its connection.
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

/*
 * @fd: listening, and not blocking; it stays the caller's. @on_request has to answer each request
 * once with one of the functions below, now or later; it gets the next one of the same peer after
 * that.
 */
struct control *control_new(struct event_base *base, int fd,
			    void (*on_request)(void *userdata, struct control_request *request),
			    void *userdata);
/* Requests that were not answered must not be used any more. */
void control_free(struct control *control);

const char *control_command(const struct control_request *request);
/* The value of a text that the command takes, or NULL. */
const char *control_argument(const struct control_request *request, const char *name);

/* Takes the request, and the result. */
void control_reply(struct control_request *request, json_t *result);
void control_refuse(struct control_request *request, const char *format, ...) PRINTF(2, 3);

/* Runs the loop until all replies are out, a second at most. */
void control_flush(struct control *control);

#endif
