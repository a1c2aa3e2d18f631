/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracks which socket made which attempt, and until when the kernel's table had it. It knows
 * neither the kernel nor the clock: both come in as functions.
 *
 * Theory of operation
 * -------------------
 * An attempt's socket is looked up while the attempt's first SYN is held. From then on its cookie
 * identifies it, even if the socket makes a second attempt, and in a notice of death without
 * addresses.
 *
 *     first SYN ──► UNANSWERED ──(SYN-ACK)──► ANSWERED ──(a look finds it absent)──► forgotten
 *                       └──(RST, or a look finds it absent: gone)──────────────────────┘
 *
 * Each first SYN is an occasion to look at the attempts before it. A socket that the table still
 * has certainly overlaps with the new attempt. Only the first such look is reported. Later looks
 * move the time at which the socket was last seen, which is reported when the socket ends (or by
 * socket_watch_finish()). A socket is open from its SYN until then, so nothing is lost, and there
 * are at most twice as many reports as attempts.
 *
 * An unanswered attempt can end without a notice (connect(AF_UNSPEC), shutdown(), ETIMEDOUT by the
 * kernel). The caller looks for that every few milliseconds (socket_watch_poll()).
 *
 * A socket that has left the table is not looked up again: it returns only with another connect(),
 * which is another attempt.
 */
#ifndef SYNFAULT_INJECTOR_SOCKET_WATCH_H
#define SYNFAULT_INJECTOR_SOCKET_WATCH_H

#include "injector/sock_lookup.h"
#include "injector/tracker.h"

/* The most attempts that a look asks for, the newest first. */
#define SOCKET_WATCH_MAX_LOOKS 64

/* What the watch needs from its owner. */
struct socket_watch_host {
	/* Works as sock_lookup_find(). */
	int (*find)(void *context, const struct address *local, const struct address *remote,
		    struct sock_found *ret);
	int64_t (*now_ns)(void *context);
	/* Reports that the socket was open at @at_ns, in this state (TCP_ESTABLISHED, …). */
	void (*on_open)(void *context, uint32_t attempt, int64_t at_ns, uint8_t state);
	/* Notes that a look found the attempt's socket at @at_ns. */
	void (*on_seen)(void *context, uint32_t attempt, int64_t at_ns);
	/* Reports that an unanswered attempt left the table between the two times. */
	void (*on_gone)(void *context, uint32_t attempt, int64_t earliest_ns, int64_t at_ns);
	/* Reports that the kernel can't answer: @error is a negative errno. No more looks follow.
	 */
	void (*on_blind)(void *context, int error);
	void *context;
};

struct socket_watch;

/**
 * socket_watch_new() - make a watch without attempts
 * @host: copied
 *
 * Free it with socket_watch_free().
 */
struct socket_watch *socket_watch_new(const struct socket_watch_host *host);
/** socket_watch_free() - free the watch; NULL is allowed */
void socket_watch_free(struct socket_watch *watch);

/**
 * socket_watch_begin() - look up the socket of a new attempt
 * @watch: the watch
 * @attempt: the attempt, whose first SYN is held
 * @ret: the socket
 *
 * Ends the unanswered attempts that the same socket has made before.
 *
 * Return: 0; -ENOENT if the socket is already gone, or is in another network namespace; another
 * negative errno if the kernel can't say.
 */
int socket_watch_begin(struct socket_watch *watch, const struct attempt_info *attempt,
		       struct sock_found *ret);
/** socket_watch_look() - look at the attempts before @attempt, while its first SYN is held */
void socket_watch_look(struct socket_watch *watch, uint32_t attempt);
/** socket_watch_poll() - look at the unanswered attempts; return whether any are left */
bool socket_watch_poll(struct socket_watch *watch);

/**
 * socket_watch_answered() - note that the handshake is complete, or that ICMP was sent, which need
 * not end the attempt
 */
void socket_watch_answered(struct socket_watch *watch, uint32_t attempt);
/**
 * socket_watch_forget() - note that the attempt's socket left the table for a known reason: RST, or
 * its death
 */
void socket_watch_forget(struct socket_watch *watch, uint32_t attempt);
/** socket_watch_finish() - report when the sockets that are still watched were last seen */
void socket_watch_finish(struct socket_watch *watch);

/** socket_watch_find() - find the newest attempt of a socket; return 0 or -ENOENT */
int socket_watch_find(const struct socket_watch *watch, uint64_t cookie, uint32_t *ret_attempt);
/**
 * socket_watch_earlier() - find the attempt that the same socket made before
 *
 * Return: 0 or -ENOENT.
 */
int socket_watch_earlier(const struct socket_watch *watch, uint32_t attempt, uint32_t *ret_attempt);

#endif
