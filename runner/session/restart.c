/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `restart` of both daemons: see restart.h. */
#include "runner/session/restart.h"

#include <errno.h>

/* Returns how long the turns of an endpoint last together; 0: it does not take turns. */
static int64_t turns_ns(const struct endpoint_spec *endpoint, int64_t for_ns)
{
	const struct script *script = &endpoint->script;
	int64_t ends_ns = 0;

	for (size_t i = 0; i < script->n_steps; i++) {
		const struct step *step = &script->steps[i];

		if (step->each && step->when.window.from == TIME_FROM_COMMAND)
			ends_ns = MAX(ends_ns,
				      time_window_commanded(&step->when.window, for_ns).to_ns);
	}
	return ends_ns;
}

void restart_outages(struct control_request *request, struct supervisor *supervisor,
		     const struct scenario *scenario, const struct restart_arguments *arguments,
		     json_t *(*status)(const void *self), const void *self)
{
	static const char remedy[] = "give it such a step: 'restart 5s from command, accept'";
	const char *endpoint = arguments->endpoint;
	const int64_t for_ns = arguments->for_ns;
	size_t n_ended = 0, n_found = 0;
	bool known = !endpoint, busy = false;
	int64_t turn_ns = 0;
	json_t *reply;

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const int64_t lasts_ns = turns_ns(&scenario->endpoints[i], for_ns);
		size_t n = 0;
		int r;

		if (endpoint && strcmp(endpoint, scenario->endpoints[i].name) != 0)
			continue;
		known = true;
		r = supervise_outage(supervisor, (uint32_t)i, for_ns, lasts_ns ? turn_ns : 0, &n);
		turn_ns = MIN(turn_ns + lasts_ns, COMMANDED_MAX_NS);
		n_found += r == 0;
		busy = busy || r == -EBUSY;
		n_ended += n;
	}
	if (!known)
		control_refuse(request, CONTROL_NOT_FOUND, NULL, "there is no endpoint \"%s\"",
			       endpoint);
	else if (busy)
		control_refuse(request, CONTROL_ENDED, NULL,
			       "the scenario is ending: its faults are not armed any more");
	else if (n_found == 0)
		control_refuse(request, CONTROL_NOT_FOUND, remedy,
			       "no step of %s waits for a command",
			       endpoint ? endpoint : "any endpoint");
	if (!known || busy || n_found == 0)
		return;
	reply = status(self);
	json_object_set_new(reply, "ended", json_integer((json_int_t)n_ended));
	control_reply(request, reply);
}
