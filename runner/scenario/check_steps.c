/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds fault steps that can't happen at their endpoint, so that they are errors before a run. */
#include "runner/scenario/check_steps.h"

#include <sys/socket.h>

static bool is_for_connection(const struct step *step)
{
	switch (step->action) {
	case STEP_LOSE_SYN_ACK:
	case STEP_HALF_OPEN:
	case STEP_RESET:
	case STEP_STALL:
	case STEP_CLOSE:
	case STEP_SLOW:
		return true;
	case STEP_BACKLOG_FULL:
		return step->abort;
	default:
		return false;
	}
}

static bool says_protocol(const struct step *step)
{
	return step->unreachable == UNREACHABLE_PROTOCOL &&
	       (step->action == STEP_UNREACHABLE || step->then_unreachable);
}

void check_steps(struct loader *loader, const struct endpoint_spec *endpoint)
{
	for (size_t i = 0; i < endpoint->script.n_steps; i++) {
		const struct step *step = &endpoint->script.steps[i];
		const struct place *place = &endpoint->step_places[i];

		if (says_protocol(step) && step->when.family != AF_INET &&
		    endpoint_list_has_family(endpoint, step->list, FAMILY_IPV6)) {
			diag_add(loader->diags, place,
				 "IPv6 has no ICMP message for an unreachable protocol");
			loader_hint(loader, "use \"unreachable port\", or one of net, host and "
					    "admin; or leave it to IPv4: {when: {family: ipv4}, "
					    "do: unreachable protocol}");
		}
		if ((is_for_connection(step) || step->ending) && !endpoint->remote &&
		    endpoint->serve == SERVE_NONE) {
			diag_add(loader->diags, place,
				 "\"%s\" needs a connection, but this endpoint has no server",
				 step->ending ? "ending" : step_action_name(step->action));
			loader_hint(loader, "give it a server (serve: accept), or use \"refuse\"");
		}
	}
}
