/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on connections: see connections.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_CONNECTIONS_H
#define SYNFAULT_RUNNER_JUDGE_CONNECTIONS_H

#include "runner/judge/judge_ctx.h"

void judge_connected(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_bytes(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_ended(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_read_timeout(struct judge_ctx *ctx, const struct expectation *expectation);
/* How an attempt ended, as its client saw it. */
enum connection_end connection_end_of(const struct attempt_history *attempt);

#endif
