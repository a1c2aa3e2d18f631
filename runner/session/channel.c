/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The channel to a session's process: see channel.h. */
#include "runner/session/channel.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/socket.h>

#include "common/util.h"

struct channel {
	struct channel_config config;
	struct bufferevent *stream;
	bool finished;
};

static void on_readable(struct bufferevent *stream, void *userdata)
{
	const struct channel *channel = userdata;
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t length;
	char *line;

	while ((line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF))) {
		json_t *object = json_loadb(line, length, 0, NULL);

		channel->config.on_object(channel->config.userdata, object);
		json_decref(object);
		free(line);
	}
}

/* All that was sent is written. */
static void on_written(struct bufferevent *stream, void *userdata)
{
	const struct channel *channel = userdata;

	if (channel->finished)
		shutdown(bufferevent_getfd(stream), SHUT_WR);
}

/* Also comes if it can't be written to any more, while its last words are not read yet. */
static void on_end(struct bufferevent *stream, short what, void *userdata)
{
	struct channel *channel = userdata;

	channel_read_rest(channel);
	channel->config.on_end(channel->config.userdata);
}

struct channel *channel_new(const struct channel_config *config)
{
	struct channel *channel = xzalloc(sizeof(*channel));

	evutil_make_socket_nonblocking(config->fd);
	channel->config = *config;
	channel->stream =
		ALLOCATED(bufferevent_socket_new(config->base, config->fd, BEV_OPT_CLOSE_ON_FREE));
	bufferevent_setcb(channel->stream, on_readable, on_written, on_end, channel);
	bufferevent_enable(channel->stream, EV_READ | EV_WRITE);
	return channel;
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	bufferevent_free(channel->stream);
	free(channel);
}

void channel_send(struct channel *channel, json_t *object)
{
	char *text = ALLOCATED(json_dumps(object, JSON_COMPACT));

	json_decref(object);
	if (!channel->finished) {
		bufferevent_write(channel->stream, text, strlen(text));
		bufferevent_write(channel->stream, "\n", 1);
	}
	free(text);
}

void channel_finish(struct channel *channel)
{
	if (channel->finished)
		return;
	channel->finished = true;
	if (evbuffer_get_length(bufferevent_get_output(channel->stream)) == 0)
		on_written(channel->stream, channel);
}

void channel_read_rest(struct channel *channel)
{
	struct evbuffer *input = bufferevent_get_input(channel->stream);

	evbuffer_unfreeze(input, 0);
	while (evbuffer_read(input, bufferevent_getfd(channel->stream), -1) > 0)
		;
	evbuffer_freeze(input, 0);
	on_readable(channel->stream, channel);
}
