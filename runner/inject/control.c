/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the commands of `synfault inject`: see control.h. Each peer has at most one request that is
 * not answered. Until it is answered, nothing more is read from the peer. So replies keep the order
 * of requests, and further requests wait in the peer's socket.
 */
#include "runner/inject/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <sys/socket.h>
#include <utlist.h>

#include "common/duration.h"

/* How long a peer may be silent, and how long it may take to read a reply. */
enum { IDLE_S = 60, WRITE_S = 10 };
/* Bytes of unread replies; more ends the connection. */
enum { MAX_UNREAD = 1 << 20 };

struct peer {
	struct peer *prev, *next;
	struct control *control;
	struct bufferevent *stream;
	struct control_request *request; /* not answered yet, or NULL */
	bool closing;                    /* once all replies are written */
};

struct control_request {
	struct peer *peer; /* NULL: it has disconnected */
	json_t *object;
};

struct control {
	struct event_base *base;
	struct evconnlistener *listener;
	void (*on_request)(void *userdata, struct control_request *request);
	void *userdata;
	struct peer *peers;
	size_t n_peers;
};

static void peer_free(struct peer *peer)
{
	if (peer->request)
		peer->request->peer = NULL;
	DL_DELETE(peer->control->peers, peer);
	peer->control->n_peers--;
	bufferevent_free(peer->stream);
	free(peer);
}

/* Sends the object and frees it. */
static void send_object(struct peer *peer, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	if (!text)
		out_of_memory();
	bufferevent_write(peer->stream, text, strlen(text));
	bufferevent_write(peer->stream, "\n", 1);
	free(text);
	json_decref(object);
}

/* Makes an error reply; takes ownership of @id. */
static json_t *make_error(json_t *id, const char *message)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "id", id ? id : json_null());
	json_object_set_new(reply, "ok", json_false());
	json_object_set_new(reply, "error", json_string(message));
	return reply;
}

/* Sends an error and ends the connection: where the next request begins is unknown. */
static void drop_peer(struct peer *peer, const char *message)
{
	peer->closing = true;
	bufferevent_disable(peer->stream, EV_READ);
	send_object(peer, make_error(NULL, message));
}

static bool is_id(const json_t *id)
{
	return !id || json_is_string(id) || json_is_integer(id) || json_is_null(id);
}

/* Returns what is wrong with a request, owned by the caller, or NULL. */
static char *find_fault(json_t *object)
{
	static const char *const keys[] = {"id", "command", "scenario"};
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return xstrdup("a request is an object");
	if (!is_id(json_object_get(object, "id")))
		return xstrdup("\"id\" has to be a text or a whole number");
	json_object_foreach(object, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			known = known || strcmp(key, keys[i]) == 0;
		if (!known)
			return xasprintf("unknown key \"%.40s\"", key);
		if (strcmp(key, "id") != 0 && !json_is_string(value))
			return xasprintf("\"%s\" has to be a text", key);
	}
	if (!json_object_get(object, "command"))
		return xstrdup("\"command\" is missing: status, next, reset or stop");
	return NULL;
}

json_t *control_parse(const char *line, size_t length, json_t **ret_error)
{
	json_error_t error;
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	AUTO_FREE char *fault = object ? find_fault(object) : xasprintf("not JSON: %s", error.text);
	json_t *id = json_object_get(object, "id");

	if (!fault)
		return object;
	*ret_error = make_error(is_id(id) ? json_incref(id) : NULL, fault);
	json_decref(object);
	return NULL;
}

static void take_line(struct peer *peer, const char *line, size_t length)
{
	json_t *error = NULL, *object = control_parse(line, length, &error);

	if (!object) {
		send_object(peer, error);
		return;
	}
	peer->request = xzalloc(sizeof(*peer->request));
	*peer->request = (struct control_request){.peer = peer, .object = object};
	bufferevent_disable(peer->stream, EV_READ);
	peer->control->on_request(peer->control->userdata, peer->request);
}

static void on_readable(struct bufferevent *stream, void *userdata)
{
	struct peer *peer = userdata;
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t length;
	char *line;

	while (!peer->request && !peer->closing &&
	       (line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF))) {
		if (length > CONTROL_MAX_LINE)
			drop_peer(peer, "the request is too long");
		else if (length > 0)
			take_line(peer, line, length);
		free(line);
		if (!peer->closing &&
		    evbuffer_get_length(bufferevent_get_output(stream)) > MAX_UNREAD) {
			peer_free(peer);
			return;
		}
	}
	if (!peer->request && !peer->closing && evbuffer_get_length(input) > CONTROL_MAX_LINE)
		drop_peer(peer, "the request is too long");
}

static void on_written(struct bufferevent *stream, void *userdata)
{
	struct peer *peer = userdata;

	if (peer->closing)
		peer_free(peer);
}

/* Handles end, error and timeout. A peer that waits for its reply may be silent. */
static void on_end(struct bufferevent *stream, short what, void *userdata)
{
	struct peer *peer = userdata;

	if ((what & BEV_EVENT_EOF) && evbuffer_get_length(bufferevent_get_output(stream)) > 0) {
		peer->closing = true;
		return;
	}
	peer_free(peer);
}

/* Returns whether the user at the other end may send commands. */
static bool may_command(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void on_connect(struct evconnlistener *listener, evutil_socket_t fd,
		       struct sockaddr *address, int length, void *userdata)
{
	const struct timeval idle = {.tv_sec = IDLE_S}, writing = {.tv_sec = WRITE_S};
	struct control *control = userdata;
	struct peer *peer = xzalloc(sizeof(*peer));

	peer->control = control;
	peer->stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!peer->stream)
		out_of_memory();
	DL_PREPEND(control->peers, peer);
	control->n_peers++;
	bufferevent_setcb(peer->stream, on_readable, on_written, on_end, peer);
	/* Read little more than the longest request. */
	bufferevent_setwatermark(peer->stream, EV_READ, 0, CONTROL_MAX_LINE + 2);
	bufferevent_set_timeouts(peer->stream, &idle, &writing);
	bufferevent_enable(peer->stream, EV_READ | EV_WRITE);
	if (!may_command(fd))
		drop_peer(peer, "only the user who runs synfault, and root, may send commands");
	else if (control->n_peers > CONTROL_MAX_PEERS)
		drop_peer(peer, "too many connections");
}

struct control *control_new(struct event_base *base, int fd,
			    void (*on_request)(void *userdata, struct control_request *request),
			    void *userdata)
{
	struct control *control = xzalloc(sizeof(*control));

	control->base = base;
	control->on_request = on_request;
	control->userdata = userdata;
	control->listener =
		evconnlistener_new(base, on_connect, control, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!control->listener)
		out_of_memory();
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	evconnlistener_free(control->listener);
	while (control->peers) {
		struct peer *peer = control->peers;

		if (peer->request) {
			json_decref(peer->request->object);
			free(peer->request);
			peer->request = NULL;
		}
		peer_free(peer);
	}
	free(control);
}

const char *control_command(const struct control_request *request)
{
	return json_string_value(json_object_get(request->object, "command"));
}

const char *control_argument(const struct control_request *request, const char *name)
{
	return json_string_value(json_object_get(request->object, name));
}

/* Sends the reply; frees both. */
static void answer(struct control_request *request, json_t *reply)
{
	struct peer *peer = request->peer;

	json_decref(request->object);
	free(request);
	if (!peer) {
		json_decref(reply);
		return;
	}
	peer->request = NULL;
	send_object(peer, reply);
	if (peer->closing)
		return;
	bufferevent_enable(peer->stream, EV_READ);
	/* For requests that came since; deferred, since the caller still handles this one. */
	bufferevent_trigger(peer->stream, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

void control_reply(struct control_request *request, json_t *result)
{
	json_t *reply = json_object(), *id = json_object_get(request->object, "id");

	json_object_set_new(reply, "id", id ? json_incref(id) : json_null());
	json_object_set_new(reply, "ok", json_true());
	json_object_set_new(reply, "result", result);
	answer(request, reply);
}

void control_refuse(struct control_request *request, const char *format, ...)
{
	json_t *id = json_object_get(request->object, "id");
	AUTO_FREE char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	message = xvasprintf(format, arguments);
	va_end(arguments);
	answer(request, make_error(json_incref(id), message));
}

static bool all_written(const struct control *control)
{
	struct peer *peer;

	DL_FOREACH(control->peers, peer)
	{
		if (evbuffer_get_length(bufferevent_get_output(peer->stream)) > 0)
			return false;
	}
	return true;
}

void control_flush(struct control *control)
{
	int64_t until_ns = clock_monotonic_ns() + NS_PER_S;

	evconnlistener_disable(control->listener);
	while (!all_written(control) && clock_monotonic_ns() < until_ns) {
		(void)event_base_loop(control->base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}
