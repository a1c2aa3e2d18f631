/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a step does: see step.h. */
#include "injector/step.h"

const char *const step_action_names[] = {
	[STEP_ACCEPT] = "accept",
	[STEP_REFUSE] = "refuse",
	[STEP_DROP] = "drop",
	[STEP_LOSE] = "lose",
	[STEP_DELAY] = "delay",
	[STEP_UNREACHABLE] = "unreachable",
	[STEP_LOSE_SYN_ACK] = "lose-synack",
	[STEP_HALF_OPEN] = "half-open",
	[STEP_BACKLOG_FULL] = "backlog-full",
	[STEP_RESET] = "reset",
	[STEP_STALL] = "stall",
	[STEP_CLOSE] = "close",
	[STEP_SLOW] = "slow",
	[STEP_PACKET_LOSS] = "packet-loss",
	[STEP_LATENCY] = "latency",
	[STEP_PAUSE] = "pause",
	[STEP_N_ACTIONS] = NULL,
};
_Static_assert(ARRAY_SIZE(step_action_names) == STEP_N_ACTIONS + 1, "one name per action");

const char *step_action_name(enum step_action action)
{
	return step_action_names[action];
}

const char *step_ending_name(enum step_ending ending)
{
	static const char *const names[] = {
		[STEP_ENDS_NONE] = "",       [STEP_ENDS_RESET] = "reset",
		[STEP_ENDS_CLOSE] = "close", [STEP_ENDS_STALL] = "stall",
		[STEP_ENDS_PAUSE] = "pause",
	};
	_Static_assert(ARRAY_SIZE(names) == STEP_N_ENDINGS, "one name per ending");

	return names[ending];
}

bool step_action_breaks(enum step_action action)
{
	return action == STEP_RESET || action == STEP_STALL || action == STEP_CLOSE;
}

bool step_connects(const struct step *step)
{
	switch (step->action) {
	case STEP_REFUSE:
	case STEP_DROP:
	case STEP_UNREACHABLE:
		return false;
	case STEP_DELAY:
		return !step->then_refuse && !step->then_unreachable;
	case STEP_BACKLOG_FULL:
		return step->abort;
	default:
		return true;
	}
}

enum step_action step_break(const struct step *step)
{
	return step_action_breaks(step->action) ? step->action
	       : step_action_breaks(step->then) ? step->then
						: STEP_ACCEPT;
}

bool step_slows(const struct step *step)
{
	return step->action == STEP_SLOW || step->then == STEP_SLOW;
}

bool step_loses_packets(const struct step *step)
{
	return step->action == STEP_PACKET_LOSS || step->then == STEP_PACKET_LOSS;
}

bool step_is_late(const struct step *step)
{
	return step->action == STEP_LATENCY || step->then == STEP_LATENCY;
}

bool step_is_verdict(const struct step *step)
{
	return !step->when.given && !step->repeat_explicit &&
	       (step->action == STEP_ACCEPT || step->action == STEP_REFUSE ||
		step->action == STEP_DROP || step->action == STEP_UNREACHABLE);
}

void step_hold(struct step *step, const struct step *verdict, int64_t held_ns)
{
	*step = (struct step){
		.action = verdict->action == STEP_DROP ? STEP_DROP : STEP_DELAY,
		.repeat = 1,
		.then_refuse = verdict->action == STEP_REFUSE,
		.then_unreachable = verdict->action == STEP_UNREACHABLE,
		.unreachable = verdict->unreachable,
	};
	if (step->action == STEP_DELAY)
		step->delay_min_ns = step->delay_max_ns = held_ns;
}
