/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets of a sandbox's endpoints, captured while its scenario runs (--capture). */
#ifndef SYNFAULT_RUNNER_SANDBOX_PACKET_CAPTURE_H
#define SYNFAULT_RUNNER_SANDBOX_PACKET_CAPTURE_H

#include "runner/sandbox/sandbox.h"

struct event_base;
struct packet_capture;

/*
 * Begins to capture, on the loop @base; @fd, which is borrowed, gets the packets, at most @limit
 * bytes of them, or the reason why there are none (runner/record/spool.h). Never fails.
 */
struct packet_capture *packet_capture_begin(const struct sandbox *sandbox, struct event_base *base,
					    int fd, uint64_t limit);
/* All that has been sent by now is in the file when it returns. NULL is allowed. */
void packet_capture_end(struct packet_capture *packets);

#endif
