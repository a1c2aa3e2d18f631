/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which socket made which attempt, and until when the kernel's table had it. Knows neither the
 * kernel nor the clock: both come in as functions.
 *
 * Theory of operation
 * -------------------
 * The attempt's socket is looked up while the attempt's first SYN is held: its cookie names it from
 * then on, also where a socket makes a second attempt, and in a notice of death without addresses.
 *
 *     first SYN ──► UNANSWERED ──(SYN-ACK)──► ANSWERED ──(a look finds it absent)──► forgotten
 *                       └──(RST, or a look finds it absent: gone)──────────────────────┘
 *
 * Each first SYN is an occasion to look at the attempts before it. A socket that is still there
 * overlaps with the new attempt for certain. That is reported the first time; later looks only move
 * the moment at which the socket was last seen, which the socket's end reports (or
 * socket_watch_finish()): a socket is open from its SYN until then, so nothing is lost, and the
 * number of reports stays within twice that of the attempts.
 *
 * An unanswered attempt can end without a notice (connect(AF_UNSPEC), shutdown(), ETIMEDOUT by the
 * kernel); the caller looks for that every few milliseconds (socket_watch_poll()).
 *
 * A socket that was absent once is not looked for again: what leaves the table stays out of it,
 * until another connect(), which is another attempt.
 */
#ifndef SYNFAULT_INJECTOR_SOCKET_WATCH_H
#define SYNFAULT_INJECTOR_SOCKET_WATCH_H

#include "injector/sock_lookup.h"
#include "injector/tracker.h"

/* Attempts that one look asks for at most, the newest first. */
#define SOCKET_WATCH_MAX_LOOKS 64

struct socket_watch_host {
	/* As sock_lookup_find(). */
	int (*find)(void *context, const struct address *local, const struct address *remote,
		    struct sock_found *ret);
	int64_t (*now_ns)(void *context);
	/* To be reported: the socket was open at @at_ns, in this state (TCP_ESTABLISHED, …). */
	void (*on_open)(void *context, uint32_t attempt, int64_t at_ns, uint8_t state);
	/* A look found the attempt's socket, at @at_ns. */
	void (*on_seen)(void *context, uint32_t attempt, int64_t at_ns);
	/* An unanswered attempt left the table between the two times. */
	void (*on_gone)(void *context, uint32_t attempt, int64_t earliest_ns, int64_t at_ns);
	/* The kernel can't say: @error is a negative errno. No more looks follow. */
	void (*on_blind)(void *context, int error);
	void *context;
};

struct socket_watch;

struct socket_watch *socket_watch_new(const struct socket_watch_host *host);
void socket_watch_free(struct socket_watch *watch);

/**
 * socket_watch_begin() - look up the socket of a new attempt
 * @attempt: its first SYN is held
 * @ret: what was found
 *
 * Ends the unanswered attempts that the same socket has made before.
 *
 * Return: 0 and writes @ret; -ENOENT when the socket is gone already, or is not in this network
 * namespace; another negative errno when the kernel can't say.
 */
int socket_watch_begin(struct socket_watch *watch, const struct attempt_info *attempt,
		       struct sock_found *ret);
/* Looks at the attempts before @attempt, while its first SYN is held. */
void socket_watch_look(struct socket_watch *watch, uint32_t attempt);
/* Looks at the unanswered attempts. Returns whether there are any left. */
bool socket_watch_poll(struct socket_watch *watch);

/* The handshake is complete, or an ICMP message was sent, which need not end the attempt. */
void socket_watch_answered(struct socket_watch *watch, uint32_t attempt);
/* The attempt's socket has left the table for a reason that is known: RST, or its death. */
void socket_watch_forget(struct socket_watch *watch, uint32_t attempt);
/* Reports when the sockets that are still watched were last seen. */
void socket_watch_finish(struct socket_watch *watch);

/* The newest attempt of the socket. Returns 0, or -ENOENT. */
int socket_watch_find(const struct socket_watch *watch, uint64_t cookie, uint32_t *ret_attempt);
/* The attempt that the same socket made before. Returns 0, or -ENOENT. */
int socket_watch_earlier(const struct socket_watch *watch, uint32_t attempt, uint32_t *ret_attempt);

#endif
