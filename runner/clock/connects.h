/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attempts that the client has begun and that the kernel's own timeout may end: a jump does not
 * speed up the kernel's timers. Also the timeouts of sockets (SO_RCVTIMEO, SO_SNDTIMEO). Pure.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_CONNECTS_H
#define SYNFAULT_RUNNER_CLOCK_CONNECTS_H

#include <sys/types.h>

#include "common/util.h"

struct connecting {
	uint64_t inode; /* of the socket */
	pid_t process;
	int fd;
	bool blocks;          /* in connect(2): the clock process ends it, not the kernel */
	int64_t began_ns;     /* by the client's clock */
	int64_t began_own_ns; /* by the kernel's clock */
	bool hurried;         /* the kernel will end it when it would next retransmit the SYN */
	int64_t ends_own_ns;  /* then: when that is, by the kernel's clock */
};

/* The timeouts of one socket; 0: none. */
struct socket_times {
	uint64_t inode;
	int64_t receive_ns, send_ns;
};

struct connects {
	struct connecting *items;
	size_t n_items, capacity;
	struct socket_times *times;
	size_t n_times, times_capacity;
};

/** connects_add() - note an attempt, copied; it replaces an earlier one of the same socket */
void connects_add(struct connects *self, const struct connecting *connecting);
/**
 * connects_keep() - forget the attempts that have ended
 * @inodes: the sockets in SYN-SENT
 * @n_inodes: length of @inodes
 */
void connects_keep(struct connects *self, const uint64_t *inodes, size_t n_inodes);
/**
 * connects_next() - return the oldest attempt that the kernel has to end
 *
 * Return: the attempt, valid until the next change of @self; NULL if there is none.
 */
struct connecting *connects_next(const struct connects *self);

/** connects_times() - return a socket's timeouts, valid until the next change; NULL: never set */
const struct socket_times *connects_times(const struct connects *self, uint64_t inode);
/**
 * connects_set_times() - note a socket's timeouts
 * @inode: of the socket
 * @receive_ns: 0: none; negative: leave it as it is
 * @send_ns: likewise
 */
void connects_set_times(struct connects *self, uint64_t inode, int64_t receive_ns, int64_t send_ns);

#endif
