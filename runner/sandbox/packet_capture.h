/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets of a sandbox's endpoints, captured while its scenario runs (--capture). */
#ifndef SYNFAULT_RUNNER_SANDBOX_PACKET_CAPTURE_H
#define SYNFAULT_RUNNER_SANDBOX_PACKET_CAPTURE_H

#include "runner/sandbox/sandbox.h"

struct event_base;
struct packet_capture;

/**
 * packet_capture_begin() - begin to capture; never fails
 * @base: borrowed
 * @fd: borrowed; gets the packets, or the reason why there are none (runner/record/spool.h)
 * @limit: maximum of packet bytes written to @fd
 */
struct packet_capture *packet_capture_begin(const struct sandbox *sandbox, struct event_base *base,
					    int fd, uint64_t limit);
/** packet_capture_end() - write out all packets that have been sent, and end; NULL is allowed */
void packet_capture_end(struct packet_capture *packets);

#endif
