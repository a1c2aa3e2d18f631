/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on what a client does when its connections end: see reconnection.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_RECONNECTION_H
#define SYNFAULT_RUNNER_JUDGE_RECONNECTION_H

#include "runner/judge/judge_ctx.h"

/** judge_reconnects() - judge "reconnects": new connections after one was ended, and how soon */
void judge_reconnects(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_stale() - judge "stale": how long the client holds on to a connection that was ended */
void judge_stale(struct judge_ctx *ctx, const struct expectation *expectation);
/** judge_concurrent_connections() - judge "concurrent-connections": how many there are at once */
void judge_concurrent_connections(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
