/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes commands on a Unix socket: see control.h. A peer has at most one request that is not
 * answered, unless peers are pipelined. Until it is answered, further ones wait in the peer's
 * buffer, and then in its socket. So replies keep the order of requests, and the end of a peer that
 * waits is noticed.
 */
#include "runner/session/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <utlist.h>

#include "common/duration.h"
#include "common/utf8.h"

/* How long a peer may be silent, and how long it may take to read a reply. */
enum { IDLE_S = 60, WRITE_S = 10 };
/* How long one that may lag can take to read on. */
#define LAG_NS (600 * NS_PER_S)
/* How long one may take to say the token, and how many may be about to. */
#define STRANGER_NS (10 * NS_PER_S)
enum { MAX_STRANGERS = 32 };
/* Bytes of unread replies; more ends the connection. */
enum { MAX_UNREAD = 1 << 20 };
enum { RETRY_US = 100000 };
/* Unanswered requests of a pipelined peer. */
enum { MAX_PIPELINED = 1024 };
/* Bytes of an unknown command that a refusal quotes. */
enum { MAX_QUOTED = 40 };
#define TOO_MANY_PEERS "too many connections"

struct control_peer {
	struct control_peer *prev, *next;
	struct control *control;
	struct bufferevent *stream;
	struct control_request *requests; /* not answered yet */
	size_t n_requests;
	bool closing;     /* once all replies are written */
	bool half_closed; /* it sends no more, and reads what it has asked for */
	bool is_stranger; /* it has to say the token first */
	bool may_lag;     /* it follows something */
	int64_t until_ns; /* when a stranger's time ends, by CLOCK_MONOTONIC */
	pid_t pid;        /* that has connected; 0: unknown */
};

struct control_request {
	struct control_request *prev, *next; /* in the peer's list */
	struct control_peer *peer;           /* NULL: it has disconnected */
	const struct control_command *command;
	json_t *id;     /* or NULL */
	json_t *object; /* arguments */
	void *arguments;
};

struct control {
	struct control_config config;
	struct evconnlistener *listeners[2]; /* of the Unix socket, and of TCP; or NULL */
	struct event *retry;                 /* or NULL; takes new peers again */
	struct control_peer *peers;
	size_t n_peers, n_strangers;
};

const char *control_error_name(enum control_error error)
{
	static const char *const names[] = {
		[CONTROL_BAD_REQUEST] = "bad-request",
		[CONTROL_UNKNOWN_COMMAND] = "unknown-command",
		[CONTROL_DENIED] = "denied",
		[CONTROL_TOO_MANY] = "too-many",
		[CONTROL_NOT_ARMED] = "not-armed",
		[CONTROL_NOT_FOUND] = "not-found",
		[CONTROL_BAD_SCENARIO] = "bad-scenario",
		[CONTROL_UNAVAILABLE] = "unavailable",
		[CONTROL_NOT_HELD] = "not-held",
		[CONTROL_TIMED_OUT] = "timed-out",
		[CONTROL_ENDED] = "ended",
	};

	_Static_assert(ARRAY_SIZE(names) == CONTROL_N_ERRORS, "one name per error");
	return names[error];
}

const struct json_type control_no_arguments = {.size = 1, .is_closed = true};

struct hello_arguments {
	char *token; /* or NULL */
};
static const struct json_field hello_fields[] = {
	{"token", JSON_TEXT(struct hello_arguments, token), .optional = true,
	 .about = "Over TCP: what SYNFAULT_TOKEN was for the daemon."},
};
const struct json_type control_hello_arguments = {
	JSON_TYPE(struct hello_arguments, hello_fields),
	.name = "hello",
	.about = "Shows what the daemon can do.",
	.is_closed = true,
};

bool control_token_fits(const char *given, const char *secret)
{
	const size_t given_length = strlen(given), length = strlen(secret);
	volatile unsigned difference = given_length != length;

	for (size_t i = 0; i < length; i++) {
		const char byte = given[i < given_length ? i : given_length];

		difference |= (unsigned)(byte ^ secret[i]);
	}
	return difference == 0;
}

static size_t max_requests(const struct control *control)
{
	return control->config.pipelined ? MAX_PIPELINED : 1;
}

static void request_free(struct control_request *request)
{
	json_fields_clear(request->command->arguments, request->arguments);
	free(request->arguments);
	json_decref(request->id);
	json_decref(request->object);
	free(request);
}

static void peer_free(struct control_peer *peer)
{
	struct control *control = peer->control;
	struct control_request *request;

	for (request = peer->requests; request; request = request->next)
		request->peer = NULL;
	DL_DELETE(control->peers, peer);
	control->n_peers--;
	control->n_strangers -= peer->is_stranger;
	if (control->config.on_gone)
		control->config.on_gone(control->config.userdata, peer);
	bufferevent_free(peer->stream);
	free(peer);
}

/* Sends the object and frees it. */
static void send_object(const struct control_peer *peer, json_t *object)
{
	char *text = ALLOCATED(json_dumps(object, JSON_COMPACT));

	bufferevent_write(peer->stream, text, strlen(text));
	bufferevent_write(peer->stream, "\n", 1);
	free(text);
	json_decref(object);
}

/* Makes an error reply; takes ownership of @id. */
static json_t *make_error(json_t *id, enum control_error error, const char *message,
			  const char *remedy)
{
	/* json_string() is NULL for what is not UTF-8. */
	return json_pack("{s:o, s:b, s:{s:s, s:o*, s:o*}}", "id", id ? id : json_null(), "ok", 0,
			 "error", "code", control_error_name(error), "text", json_string(message),
			 "remedy", remedy ? json_string(remedy) : NULL);
}

/* Sends an error and ends the connection: where the next request begins is unknown. */
static void drop_peer(struct control_peer *peer, enum control_error error, const char *message)
{
	peer->closing = true;
	bufferevent_disable(peer->stream, EV_READ);
	send_object(peer, make_error(NULL, error, message, NULL));
}

static bool is_id(const json_t *id)
{
	return !id || json_is_string(id) || json_is_integer(id) || json_is_null(id);
}

/* Returns "status, next, reset and stop"; the caller's. */
static char *list_commands(const struct control_commands *commands)
{
	struct strbuf text = {0};

	for (size_t i = 0; i < commands->n_items; i++)
		strbuf_printf(&text, "%s%s",
			      i == 0                       ? ""
			      : i + 1 == commands->n_items ? " and "
							   : ", ",
			      commands->items[i].name);
	return strbuf_steal(&text);
}

/* Finds the command of a request. On failure returns NULL with a message, owned by the caller. */
static const struct control_command *find_command(const struct control_commands *commands,
						  json_t *object, enum control_error *ret_error,
						  char **ret_message)
{
	const json_t *command = json_object_get(object, "command");
	AUTO_FREE char *known = list_commands(commands);

	*ret_error = CONTROL_BAD_REQUEST;
	if (!json_is_object(object)) {
		*ret_message = xstrdup("a request is an object");
	} else if (!is_id(json_object_get(object, "id"))) {
		*ret_message = xstrdup("\"id\" has to be a text or a whole number");
	} else if (!command) {
		*ret_message = xasprintf("\"command\" is missing; commands are %s", known);
	} else if (!json_is_string(command)) {
		*ret_message = xstrdup("\"command\" has to be a text");
	} else {
		for (size_t i = 0; i < commands->n_items; i++)
			if (!strcmp(json_string_value(command), commands->items[i].name))
				return &commands->items[i];
		*ret_error = CONTROL_UNKNOWN_COMMAND;
		*ret_message = xasprintf("unknown command \"%.*s\"; commands are %s",
					 (int)utf8_cut(json_string_value(command),
						       json_string_length(command), MAX_QUOTED),
					 json_string_value(command), known);
	}
	return NULL;
}

struct control_request *control_parse(const struct control_commands *commands, const char *line,
				      size_t length, json_t **ret_error)
{
	json_error_t fault;
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &fault);
	AUTO_FREE char *message = object ? NULL : xasprintf("not JSON: %s", fault.text);
	struct json_reader reader = {.document = "the request"};
	enum control_error error = CONTROL_BAD_REQUEST;
	const struct control_command *command =
		message ? NULL : find_command(commands, object, &error, &message);
	json_t *id = json_is_object(object) ? json_incref(json_object_get(object, "id")) : NULL;
	struct control_request *request;

	if (!command) {
		if (!is_id(id)) {
			json_decref(id);
			id = NULL;
		}
		*ret_error = make_error(id, error, message, NULL);
		json_decref(object);
		return NULL;
	}
	json_object_del(object, "id");
	json_object_del(object, "command");
	request = xzalloc(sizeof(*request));
	*request = (struct control_request){
		.command = command,
		.id = id,
		.object = object,
		.arguments = xzalloc(command->arguments->size),
	};
	if (json_fields_read(&reader, command->arguments, object, request->arguments))
		return request;
	*ret_error = make_error(json_incref(id), CONTROL_BAD_REQUEST, reader.message, NULL);
	free(reader.message);
	request_free(request);
	return NULL;
}

/* Sets how long the peer may be silent; a stranger's time also passes while it says something. */
static void set_patience(const struct control_peer *peer)
{
	const struct control_config *config = &peer->control->config;
	const int64_t left_ns =
		peer->is_stranger ? peer->until_ns - clock_monotonic_ns() : IDLE_S * NS_PER_S;
	const int64_t lag_ns = config->lag_ns ? config->lag_ns : LAG_NS;
	/* 0 would be for ever. */
	const struct timeval idle = duration_timeval(MAX(left_ns, NS_PER_US));
	const struct timeval writing =
		duration_timeval(peer->may_lag ? lag_ns : WRITE_S * NS_PER_S);
	const bool patient = config->patient && !peer->is_stranger;

	bufferevent_set_timeouts(peer->stream, patient ? NULL : &idle, &writing);
}

/* Returns whether there are too many peers. Strangers keep none away that may send commands. */
static bool is_full(const struct control *control)
{
	return control->n_peers - control->n_strangers > control->config.max_peers;
}

/* Takes the first request over TCP. Returns whether more may follow; if not, frees all. */
static bool introduce(struct control_peer *peer, struct control_request *request, json_t *error)
{
	const char *secret = peer->control->config.token, *message;
	const struct hello_arguments *hello =
		request && strcmp(request->command->name, "hello") == 0 ? request->arguments : NULL;
	const bool knows = hello && hello->token && control_token_fits(hello->token, secret);

	if (knows) {
		peer->is_stranger = false;
		peer->control->n_strangers--;
		set_patience(peer);
		if (!is_full(peer->control))
			return true;
	}
	message = knows                   ? TOO_MANY_PEERS
		  : hello && hello->token ? "the token is wrong"
					  : "over TCP the first request has to be hello, with the "
					    "token that the daemon has in SYNFAULT_TOKEN";
	json_decref(error);
	if (request)
		request_free(request);
	drop_peer(peer, knows ? CONTROL_TOO_MANY : CONTROL_DENIED, message);
	return false;
}

static void take_line(struct control_peer *peer, const char *line, size_t length)
{
	const struct control_config *config = &peer->control->config;
	json_t *error = NULL;
	struct control_request *request = control_parse(&config->commands, line, length, &error);

	if (peer->is_stranger && !introduce(peer, request, error))
		return;
	if (!request) {
		send_object(peer, error);
		return;
	}
	request->peer = peer;
	DL_APPEND(peer->requests, request);
	peer->n_requests++;
	request->command->carry_out(config->userdata, request, request->arguments);
}

static void close_when_written(struct control_peer *peer)
{
	if (evbuffer_get_length(bufferevent_get_output(peer->stream)) > 0)
		peer->closing = true;
	else
		peer_free(peer);
}

static void on_readable(struct bufferevent *stream, void *userdata)
{
	struct control_peer *peer = userdata;
	const size_t most = max_requests(peer->control);
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t length;
	char *line;

	if (peer->is_stranger)
		set_patience(peer);
	while (peer->n_requests < most && !peer->closing &&
	       (line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF))) {
		if (length > CONTROL_MAX_LINE)
			drop_peer(peer, CONTROL_BAD_REQUEST, "the request is too long");
		else if (length > 0 || peer->is_stranger)
			take_line(peer, line, length);
		free(line);
		/* A pipelined peer is our own process, which reads. */
		if (!peer->closing && !peer->control->config.pipelined &&
		    evbuffer_get_length(bufferevent_get_output(stream)) > MAX_UNREAD) {
			peer_free(peer);
			return;
		}
	}
	if (peer->n_requests < most && !peer->closing &&
	    evbuffer_get_length(input) > CONTROL_MAX_LINE)
		drop_peer(peer, CONTROL_BAD_REQUEST, "the request is too long");
	if (peer->half_closed && peer->n_requests == 0 && !peer->closing &&
	    !peer->control->config.lingers)
		close_when_written(peer);
}

static void on_written(struct bufferevent *stream, void *userdata)
{
	struct control_peer *peer = userdata;

	if (peer->closing)
		peer_free(peer);
}

/* Returns whether no process has the other end open: it can't read either. */
static bool hung_up(struct bufferevent *stream)
{
	struct pollfd end = {.fd = bufferevent_getfd(stream)};

	return poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR));
}

/* Handles end, error and timeout. A peer that waits for its reply may be silent. */
static void on_end(struct bufferevent *stream, short what, void *userdata)
{
	struct control_peer *peer = userdata;
	const bool ended = what & BEV_EVENT_EOF;
	const bool waits = peer->n_requests > 0 && !peer->control->config.pipelined;

	if (peer->control->config.lingers && ended && !hung_up(stream)) {
		peer->half_closed = true;
		peer->control->config.on_gone(peer->control->config.userdata, peer);
		return;
	}
	if (waits && (what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING))
		bufferevent_enable(stream, EV_READ);
	else if (waits && ended && !hung_up(stream))
		peer->half_closed = true;
	else if (!waits && ended)
		close_when_written(peer);
	else
		peer_free(peer);
}

/* Returns whether the user at the other end may send commands, and which process that is. */
static bool may_command(int fd, pid_t *ret_pid)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	*ret_pid = peer.pid;
	return peer.uid == geteuid() || peer.uid == 0;
}

static struct control_peer *add_peer(struct control *control, int fd)
{
	struct control_peer *peer = xzalloc(sizeof(*peer));

	peer->control = control;
	peer->stream =
		ALLOCATED(bufferevent_socket_new(control->config.base, fd, BEV_OPT_CLOSE_ON_FREE));
	DL_PREPEND(control->peers, peer);
	control->n_peers++;
	bufferevent_setcb(peer->stream, on_readable, on_written, on_end, peer);
	/* Read little more than the longest request. */
	bufferevent_setwatermark(peer->stream, EV_READ, 0, CONTROL_MAX_LINE + 2);
	set_patience(peer);
	bufferevent_enable(peer->stream, EV_READ | EV_WRITE);
	return peer;
}

static void on_connect(struct evconnlistener *listener, evutil_socket_t fd,
		       struct sockaddr *address, int length, void *userdata)
{
	struct control *control = userdata;
	struct control_peer *peer = add_peer(control, fd);

	if (!may_command(fd, &peer->pid))
		drop_peer(peer, CONTROL_DENIED,
			  "only the user who runs synfault, and root, may send commands");
	else if (is_full(control))
		drop_peer(peer, CONTROL_TOO_MANY, TOO_MANY_PEERS);
}

/* Takes a peer whose user is not known: it has to say the token before anything else. */
static void on_stranger(struct evconnlistener *listener, evutil_socket_t fd,
			struct sockaddr *address, int length, void *userdata)
{
	struct control *control = userdata;
	struct control_peer *peer = add_peer(control, fd);
	const int on = 1;

	peer->is_stranger = true;
	peer->until_ns = clock_monotonic_ns() +
			 (control->config.stranger_ns ? control->config.stranger_ns : STRANGER_NS);
	control->n_strangers++;
	set_patience(peer);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* One that dies without a FIN has to be noticed: its sessions end with it. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (control->n_strangers > MAX_STRANGERS)
		drop_peer(peer, CONTROL_TOO_MANY, TOO_MANY_PEERS);
}

static void set_listening(struct control *control, bool on)
{
	for (size_t i = 0; i < ARRAY_SIZE(control->listeners); i++) {
		if (control->listeners[i] && on)
			evconnlistener_enable(control->listeners[i]);
		else if (control->listeners[i])
			evconnlistener_disable(control->listeners[i]);
	}
}

/* There is no descriptor for another peer: tries again later, and does not spin. */
static void on_no_peer(struct evconnlistener *listener, void *userdata)
{
	struct control *control = userdata;
	const struct timeval pause = {.tv_usec = RETRY_US};

	set_listening(control, false);
	event_add(control->retry, &pause);
}

static void on_retry(evutil_socket_t fd, short what, void *userdata)
{
	set_listening(userdata, true);
}

static struct evconnlistener *listen_on(struct control *control, int fd, evconnlistener_cb on_peer)
{
	struct evconnlistener *listener = ALLOCATED(evconnlistener_new(
		control->config.base, on_peer, control, LEV_OPT_CLOSE_ON_EXEC, 0, fd));

	evconnlistener_set_error_cb(listener, on_no_peer);
	return listener;
}

void control_add_peer(struct control *control, int fd)
{
	evutil_make_socket_nonblocking(fd);
	add_peer(control, fd);
}

struct control *control_new(const struct control_config *config)
{
	struct control *control = xzalloc(sizeof(*control));

	control->config = *config;
	if (config->fd < 0)
		return control;
	control->listeners[0] = listen_on(control, config->fd, on_connect);
	if (config->token)
		control->listeners[1] = listen_on(control, config->tcp_fd, on_stranger);
	control->retry = ALLOCATED(evtimer_new(config->base, on_retry, control));
	return control;
}

void control_stop_listening(struct control *control)
{
	for (size_t i = 0; i < ARRAY_SIZE(control->listeners); i++) {
		if (control->listeners[i])
			evconnlistener_free(control->listeners[i]);
		control->listeners[i] = NULL;
	}
}

void control_free(struct control *control)
{
	if (!control)
		return;
	control->config.on_gone = NULL;
	control_stop_listening(control);
	if (control->retry)
		event_free(control->retry);
	while (control->peers) {
		struct control_peer *peer = control->peers;
		struct control_request *request = peer->requests, *next;

		for (; request; request = next) {
			next = request->next;
			request_free(request);
		}
		peer->requests = NULL;
		peer_free(peer);
	}
	free(control);
}

const char *control_command(const struct control_request *request)
{
	return request->command->name;
}

const void *control_arguments(const struct control_request *request)
{
	return request->arguments;
}

json_t *control_json(const struct control_request *request)
{
	return request->object;
}

struct control_peer *control_peer(const struct control_request *request)
{
	return request->peer;
}

pid_t control_peer_pid(const struct control_peer *peer)
{
	return peer->pid;
}

size_t control_peer_unread(const struct control_peer *peer)
{
	return evbuffer_get_length(bufferevent_get_output(peer->stream));
}

void control_peer_send(const struct control_peer *peer, json_t *object)
{
	if (peer->closing)
		json_decref(object);
	else
		send_object(peer, object);
}

void control_peer_may_lag(struct control_peer *peer)
{
	peer->may_lag = true;
	set_patience(peer);
}

/* Sends the reply; frees both. */
static void answer(struct control_request *request, json_t *reply)
{
	struct control_peer *peer = request->peer;

	if (peer) {
		DL_DELETE(peer->requests, request);
		peer->n_requests--;
		send_object(peer, reply);
	} else {
		json_decref(reply);
	}
	request_free(request);
	if (!peer || peer->closing)
		return;
	/* For requests that came since; deferred, since the caller still handles this one. */
	bufferevent_trigger(peer->stream, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

json_t *control_id(const struct control_request *request)
{
	return request->id ? json_incref(request->id) : json_null();
}

void control_reply(struct control_request *request, json_t *result)
{
	answer(request,
	       json_pack("{s:o, s:b, s:o}", "id", control_id(request), "ok", 1, "result", result));
}

void control_refuse(struct control_request *request, enum control_error error, const char *remedy,
		    const char *format, ...)
{
	AUTO_FREE char *message = FORMAT_REST(format);

	answer(request, make_error(control_id(request), error, message, remedy));
}

void control_relay(struct control_request *request, json_t *reply)
{
	json_t *copy = json_copy(reply);

	json_object_set_new(copy, "id", control_id(request));
	answer(request, copy);
}

void control_tell(struct control *control, json_t *object)
{
	struct control_peer *peer;

	for (peer = control->peers; peer; peer = peer->next)
		send_object(peer, json_incref(object));
	json_decref(object);
}

json_t *control_hello(const struct control *control)
{
	const struct control_config *config = &control->config;
	json_t *commands = json_array();

	for (size_t i = 0; i < config->commands.n_items; i++)
		json_array_append_new(commands, json_string(config->commands.items[i].name));
	return json_pack("{s:i, s:s, s:o, s:{s:i, s:I}}", "protocol", CONTROL_PROTOCOL, "program",
			 SYNFAULT_VERSION, "commands", commands, "limits", "request_bytes",
			 CONTROL_MAX_LINE, "connections", (json_int_t)config->max_peers);
}

static bool all_written(const struct control *control)
{
	struct control_peer *peer;

	for (peer = control->peers; peer; peer = peer->next) {
		if (evbuffer_get_length(bufferevent_get_output(peer->stream)) > 0)
			return false;
	}
	return true;
}

void control_flush(struct control *control)
{
	int64_t until_ns = clock_monotonic_ns() + NS_PER_S;

	set_listening(control, false);
	while (!all_written(control) && clock_monotonic_ns() < until_ns) {
		(void)event_base_loop(control->config.base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}
