/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scripts' own account of a record: see replay.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_REPLAY_H
#define SYNFAULT_RUNNER_JUDGE_REPLAY_H

#include "injector/step_select.h"
#include "runner/judge/judge_ctx.h"

/*
 * Which steps should have served the attempts, from what the record says of them. All attempts are
 * to be gone through in their order.
 */
struct replay {
	const struct judge_ctx *ctx;
	struct step_select *endpoints; /* as many as the scenario has */
};
void replay_init(struct replay *replay, const struct judge_ctx *ctx);
/*
 * The next attempt, of an endpoint that is there. Returns false when its address is none of the
 * endpoint's, and when its SYN is not in the record.
 */
bool replay_next(struct replay *replay, uint32_t id, struct step_select_choice *ret);
void replay_deinit(struct replay *replay);
/* The list of the script that an attempt's address has, or UINT32_MAX. */
uint32_t replay_list(const struct judge_ctx *ctx, uint32_t id);

#endif
