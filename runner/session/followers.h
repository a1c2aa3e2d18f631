/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that get a session's events as they happen (the command `events` with "follow"). */
#ifndef SYNFAULT_RUNNER_SESSION_FOLLOWERS_H
#define SYNFAULT_RUNNER_SESSION_FOLLOWERS_H

#include "runner/session/control.h"

struct follower; /* in a list, which NULL begins */

/**
 * followers_add() - let the sender of a request follow
 * @result: what the session's process has replied: whether it follows, and from which event on
 */
void followers_add(struct follower **list, const struct control_request *request,
		   const json_t *result);
/** followers_has() - return whether a connection follows */
bool followers_has(const struct follower *list, const struct control_peer *peer);
/** followers_send() - send an event to all but those that have too many unread ones */
void followers_send(struct follower *list, json_t *event);
/**
 * followers_remove() - end what a connection follows
 * @peer: NULL: end what any connection follows, after saying so to it
 */
void followers_remove(struct follower **list, const struct control_peer *peer);

#endif
