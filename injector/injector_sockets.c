/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches the clients' sockets: which socket made an attempt, when it was open, when it died.
 *
 * Looks (socket_watch.h) happen only if they are wanted, with one exception: a SYN-ACK completes no
 * handshake if its client has no socket for it any more.
 *
 * If a client closes a stalled connection, its FIN may never leave: while its earlier data is lost,
 * its kernel sends nothing new (net/ipv4/tcp_input.c, tcp_enter_loss, leaves room for one packet).
 * So such sockets are looked at every few milliseconds; after a stall that heals, until nothing is
 * left to retransmit.
 */
#include <errno.h>
#include <netinet/tcp.h>

#include "common/duration.h"
#include "injector/injector_impl.h"

/* How long to wait between looks for unanswered attempts that are gone. */
#define POLL_NS (10 * NS_PER_MS)

static void emit(struct injector *injector, const struct injector_event *event)
{
	injector->config.on_event(injector->config.userdata, event);
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
		.kind = EVENT_OPEN,
		.earliest_ns = at_ns,
		.at_ns = at_ns,
		.attempt = tracker_attempt(injector->tracker, attempt),
		.net.tcp_state = state,
	};

	emit(injector, &event);
}

static void watch_gone(void *context, uint32_t attempt, int64_t earliest_ns, int64_t at_ns)
{
	struct injector *injector = context;
	const struct injector_event event = {
		.kind = EVENT_GONE,
		.earliest_ns = earliest_ns,
		.at_ns = at_ns,
		.attempt = tracker_attempt(injector->tracker, attempt),
	};

	emit(injector, &event);
}

static void watch_blind(void *context, int error)
{
	struct injector *injector = context;

	injector_report(injector, PROBLEM_BLIND, INJECTOR_LOST,
			"can't look up the clients' sockets: %s", strerror(-error));
}

static void start_polling(struct injector *injector)
{
	const struct timeval interval = duration_timeval(POLL_NS);

	if (injector->polling)
		return;
	injector->polling = true;
	event_add(injector->poll_event, &interval);
}

static bool poll_stalled(struct injector *injector);

static void poll_due(evutil_socket_t fd, short what, void *userdata)
{
	struct injector *injector = userdata;
	bool again = poll_stalled(injector);

	injector->polling = false;
	if ((injector->watch && socket_watch_poll(injector->watch)) || again)
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
	injector->poll_event = ALLOCATED(evtimer_new(injector->config.base, poll_due, injector));
	(void)event_priority_set(injector->poll_event, INJECTOR_PRIORITY_LOOKS);
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
}

void injector_sockets_deinit(struct injector *injector)
{
	if (injector->poll_event)
		event_free(injector->poll_event);
	socket_watch_free(injector->watch);
	sock_lookup_free(injector->lookup);
	free(injector->stalled);
}

void injector_sockets_finish(struct injector *injector)
{
	(void)poll_stalled(injector);
	if (!injector->watch)
		return;
	(void)socket_watch_poll(injector->watch);
	socket_watch_finish(injector->watch);
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
	/* A client of a remote endpoint may be in another network namespace. */
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
	/* If the kernel can't say, the SYN-ACK counts as received. */
	return r == 0 || r == -ENOENT;
}

/* ---- ends ---- */

/* Returns the full count whose low 32 bits are @low. @near: roughly that count; 0: unknown. */
static uint64_t widen(uint32_t low, uint64_t near)
{
	return near ? near + (uint64_t)(int64_t)(int32_t)(low - (uint32_t)near) : low;
}

/* Returns when a socket's last data came. @since_ns: how long ago, as the kernel says. */
static int64_t last_receive_ns(const struct injector *injector, int64_t now_ns, int64_t since_ns)
{
	return injector->config.to_own_ns ? injector->config.to_own_ns(injector->config.userdata,
								       clock_kernel_ns() - since_ns)
					  : now_ns - since_ns;
}

/*
 * Reports the client's end. The sequence numbers show how many bytes the connection carried. The
 * socket, while it lives, shows when the last data came, and how often the numbers have wrapped.
 */
static void client_end(struct injector *injector, const struct attempt_info *attempt,
		       const struct queued_packet *queued, const struct packet *packet)
{
	struct injector_event event = {
		.kind = EVENT_CLIENT_END,
		.earliest_ns = queued->earliest_ns,
		.at_ns = queued->arrived_ns,
		.attempt = *attempt,
		.net = {.rst = packet->flags & TCP_FLAG_RST, .last_receive_ns = NEVER_RECEIVED},
	};
	uint32_t sent = packet->sequence + packet->payload_length - (attempt->key.isn + 1);
	/* A FIN that the client has received takes a sequence number. */
	bool got_fin = attempt->server_ended &&
		       (int32_t)(packet->acknowledgment - attempt->server_fin) > 0;
	uint32_t received = packet->acknowledgment - (attempt->server_isn + 1) - got_fin;
	int64_t now_ns = injector_now_ns(injector);
	struct sock_found found = {.since_receive_ns = -1};

	if (injector->kernel.find_socket)
		(void)injector->kernel.find_socket(injector->kernel.context, &attempt->key.client,
						   &attempt->key.server, &found);
	event.net.end_sent = widen(sent, found.bytes_sent);
	event.net.end_received = packet->flags & TCP_FLAG_ACK
					 ? widen(received, found.bytes_received)
					 : found.bytes_received;
	if (event.net.end_received > 0 && found.since_receive_ns >= 0)
		/* the kernel's tick is longer than the look took */
		event.net.last_receive_ns =
			MIN(last_receive_ns(injector, now_ns, found.since_receive_ns), event.at_ns);
	tracker_note_client_end(injector->tracker, attempt->id);
	event.attempt.client_ended = true;
	emit(injector, &event);
}

void injector_sockets_end(struct injector *injector, const struct queued_packet *queued,
			  const struct packet *packet)
{
	bool of_client = true;
	struct attempt_info attempt;
	uint32_t id;

	if (tracker_find_newest(injector->tracker, &packet->source, &packet->destination, &id) <
	    0) {
		of_client = false;
		if (tracker_find_newest(injector->tracker, &packet->destination, &packet->source,
					&id) < 0)
			return;
	}
	attempt = tracker_attempt(injector->tracker, id);
	if (attempt.state != ATTEMPT_ESTABLISHED)
		return;
	if (!of_client && packet->flags & TCP_FLAG_FIN)
		tracker_note_server_fin(injector->tracker, id,
					packet->sequence + packet->payload_length);
	else if (of_client && !attempt.client_ended)
		client_end(injector, &attempt, queued, packet);
}

/* ---- stalled connections ---- */

/* Returns whether the socket has received the server's FIN, which counts as a byte. */
static bool has_received_fin(const struct sock_found *found)
{
	return found->bytes_received > 0 &&
	       (found->state == TCP_CLOSE_WAIT || found->state == TCP_LAST_ACK ||
		found->state == TCP_CLOSING || found->state == TCP_TIME_WAIT);
}

/* Returns whether the client has closed, or shut down, its side. */
static bool has_ended(const struct sock_found *found)
{
	return found->inode == 0 ||
	       (found->state != TCP_ESTABLISHED && found->state != TCP_CLOSE_WAIT &&
		found->state != TCP_SYN_SENT);
}

/* Looks at a stalled connection. Returns whether to look again. */
static bool look_at_stalled(struct injector *injector, struct stalled *stalled)
{
	struct attempt_info info = tracker_attempt(injector->tracker, stalled->attempt);
	struct injector_event event = {
		.kind = EVENT_CLIENT_END,
		.earliest_ns = stalled->seen_ns,
		.at_ns = injector_now_ns(injector),
		.net.last_receive_ns = NEVER_RECEIVED,
	};
	struct sock_found found;

	if (info.closed || info.client_ended ||
	    injector->kernel.find_socket(injector->kernel.context, &info.key.client,
					 &info.key.server, &found) < 0 ||
	    (info.cookie && info.cookie != found.cookie))
		return false;
	if (!has_ended(&found)) {
		stalled->seen_ns = event.at_ns;
		tracker_note_seen(injector->tracker, stalled->attempt, event.at_ns);
		return !stalled->healed || found.unacked > 0;
	}
	event.at_ns = injector_now_ns(injector);
	event.net.end_sent = found.bytes_sent;
	/* A stall may have dropped the server's FIN after it was seen. */
	event.net.end_received = found.bytes_received - has_received_fin(&found);
	if (found.bytes_received > 0 && found.since_receive_ns >= 0)
		event.net.last_receive_ns =
			last_receive_ns(injector, event.at_ns, found.since_receive_ns);
	tracker_note_client_end(injector->tracker, stalled->attempt);
	event.attempt = tracker_attempt(injector->tracker, stalled->attempt);
	emit(injector, &event);
	return false;
}

/* Looks at all stalled connections. Returns whether any are left. */
static bool poll_stalled(struct injector *injector)
{
	size_t n = 0;

	for (size_t i = 0; i < injector->n_stalled; i++)
		if (look_at_stalled(injector, &injector->stalled[i]))
			injector->stalled[n++] = injector->stalled[i];
	injector->n_stalled = n;
	return n > 0;
}

void injector_sockets_look_now(struct injector *injector)
{
	if (injector->watch)
		(void)socket_watch_poll(injector->watch);
	(void)poll_stalled(injector);
}

void injector_sockets_stalled(struct injector *injector, uint32_t attempt)
{
	struct stalled stalled = {.attempt = attempt, .seen_ns = injector_now_ns(injector)};

	if (!injector->kernel.find_socket)
		return;
	array_append(injector->stalled, injector->n_stalled, injector->stalled_capacity, stalled);
	start_polling(injector);
}

void injector_sockets_healed(struct injector *injector, uint32_t attempt)
{
	(void)poll_stalled(injector);
	for (size_t i = 0; i < injector->n_stalled; i++)
		if (injector->stalled[i].attempt == attempt)
			injector->stalled[i].healed = true;
}

/* ---- deaths ---- */

/*
 * Completes a notice without addresses. A Multipath TCP client's socket is disconnected before it
 * dies, and has then lost its own address and the server's port (net/mptcp/protocol.c,
 * __mptcp_close_ssk; net/ipv4/tcp.c, tcp_disconnect). Its own port and the server's address are
 * left: they identify the newest attempt with both.
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

/*
 * Returns whether the socket was disconnected before it died. A listener has no remote port,
 * either.
 */
static bool is_incomplete(const struct socket_death *death)
{
	static const uint8_t none[sizeof(death->remote.bytes)];

	return death->remote.port == 0 && death->local.port != 0 &&
	       memcmp(death->remote.bytes, none, sizeof(none)) != 0;
}

/*
 * A notice comes from a work queue (sock_diag_broadcast_destroy() in net/core/sock_diag.c), whose
 * threads wait for a processor like ours: no longer than this beyond what ours waited.
 */
#define NOTICE_TAKES_NS (50 * NS_PER_MS)

/* Returns when the socket can have died at the earliest. */
static int64_t earliest_death_ns(const struct injector *injector,
				 const struct attempt_info *attempt,
				 const struct socket_death *death)
{
	int64_t notice_ns = injector->all_read_ns - NOTICE_TAKES_NS - 2 * injector->max_lag_ns;

	return MIN(MAX(attempt->seen_ns, notice_ns), death->at_ns);
}

/* Ends an attempt whose socket is gone. @last: it is the socket's newest attempt. */
static void close_attempt(struct injector *injector, uint32_t id, const struct socket_death *death,
			  bool last)
{
	struct attempt_info before = tracker_attempt(injector->tracker, id);
	struct injector_event event = {
		.kind = EVENT_CLOSED,
		.earliest_ns = earliest_death_ns(injector, &before, death),
		.at_ns = death->at_ns,
	};

	if (before.closed)
		return;
	/* The kernel's counts are those of the socket's last connection. */
	if (last) {
		event.net.retransmissions = death->retransmissions;
		event.segments_in = death->segments_in;
		event.net.bytes_received = death->bytes_received;
		event.net.bytes_acked = death->bytes_acked;
		event.net.bytes_sent = death->bytes_sent;
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
 * Ends the attempts with the socket's addresses, the oldest first. Those before the newest must
 * have ended, or it could not have their 4-tuple. Leaves attempts of other sockets alone.
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
	/* Ignore other sockets, such as the server's. */
	if (is_incomplete(death) && !complete_death(injector, &whole))
		return;
	close_by_addresses(injector, &whole);
}
