/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor and the clock process say to each other, over a socket that keeps messages
 * whole; and what a program that is to be put on the clock says before it begins.
 *
 *     clock process                         supervisor
 *          ASK      ──────────────────────►     drains all it has, looks at the sockets
 *                   ◄──────────────────────  ANSWER
 *       (all still asleep)
 *          JUMP     ──────────────────────►     moves its own clock, if nothing has come in
 *                   ◄──────────────────────  MOVED, or REFUSED
 *       (moves the clients, if they still sleep; else BACK)
 *          MOVED    ──────────────────────►     looks at everything again
 *                   ◄──────────────────────  DONE
 *       (wakes who is due)
 */
#ifndef SYNFAULT_RUNNER_CLOCK_PROTOCOL_H
#define SYNFAULT_RUNNER_CLOCK_PROTOCOL_H

#include "common/util.h"

enum clock_message_kind {
	CLOCK_ASK,    /* whether nothing is under way */
	CLOCK_ANSWER, /* quiet, next_ns, inodes */
	CLOCK_JUMP,   /* by_ns */
	CLOCK_REFUSED,
	CLOCK_MOVED,
	CLOCK_BACK, /* the supervisor takes the jump back; nothing else knows of it yet */
	CLOCK_DONE,
	CLOCK_FAILED, /* text: why the clock can't be trusted; it does not jump any more */
	CLOCK_FINISH, /* to the clock process: end when no program is left */
};

/* Sockets in SYN-SENT that one answer has room for. */
enum { CLOCK_MAX_INODES = 1024, CLOCK_TEXT_SIZE = 200 };

struct clock_message {
	enum clock_message_kind kind;
	union {
		int64_t by_ns;
		struct {
			bool quiet;
			int64_t next_ns; /* the supervisor's next timer, by the client's clock */
			uint32_t n_inodes;
		};
		char text[CLOCK_TEXT_SIZE];
	};
	uint64_t inodes[CLOCK_MAX_INODES]; /* ANSWER; no more are sent than there are */
};

/** clock_message_send() - return 0 or a negative errno; -EPIPE when the other one is gone */
int clock_message_send(int fd, const struct clock_message *message);

/**
 * clock_message_receive() - read a message
 * @wait: for one to come
 *
 * Return: 1; 0 when there is none; a negative errno; -EPIPE when the other one is gone.
 */
int clock_message_receive(int fd, bool wait, struct clock_message *ret);

#endif
