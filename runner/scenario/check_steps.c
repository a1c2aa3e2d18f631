/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds fault steps that can't happen at their endpoint, so that they are errors before a run. */
#include "runner/scenario/check_steps.h"

#include <sys/socket.h>

#include "common/duration.h"

/* Returns which of the step's actions needs a connection; STEP_ACCEPT: none. */
static enum step_action for_connection(const struct step *step)
{
	switch (step->action) {
	case STEP_LOSE_SYN_ACK:
	case STEP_HALF_OPEN:
		return step->action;
	case STEP_BACKLOG_FULL:
		return step->abort ? STEP_BACKLOG_FULL : STEP_ACCEPT;
	default:
		return step_slows(step)           ? STEP_SLOW
		       : step_loses_packets(step) ? STEP_PACKET_LOSS
		       : step_is_late(step)       ? STEP_LATENCY
						  : step_break(step);
	}
}

static bool says_protocol(const struct step *step)
{
	return step->unreachable == UNREACHABLE_PROTOCOL &&
	       (step->action == STEP_UNREACHABLE || step->then_unreachable);
}

/* Finds a stall that ends only after the scenario. */
static void check_healing(struct loader *loader, const struct step *step, const struct place *place)
{
	int64_t begins_ns = step->after == AFTER_TIME ? step->after_ns : 0;
	char timeout[DURATION_TEXT_SIZE], lasts[DURATION_TEXT_SIZE];

	if (step->for_ns == 0 || begins_ns + step->for_ns < loader->scenario->timeout_ns)
		return;
	diag_add(loader->diags, place,
		 "this stall heals after the scenario's timeout of %s, so no client sees it heal",
		 duration_format_exact(loader->scenario->timeout_ns, timeout));
	loader_hint(loader, "give the scenario a longer timeout, or leave out \"for %s\"",
		    duration_format_exact(step->for_ns, lasts));
}

/* Finds a pause that ends only after the scenario. */
static void check_pause(struct loader *loader, const struct step *step, const struct place *place)
{
	char timeout[DURATION_TEXT_SIZE];

	if (step->action != STEP_PAUSE || step->when.window.from != TIME_FROM_START ||
	    step->when.window.to_ns < loader->scenario->timeout_ns)
		return;
	diag_add(loader->diags, place,
		 "this pause ends after the scenario's timeout of %s, so no client sees its end",
		 duration_format_exact(loader->scenario->timeout_ns, timeout));
	loader_hint(loader, "give the scenario a longer timeout");
}

/* Returns the outages that end connections, of all lists; there are few (MAX_CONDITIONAL). */
static const struct step **find_outages(const struct script *script, size_t *ret_n)
{
	const struct step **outages = NULL;
	size_t capacity = 0;

	*ret_n = 0;
	for (size_t i = 0; i < script->n_steps; i++)
		if (script->steps[i].ending)
			array_append(outages, *ret_n, capacity, &script->steps[i]);
	return outages;
}

/* Returns why an outage can't end the connections of a step, or NULL. */
static const char *why_not_ended(const struct step *step, const struct step *outage,
				 const char **ret_hint)
{
	if (outage->ending == STEP_ENDS_PAUSE) {
		*ret_hint = "leave one of the two out, or give them to endpoints of their own";
		if (step->then_refuse || step->then_unreachable)
			return "a late answer could come in a pause, in which no packet gets "
			       "through";
		return step_break(step) == STEP_STALL || step->action == STEP_HALF_OPEN
			       ? "a connection that a step stalls can't be paused, too"
			       : NULL;
	}
	if (step_break(step) == STEP_STALL && step->way != STALL_BOTH_WAYS) {
		*ret_hint = "stall both directions, or leave out the outage's \"ending\"";
		return "an outage can't end a connection while one direction is stalled";
	}
	*ret_hint = "let the outage end connections with \"ending reset\"";
	if (step->for_ns > 0 && outage->ending == STEP_ENDS_STALL)
		return "a stall that heals can't be ended by an outage that stalls, too";
	/* The client would never get to a FIN behind data that it lacks. */
	if (step_loses_packets(step) && outage->ending == STEP_ENDS_CLOSE)
		return "an outage can't close a connection whose data gets lost";
	return NULL;
}

/* Finds a step with a connection that one of the outages of the same list can't end. */
static void check_outages(struct loader *loader, const struct endpoint_spec *endpoint, size_t index,
			  const struct step *const *outages, size_t n_outages)
{
	const struct step *step = &endpoint->script.steps[index];

	for (size_t i = 0; i < n_outages; i++) {
		const char *hint = NULL, *why = NULL;

		if (outages[i]->list == step->list)
			why = why_not_ended(step, outages[i], &hint);
		if (!why)
			continue;
		diag_add(loader->diags, &endpoint->step_places[index], "%s", why);
		loader_hint(loader, "%s", hint);
		return;
	}
}

void check_steps(struct loader *loader, const struct endpoint_spec *endpoint)
{
	size_t n_outages;
	AUTO_FREE const struct step **outages = find_outages(&endpoint->script, &n_outages);

	for (size_t i = 0; i < endpoint->script.n_steps; i++) {
		const struct step *step = &endpoint->script.steps[i];
		const struct place *place = &endpoint->step_places[i];

		check_healing(loader, step, place);
		check_pause(loader, step, place);
		check_outages(loader, endpoint, i, outages, n_outages);
		if (says_protocol(step) && step->when.family != AF_INET &&
		    endpoint_list_has_family(endpoint, step->list, FAMILY_IPV6)) {
			diag_add(loader->diags, place,
				 "IPv6 has no ICMP message for an unreachable protocol");
			loader_hint(loader, "use \"unreachable port\", or one of net, host and "
					    "admin; or leave it to IPv4: {when: {family: ipv4}, "
					    "do: unreachable protocol}");
		}
		if ((for_connection(step) != STEP_ACCEPT || step->ending) && !endpoint->remote &&
		    endpoint->serve == SERVE_NONE) {
			diag_add(loader->diags, place,
				 "\"%s\" needs a connection, but this endpoint has no server",
				 step->ending == STEP_ENDS_PAUSE ? "pause"
				 : step->ending                  ? "ending"
						: step_action_name(for_connection(step)));
			loader_hint(loader, "give it a server (serve: accept), or use \"refuse\"");
		}
	}
}
