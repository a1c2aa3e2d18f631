/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets of a cell's endpoints, captured while its scenario runs (--capture). */
#ifndef SYNFAULT_RUNNER_CELL_PACKETS_H
#define SYNFAULT_RUNNER_CELL_PACKETS_H

#include "runner/cell/cell.h"

struct event_base;
struct packets;

/*
 * Begins to capture, on the loop @base; @fd, which is borrowed, gets the packets, at most @limit
 * bytes of them, or the reason why there are none (runner/trace/spool.h). Never fails.
 */
struct packets *packets_begin(const struct cell *cell, struct event_base *base, int fd,
			      uint64_t limit);
/* All that has been sent by now is in the file when it returns. NULL is allowed. */
void packets_end(struct packets *packets);

#endif
