/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's end of the socket pair to a session's process: JSON objects, one a line, in both
 * directions. The process takes the end of what it is sent as the order to end.
 */
#ifndef SYNFAULT_RUNNER_SESSION_CHANNEL_H
#define SYNFAULT_RUNNER_SESSION_CHANNEL_H

#include <event2/event.h>
#include <jansson.h>

struct channel_config {
	struct event_base *base;
	int fd; /* connected; becomes the channel's */
	/* Called for each object; borrowed; NULL: the line is not JSON. Must not free the channel.
	 */
	void (*on_object)(void *userdata, json_t *object);
	/* Called once the process has closed its end, after all that it said. */
	void (*on_end)(void *userdata);
	void *userdata;
};

struct channel;

/** channel_new() - talk over a socket; @config is copied */
struct channel *channel_new(const struct channel_config *config);
/** channel_free() - close the socket, and forget what is not written yet; NULL is allowed */
void channel_free(struct channel *channel);

/** channel_send() - send an object, unless the channel is finished; frees it */
void channel_send(struct channel *channel, json_t *object);
/**
 * channel_finish() - send nothing more: the process learns that once it has got all that was sent
 *
 * What the process still says is read.
 */
void channel_finish(struct channel *channel);
/** channel_read_rest() - read what the process said before it ended, without waiting */
void channel_read_rest(struct channel *channel);

#endif
