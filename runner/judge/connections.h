/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on connections: see connections.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_CONNECTIONS_H
#define SYNFAULT_RUNNER_JUDGE_CONNECTIONS_H

#include "runner/judge/judge_ctx.h"

/** judge_connected() - judge "connected": how many attempts got a connection */
void judge_connected(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_bytes() - judge "bytes": how many were sent, or received, on all connections */
void judge_bytes(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_ended() - judge "ended": how each attempt ended, in their order */
void judge_ended(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_read_timeout() - judge "read-timeout": how long the client waited for data in vain */
void judge_read_timeout(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
