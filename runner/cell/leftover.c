/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks for connections that outlive the client: see leftover.h. */
#include "runner/cell/leftover.h"

#include <netinet/tcp.h>

#include "runner/cell/sock_lookup.h"

/* Whether some process has it open: close() leaves these states at once (net/ipv4/tcp.c). */
static bool is_held(const struct sock_found *socket)
{
	return socket->state == TCP_ESTABLISHED || socket->state == TCP_SYN_SENT ||
	       socket->state == TCP_CLOSE_WAIT;
}

void leftover_look(const struct record *record,
		   void (*on_standing)(void *userdata, uint32_t attempt), void *userdata)
{
	struct sock_lookup *lookup = sock_lookup_new();
	AUTO_FREE bool *closed = xzalloc((record->n_attempts + 1) * sizeof(*closed));
	/* What @on_standing adds to the record is not to be looked at. */
	size_t n_attempts = record->n_attempts;

	for (size_t i = 0; i < record->n_events; i++)
		if (record->events[i].kind == EVENT_CLOSED &&
		    record->events[i].u.net.attempt < n_attempts)
			closed[record->events[i].u.net.attempt] = true;
	for (size_t id = 0; id < n_attempts; id++) {
		const struct record_attempt *attempt = &record->attempts[id];
		struct sock_found socket;

		if (!closed[id] &&
		    sock_lookup_find(lookup, &attempt->client, &attempt->server, &socket) &&
		    is_held(&socket))
			on_standing(userdata, (uint32_t)id);
	}
	sock_lookup_free(lookup);
}
