/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations on sockets: see socket_lifetime.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_SOCKET_LIFETIME_H
#define SYNFAULT_RUNNER_JUDGE_SOCKET_LIFETIME_H

#include "runner/judge/judge_ctx.h"

void judge_connect_timeout(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_connecting(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_concurrent_attempts(struct judge_ctx *ctx, const struct expectation *expectation);
void judge_leaks(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
