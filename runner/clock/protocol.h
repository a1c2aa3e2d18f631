/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between the supervisor and the clock process, over a socket that keeps messages whole
 * (SOCK_SEQPACKET).
 *
 *     clock process                         supervisor
 *          ASK      ──────────────────────►     handles all events, looks at the sockets
 *                   ◄──────────────────────  ANSWER
 *       (all threads still sleep)
 *          JUMP     ──────────────────────►     moves its own clock, if nothing has come in
 *                   ◄──────────────────────  MOVED, or REFUSED
 *
 * A client that only waits needs fewer messages. If nothing was sent since the last ANSWER that was
 * quiet, then the clock process knew everything but the supervisor's next timer when it asked, and
 * proposed a jump:
 *
 *          ASK      ──────────────────────►     moves its own clock
 *                   ◄──────────────────────  MOVED
 *
 * In both cases:
 *
 *       (moves the clients' clocks if all still sleep; otherwise BACK)
 *          MOVED    ──────────────────────►     checks again that nothing has come in
 *                   ◄──────────────────────  DONE
 *       (wakes the threads that are due)
 */
#ifndef SYNFAULT_RUNNER_CLOCK_PROTOCOL_H
#define SYNFAULT_RUNNER_CLOCK_PROTOCOL_H

#include "common/util.h"

enum clock_message_kind {
	CLOCK_ASK,     /* is anything under way? to_ns */
	CLOCK_ANSWER,  /* quiet, next_ns, inodes */
	CLOCK_JUMP,    /* may the clock jump to to_ns? */
	CLOCK_REFUSED, /* it may not */
	CLOCK_MOVED, /* the sender has moved its clocks; from the supervisor: by_ns, asleep_until_ns
		      */
	CLOCK_BACK,  /* undo the jump; only the supervisor's clock has moved so far */
	CLOCK_DONE,  /* the supervisor has finished the jump, or undone it */
	CLOCK_FAILED, /* text: why the clock can't be trusted; it does not jump any more */
	CLOCK_FINISH, /* to the clock process: end when no program is left */
};

/* How many sockets in SYN-SENT one answer can name, and the bytes of a text with its NUL. */
enum { CLOCK_MAX_INODES = 1024, CLOCK_TEXT_SIZE = 200 };

struct clock_message {
	enum clock_message_kind kind;
	union {
		struct {
			int64_t by_ns;
			/* MOVED: the kernel itself ends no wait before this time of its clock. */
			int64_t asleep_until_ns;
		};
		/*
		 * Until when the client's clock may jump, by that clock: in ASK if nothing was sent
		 * since the last ANSWER; INT64_MAX: as far as the supervisor likes; INT64_MIN: not
		 * at all. A time rather than a length: how long a busy machine takes to read
		 * the message does not add to the jump.
		 */
		int64_t to_ns;
		struct {
			bool quiet;
			int64_t next_ns; /* the supervisor's next timer, by the client's clock */
			uint32_t n_inodes;
		};
		char text[CLOCK_TEXT_SIZE];
	};
	uint64_t inodes[CLOCK_MAX_INODES]; /* ANSWER; only the first n_inodes are sent */
};

/**
 * clock_message_send() - send a message
 * @fd: the sender's end of the socket
 *
 * Return: 0 or a negative errno of send(2); -EPIPE if the other side is gone.
 */
int clock_message_send(int fd, const struct clock_message *message);

/**
 * clock_message_receive() - receive a message
 * @fd: the receiver's end of the socket
 * @wait: whether to block until a message arrives
 *
 * Return: 1 with a message; 0 without one; a negative errno of recv(2): -EPIPE if the other side is
 * gone, -EPROTO for a message that is too short.
 */
int clock_message_receive(int fd, bool wait, struct clock_message *ret);

#endif
