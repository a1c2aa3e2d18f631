/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which steps the scripts assign to a record's attempts: see replay.c. */
#ifndef SYNFAULT_RUNNER_JUDGE_REPLAY_H
#define SYNFAULT_RUNNER_JUDGE_REPLAY_H

#include "injector/step_select.h"
#include "runner/judge/judge_ctx.h"

/*
 * Works out from the record which step should have served each attempt. Call replay_next() for all
 * attempts in their order.
 */
struct replay {
	const struct judge_ctx *ctx;
	struct step_select **endpoints; /* by endpoint of the scenario: one per part */
	size_t next_event;              /* of the record, to look at for commands */
};
void replay_init(struct replay *replay, const struct judge_ctx *ctx);

/**
 * replay_next() - choose the step for the next attempt
 * @id: of the attempt; its endpoint exists
 *
 * Return: false if it was made to an address that its endpoint does not have.
 */
bool replay_next(struct replay *replay, uint32_t id, struct step_select_choice *ret);
void replay_deinit(struct replay *replay);

#endif
