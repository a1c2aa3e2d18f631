/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which scenarios can't run in virtual time: see obstacle.h. The kernel's own timers can't be
 * moved, except the one that gives up an unanswered connect(). A scenario that depends on any other
 * of them needs real time.
 */
#include "runner/clock/obstacle.h"

#include "runner/clock/virtual_clock.h"

/*
 * How long the kernel keeps a connection on which nothing gets through, at least:
 * net.ipv4.tcp_retries2 of 15 is 924 s (Documentation/networking/ip-sysctl.rst).
 */
#define STALLED_NS (900 * NS_PER_S)

/* Settings that affect only when an unanswered connect() ends. That time is computed. */
static bool is_computed(const char *path)
{
	static const char *const paths[] = {
		"net/ipv4/tcp_syn_retries",
		"net/ipv4/tcp_syn_linear_timeouts",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcmp(path, paths[i]) == 0)
			return true;
	return false;
}

static bool needs_retransmissions(const struct step *step)
{
	return step->action == STEP_LOSE || step->action == STEP_LOSE_SYN_ACK ||
	       step->action == STEP_BACKLOG_FULL;
}

static bool stalls(const struct step *step)
{
	return step->action == STEP_HALF_OPEN || step_break(step) == STEP_STALL ||
	       step_break(step) == STEP_CLOSE || step->ending == STEP_ENDS_STALL ||
	       step->ending == STEP_ENDS_CLOSE;
}

static char *step_obstacle(const struct scenario *scenario, const struct step *step)
{
	if (step->for_ns > 0)
		return xstrdup("after a stall that heals a connection goes on by the kernel's "
			       "retransmissions, which follow real time");
	if (step->ending == STEP_ENDS_PAUSE)
		return xstrdup("after a pause connections go on by the kernel's retransmissions, "
			       "which follow real time");
	if (step_loses_packets(step))
		return xstrdup("lost packets come again by the kernel's retransmissions, which "
			       "follow real time");
	if (step_break(step) == STEP_STALL && step->way != STALL_BOTH_WAYS)
		return xstrdup("under a stall of one direction the kernel's retransmissions, which "
			       "follow real time, get through in the other");
	if (needs_retransmissions(step))
		return xasprintf(
			"the step '%s' depends on the kernel's retransmissions, which follow "
			"real time",
			step_action_name(step->action));
	if (stalls(step) && scenario->timeout_ns > STALLED_NS)
		return xasprintf(
			"under the step '%s' the kernel itself may end the connection after "
			"15 minutes of real time, which the scenario's timeout exceeds",
			step->ending                     ? "down … ending"
			: step->action == STEP_HALF_OPEN ? step_action_name(step->action)
							 : step_action_name(step_break(step)));
	return NULL;
}

static char *endpoints_obstacle(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct script *script = &scenario->endpoints[i].script;

		for (size_t k = 0; k < script->n_steps; k++) {
			char *obstacle = step_obstacle(scenario, &script->steps[k]);

			if (obstacle)
				return obstacle;
		}
	}
	return NULL;
}

char *clock_obstacle(const struct scenario *scenario)
{
	if (virtual_clock_obstacle())
		return xstrdup(virtual_clock_obstacle());
	if (scenario_has_remote(scenario))
		return xstrdup("a remote endpoint has a clock of its own");
	for (size_t i = 0; i < scenario->n_kernel; i++)
		if (!is_computed(scenario->kernel[i].path))
			return xasprintf("the kernel setting %s may change the kernel's timers, "
					 "which follow real time",
					 scenario->kernel[i].path);
	return endpoints_obstacle(scenario);
}
