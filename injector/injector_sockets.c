/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the clients' sockets do: which socket makes an attempt, when it was there, when it died.
 *
 * Looks (socket_watch.h) are made only where they are wanted, but for one: a SYN-ACK whose client
 * has no socket for it any more completes no handshake.
 */
#include <errno.h>

#include "common/duration.h"
#include "injector/injector_impl.h"

/* How often to look whether unanswered attempts are gone. */
#define POLL_NS (10 * NS_PER_MS)

static void emit(struct injector *injector, const struct injector_event *event)
{
	injector->on_event(injector->userdata, event);
}

/* ---- looks ---- */

static int watch_find(void *context, const struct address *local, const struct address *remote,
		      struct sock_found *ret)
{
	const struct injector *injector = context;

	return injector->kernel.find_socket(injector->kernel.context, local, remote, ret);
}

static int64_t watch_now_ns(void *context)
{
	return injector_now_ns(context);
}

static void watch_seen(void *context, uint32_t attempt, int64_t at_ns)
{
	const struct injector *injector = context;

	tracker_note_seen(injector->tracker, attempt, at_ns);
}

static void watch_open(void *context, uint32_t attempt, int64_t at_ns, uint8_t state)
{
	struct injector *injector = context;
	const struct injector_event event = {
		.kind = INJECTOR_OPEN,
		.earliest_ns = at_ns,
		.at_ns = at_ns,
		.attempt = tracker_attempt(injector->tracker, attempt),
		.tcp_state = state,
	};

	emit(injector, &event);
}

static void watch_gone(void *context, uint32_t attempt, int64_t earliest_ns, int64_t at_ns)
{
	struct injector *injector = context;
	const struct injector_event event = {
		.kind = INJECTOR_GONE,
		.earliest_ns = earliest_ns,
		.at_ns = at_ns,
		.attempt = tracker_attempt(injector->tracker, attempt),
	};

	emit(injector, &event);
}

static void watch_blind(void *context, int error)
{
	struct injector *injector = context;

	injector_report(injector, PROBLEM_BLIND, false, "can't look for the clients' sockets: %s",
			strerror(-error));
}

static void start_polling(struct injector *injector)
{
	const struct timeval interval = {.tv_usec = POLL_NS / NS_PER_US};

	if (injector->polling)
		return;
	injector->polling = true;
	event_add(injector->poll_event, &interval);
}

static void poll_due(evutil_socket_t fd, short what, void *userdata)
{
	struct injector *injector = userdata;

	injector->polling = false;
	if (socket_watch_poll(injector->watch))
		start_polling(injector);
}

static int real_find_socket(void *context, const struct address *local,
			    const struct address *remote, struct sock_found *ret)
{
	const struct injector *injector = context;

	return sock_lookup_find(injector->lookup, local, remote, ret);
}

void injector_sockets_init(struct injector *injector, const struct injector_config *config)
{
	if (!config->kernel) {
		injector->lookup = sock_lookup_new();
		injector->kernel.find_socket = real_find_socket;
	}
	if (!config->want_sockets)
		return;
	injector->watch = socket_watch_new(&(struct socket_watch_host){
		.find = watch_find,
		.now_ns = watch_now_ns,
		.on_seen = watch_seen,
		.on_open = watch_open,
		.on_gone = watch_gone,
		.on_blind = watch_blind,
		.context = injector,
	});
	injector->poll_event = evtimer_new(injector->base, poll_due, injector);
	if (!injector->poll_event)
		out_of_memory();
}

void injector_sockets_deinit(struct injector *injector)
{
	if (injector->poll_event)
		event_free(injector->poll_event);
	socket_watch_free(injector->watch);
	sock_lookup_free(injector->lookup);
}

int injector_sockets_begin(struct injector *injector, struct attempt_info *attempt)
{
	struct sock_found found;
	int r;

	if (!injector->watch)
		return -EOPNOTSUPP;
	r = socket_watch_begin(injector->watch, attempt, &found);
	if (r < 0)
		return r;
	tracker_note_socket(injector->tracker, attempt->id, found.cookie, found.inode);
	attempt->cookie = found.cookie;
	attempt->inode = found.inode;
	start_polling(injector);
	return 0;
}

void injector_sockets_look(struct injector *injector, const struct attempt_info *attempt, int r,
			   bool outgoing)
{
	if (!injector->watch)
		return;
	/* A client of an endpoint that others provide may be in another network namespace. */
	if (r == -ENOENT && (outgoing || !injector->is_remote[attempt->endpoint]))
		watch_gone(injector, attempt->id, attempt->started_ns, injector_now_ns(injector));
	socket_watch_look(injector->watch, attempt->id);
}

bool injector_sockets_is_late(struct injector *injector, uint32_t attempt)
{
	struct attempt_info info = tracker_attempt(injector->tracker, attempt);
	int64_t now_ns = injector_now_ns(injector);
	struct sock_found found;
	int r;

	if (!injector->kernel.find_socket || (injector->is_remote[info.endpoint] && !info.cookie))
		return false;
	r = injector->kernel.find_socket(injector->kernel.context, &info.key.client,
					 &info.key.server, &found);
	if (r == 0 && (!info.cookie || info.cookie == found.cookie)) {
		tracker_note_seen(injector->tracker, attempt, now_ns);
		return false;
	}
	/* Where the kernel can't say, the SYN-ACK arrives. */
	return r == 0 || r == -ENOENT;
}

/* ---- deaths ---- */

/*
 * A Multipath TCP client's socket is disconnected before it dies: by then it has lost its own
 * address and the server's port (net/mptcp/protocol.c, __mptcp_close_ssk; net/ipv4/tcp.c,
 * tcp_disconnect). What is left, its port and the server's address, names the newest attempt with
 * both.
 */
static bool complete_death(const struct injector *injector, struct socket_death *death)
{
	size_t size = address_size(&death->remote);

	for (size_t id = tracker_n_attempts(injector->tracker); id-- > 0;) {
		struct attempt_info info = tracker_attempt(injector->tracker, (uint32_t)id);

		if (info.closed || info.key.client.port != death->local.port ||
		    info.key.server.family != death->remote.family ||
		    memcmp(info.key.server.bytes, death->remote.bytes, size) != 0)
			continue;
		death->local = info.key.client;
		death->remote = info.key.server;
		return true;
	}
	return false;
}

/* Whether it is the socket of a connection that was disconnected; a listener has no port either. */
static bool is_incomplete(const struct socket_death *death)
{
	static const uint8_t none[sizeof(death->remote.bytes)];

	return death->remote.port == 0 && death->local.port != 0 &&
	       memcmp(death->remote.bytes, none, sizeof(none)) != 0;
}

/* The socket of an attempt is gone. @last: it is the socket's newest attempt. */
static void close_attempt(struct injector *injector, uint32_t id, const struct socket_death *death,
			  bool last)
{
	struct attempt_info before = tracker_attempt(injector->tracker, id);
	struct injector_event event = {
		.kind = INJECTOR_CLOSED,
		.earliest_ns = MIN(before.seen_ns, death->at_ns),
		.at_ns = death->at_ns,
	};

	if (before.closed)
		return;
	/* What the kernel counted is of the socket's last connection. */
	if (last) {
		event.retransmissions = death->retransmissions;
		event.segments_in = death->segments_in;
		event.bytes_received = death->bytes_received;
		event.bytes_acked = death->bytes_acked;
		event.bytes_sent = death->bytes_sent;
	}
	if (injector->watch)
		socket_watch_forget(injector->watch, id);
	event.attempt = tracker_close(injector->tracker, id);
	if (event.attempt.state == ATTEMPT_WAITING)
		injector->n_waiting--;
	if (event.attempt.state == ATTEMPT_ESTABLISHED)
		injector->n_connected--;
	if (injector->connections)
		flow_table_closed(injector->connections, &event.attempt);
	emit(injector, &event);
}

/* Ends all attempts of the socket, the oldest first. Returns whether it is known. */
static bool close_by_cookie(struct injector *injector, const struct socket_death *death)
{
	AUTO_FREE uint32_t *ids = NULL;
	size_t n = 0, capacity = 0;
	uint32_t id;
	int r;

	if (!injector->watch || !death->cookie)
		return false;
	for (r = socket_watch_find(injector->watch, death->cookie, &id); r == 0;
	     r = socket_watch_earlier(injector->watch, id, &id))
		array_append(ids, n, capacity, id);
	for (size_t k = n; k-- > 0;)
		close_attempt(injector, ids[k], death, k == 0);
	return n > 0;
}

/*
 * Ends the attempts with the socket's addresses, the oldest first: those before the newest have
 * ended, or it could not have their 4-tuple. Attempts of another socket are left alone.
 */
static void close_by_addresses(struct injector *injector, const struct socket_death *death)
{
	AUTO_FREE uint32_t *ids = NULL;
	size_t n = 0, capacity = 0;
	uint32_t id;
	int r;

	for (r = tracker_find_open(injector->tracker, &death->local, &death->remote, &id); r == 0;
	     r = tracker_earlier(injector->tracker, id, &id)) {
		struct attempt_info info = tracker_attempt(injector->tracker, id);

		if (info.closed)
			break;
		if (info.started_ns > death->at_ns ||
		    (info.cookie && death->cookie && info.cookie != death->cookie))
			continue;
		array_append(ids, n, capacity, id);
	}
	for (size_t k = n; k-- > 0;)
		close_attempt(injector, ids[k], death, k == 0);
}

void injector_death(struct injector *injector, const struct socket_death *death)
{
	struct socket_death whole = *death;

	if (close_by_cookie(injector, death))
		return;
	/* Other sockets, the server's among them, are of no interest. */
	if (is_incomplete(death) && !complete_death(injector, &whole))
		return;
	close_by_addresses(injector, &whole);
}
