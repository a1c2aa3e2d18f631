/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that the client has begun, which the kernel's own timeout may end: nothing hurries
 * its timers. Also the times that sockets wait for (SO_RCVTIMEO, SO_SNDTIMEO). Pure.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_CONNECTS_H
#define SYNFAULT_RUNNER_CLOCK_CONNECTS_H

#include <sys/types.h>

#include "common/util.h"

struct connecting {
	uint64_t inode; /* of the socket */
	pid_t process;
	int fd;
	bool blocks;          /* in connect(): the clock process ends it, and the kernel need not */
	int64_t began_ns;     /* by the client's clock */
	int64_t began_own_ns; /* by the kernel's */
	bool hurried;         /* the kernel was asked to end it at its next repetition */
};

/* What one socket waits for; 0: for ever. */
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

/** connects_add() - note an attempt; an earlier one with the same socket has ended */
void connects_add(struct connects *self, const struct connecting *connecting);
/** connects_keep() - keep those whose sockets are in SYN-SENT: @inodes */
void connects_keep(struct connects *self, const uint64_t *inodes, size_t n_inodes);
/** connects_next() - return the oldest that the kernel will have to end, or NULL */
struct connecting *connects_next(const struct connects *self);

/** connects_times() - return a socket's times, or NULL */
const struct socket_times *connects_times(const struct connects *self, uint64_t inode);
/** connects_set_times() - note how long a socket waits; negative: that is not set now */
void connects_set_times(struct connects *self, uint64_t inode, int64_t receive_ns, int64_t send_ns);
void connects_deinit(struct connects *self);

#endif
