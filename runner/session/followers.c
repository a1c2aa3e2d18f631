/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that get a session's events: see followers.h. */
#include "runner/session/followers.h"

/* Bytes of events that a follower has not read; more are lost to it. */
enum { MAX_UNREAD_EVENTS = 256 << 10 };

struct follower {
	const struct control_peer *peer;
	json_t *id;        /* of its request */
	json_int_t next;   /* the sequence number of the first event that it does not know */
	json_int_t n_lost; /* how many before that it did not get */
	struct follower *more;
};

/* Sends an event; takes ownership of it. */
static void send_event(const struct follower *follower, json_t *event)
{
	control_peer_send(follower->peer,
			  json_pack("{s:O, s:o}", "id", follower->id, "event", event));
}

/* Sends an event of the stream itself: "lost" or "end". */
static void send_notice(const struct follower *follower, const char *kind, json_int_t sequence,
			json_int_t count)
{
	json_t *event = json_pack("{s:s, s:I}", "kind", kind, "seq", sequence);

	if (count > 0)
		json_object_set_new(event, "count", json_integer(count));
	send_event(follower, event);
}

static void send_lost(struct follower *follower)
{
	if (follower->n_lost > 0)
		send_notice(follower, "lost", follower->next - follower->n_lost, follower->n_lost);
	follower->n_lost = 0;
}

void followers_send(struct follower *list, json_t *event)
{
	const json_int_t sequence = json_integer_value(json_object_get(event, "seq"));
	struct follower *follower;

	for (follower = list; follower; follower = follower->more) {
		if (sequence < follower->next)
			continue;
		if (control_peer_unread(follower->peer) > MAX_UNREAD_EVENTS) {
			follower->n_lost++;
		} else {
			send_lost(follower);
			send_event(follower, json_incref(event));
		}
		follower->next = sequence + 1;
	}
}

void followers_add(struct follower **list, const struct control_request *request,
		   const json_t *result)
{
	struct control_peer *peer = control_peer(request);
	struct follower *follower;

	if (!peer || !json_is_true(json_object_get(result, "following")))
		return;
	follower = xzalloc(sizeof(*follower));
	*follower = (struct follower){
		.peer = peer,
		.id = control_id(request),
		.next = json_integer_value(json_object_get(result, "next")),
		.more = *list,
	};
	*list = follower;
	control_peer_may_lag(peer);
}

void followers_remove(struct follower **list, const struct control_peer *peer)
{
	struct follower **link = list;

	while (*link) {
		struct follower *follower = *link;

		if (peer && follower->peer != peer) {
			link = &follower->more;
			continue;
		}
		if (!peer) {
			send_lost(follower);
			send_notice(follower, "end", follower->next, 0);
		}
		*link = follower->more;
		json_decref(follower->id);
		free(follower);
	}
}

bool followers_has(const struct follower *list, const struct control_peer *peer)
{
	while (list && list->peer != peer)
		list = list->more;
	return list != NULL;
}
