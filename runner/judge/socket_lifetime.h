/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on sockets: see socket_lifetime.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_SOCKET_LIFETIME_H
#define SYNFAULT_RUNNER_JUDGE_SOCKET_LIFETIME_H

#include "runner/judge/judge_ctx.h"

/**
 * attempt_let_go() - return when the client let go of an attempt's socket: it sent a FIN or RST, or
 * closed the socket
 */
struct when attempt_let_go(const struct attempt_history *attempt);
/** judge_connect_timeout() - judge "connect-timeout": how long the client waits for an answer */
void judge_connect_timeout(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_connecting() - judge "connecting": the time from the first SYN to the last end */
void judge_connecting(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_concurrent_attempts() - judge "concurrent-attempts": how many are open at once */
void judge_concurrent_attempts(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_leaks() - judge "leaks": how many sockets the client left open */
void judge_leaks(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
