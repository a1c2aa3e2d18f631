/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds connections that outlive the client: see orphan_sockets.h. */
#include "runner/sandbox/orphan_sockets.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "injector/sock_lookup.h"

/*
 * Returns whether some process has it open: close() leaves these states at once (net/ipv4/tcp.c).
 */
static bool is_held(const struct sock_found *socket)
{
	return socket->state == TCP_ESTABLISHED || socket->state == TCP_SYN_SENT ||
	       socket->state == TCP_CLOSE_WAIT;
}

/* One search; one callback gets sockets that a process has open, the other one gets the rest. */
struct search {
	void (*on_still_open)(void *userdata, uint32_t attempt);
	void (*on_orphan)(void *userdata, uint32_t attempt, const struct sock_found *socket);
	void *userdata;
};

static void look_at(const struct search *search, uint32_t attempt, const struct sock_found *socket)
{
	if (search->on_still_open && is_held(socket))
		search->on_still_open(search->userdata, attempt);
	if (search->on_orphan && !is_held(socket) && socket->has_counts)
		search->on_orphan(search->userdata, attempt, socket);
}

/* Returns how many established connections have no socket any more, though no notice said so. */
static size_t look(const struct record *record, const struct search *search)
{
	struct sock_lookup *lookup = sock_lookup_new();
	AUTO_FREE bool *closed = xzalloc((record->n_attempts + 1) * sizeof(*closed));
	AUTO_FREE bool *established = xzalloc((record->n_attempts + 1) * sizeof(*established));
	size_t n_gone = 0;
	/* The callbacks can add attempts: those are not looked at. */
	size_t n_attempts = record->n_attempts;

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];

		if (event->kind > EVENT_CLOSED || event->u.net.attempt >= n_attempts)
			continue;
		if (event->kind == EVENT_CLOSED)
			closed[event->u.net.attempt] = true;
		else if (event->kind == EVENT_ESTABLISHED)
			established[event->u.net.attempt] = true;
	}
	for (size_t id = 0; id < n_attempts; id++) {
		const struct record_attempt *attempt = &record->attempts[id];
		struct sock_found socket;
		int r;

		if (closed[id])
			continue;
		r = sock_lookup_find(lookup, &attempt->client, &attempt->server, &socket);
		/* What waits in TIME_WAIT is no longer the socket. */
		if (r == -ENOENT || (r == 0 && socket.state == TCP_TIME_WAIT))
			n_gone += established[id];
		else if (r == 0)
			look_at(search, (uint32_t)id, &socket);
	}
	sock_lookup_free(lookup);
	return n_gone;
}

size_t orphan_sockets_n_gone(const struct record *record)
{
	return look(record, &(struct search){0});
}

void orphan_sockets_look(const struct record *record,
			 void (*on_still_open)(void *userdata, uint32_t attempt), void *userdata)
{
	(void)look(record, &(struct search){.on_still_open = on_still_open, .userdata = userdata});
}

void orphan_sockets_count(const struct record *record,
			  void (*on_orphan)(void *userdata, uint32_t attempt,
					    const struct sock_found *socket),
			  void *userdata)
{
	(void)look(record, &(struct search){.on_orphan = on_orphan, .userdata = userdata});
}
