/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes outages of one address after the other: see rolling.h. */
#include "runner/scenario/rolling.h"

static bool fail(struct loader *loader, const struct place *place, const char *message,
		 const char *hint)
{
	diag_add(loader->diags, place, "%s", message);
	loader_hint(loader, "%s", hint);
	return false;
}

static bool fail_single(struct loader *loader, const struct place *place)
{
	return fail(
		loader, place, "\"each\" needs several addresses",
		"leave \"each\" out; or give the endpoint more: addresses: [ipv4, ipv4]; or give "
		"several endpoints the same time: restart 2s each at 1s");
}

/* Returns whether an outage "each" can be one of the endpoint's addresses after the other. */
static bool check(struct loader *loader, const struct endpoint_spec *endpoint,
		  const struct step *step, const struct place *place)
{
	const struct time_window *window = &step->when.window;

	if (endpoint->script.list_names)
		return fail(loader, place,
			    "\"each\" goes through all addresses, but here they have "
			    "faults of their own",
			    "give each address its time: {ipv4: [restart 2s at 1s], ipv4.2: "
			    "[restart 2s at 3s]}");
	if (endpoint->remote)
		return fail(loader, place,
			    "\"each\" can't go through the addresses of a remote endpoint: "
			    "they are known only when the scenario starts",
			    "leave \"each\" out");
	if (step->when.family)
		return fail(loader, place,
			    "\"each\" goes through all addresses, not those of one family",
			    "leave \"family\" or \"each\" out");
	if (window->from == TIME_FROM_COMMAND && window->from_ns > 0)
		return fail(loader, place,
			    "an outage by command begins at once, and each time anew",
			    "for example \"restart 5s each from command\"");
	if (window->from == TIME_FROM_FIRST_ATTEMPT && endpoint->n_families < 2)
		return fail_single(loader, place);
	return true;
}

/* Returns the outages that begin at the same time; NULL: none yet. */
static struct rolling_turn *find_turn(struct rolling *rolling, const struct time_window *window)
{
	for (size_t i = 0; i < rolling->n_turns; i++)
		if (rolling->turns[i].from == window->from &&
		    rolling->turns[i].from_ns == window->from_ns &&
		    rolling->turns[i].every_ns == window->every_ns)
			return &rolling->turns[i];
	return NULL;
}

/* Notes that the addresses of the endpoint take turns with others that say the same time. */
static void note_turn(struct rolling *rolling, const struct endpoint_spec *endpoint,
		      const struct step *step, const struct place *place)
{
	const struct time_window *window = &step->when.window;
	struct rolling_turn *turn = find_turn(rolling, window);

	if (window->from == TIME_FROM_FIRST_ATTEMPT)
		return;
	if (!turn) {
		array_append(rolling->turns, rolling->n_turns, rolling->capacity,
			     (struct rolling_turn){.from = window->from,
						   .from_ns = window->from_ns,
						   .every_ns = window->every_ns,
						   .place = *place});
		turn = &rolling->turns[rolling->n_turns - 1];
	}
	if (turn->last_endpoint != rolling->n_endpoints)
		turn->n_addresses += MAX(endpoint->n_families, (size_t)1);
	turn->last_endpoint = rolling->n_endpoints;
}

/*
 * Finds when the outage of the endpoint's first address begins, after the time of its step.
 *
 * Return: false after adding an error.
 */
static bool take_turn(struct rolling *rolling, struct loader *loader,
		      const struct endpoint_spec *endpoint, const struct step *step,
		      const struct place *place, int64_t *ret_begin_ns)
{
	const struct time_window *window = &step->when.window;
	int64_t lasts_ns = (int64_t)endpoint->n_families * (window->to_ns - window->from_ns);
	bool fits;

	*ret_begin_ns = 0;
	if (window->from == TIME_FROM_START) {
		struct rolling_turn *turn = find_turn(rolling, window);

		*ret_begin_ns = turn->begin_ns;
		turn->end_ns = MAX(turn->end_ns, turn->begin_ns + lasts_ns);
	}
	fits = !window->every_ns || *ret_begin_ns + lasts_ns <= window->every_ns;
	return fits ||
	       fail(loader, place, "the outages of all addresses must be within their period",
		    "give it a longer period after \"every\", or a shorter outage");
}

/* Returns the name of an address's list, owned by the caller: "ipv6.2". */
static char *name_list(const struct endpoint_spec *endpoint, size_t at)
{
	const char *name = family_name(endpoint->families[at]);
	size_t n_before = 0;

	for (size_t i = 0; i < at; i++)
		n_before += endpoint->families[i] == endpoint->families[at];
	return n_before ? xasprintf("%s.%zu", name, n_before + 1) : xstrdup(name);
}

/* Gives each address the whole script. @begin_ns: by step; see take_turn() */
static void spread(struct endpoint_spec *endpoint, const int64_t *begin_ns)
{
	struct script *script = &endpoint->script;
	const size_t n_steps = script->n_steps, n_lists = endpoint->n_families;

	endpoint->step_places =
		xrealloc(endpoint->step_places, n_steps * n_lists * sizeof(*endpoint->step_places));
	if (n_lists > 1)
		script->list_names = xzalloc((n_lists + 1) * sizeof(*script->list_names));
	for (uint32_t list = 0; list < n_lists; list++) {
		if (n_lists > 1)
			script->list_names[list] = name_list(endpoint, list);
		endpoint->lists[list] = list;
		for (size_t i = 0; i < n_steps; i++) {
			struct step step = script->steps[i];
			int64_t lasts_ns = step.when.window.to_ns - step.when.window.from_ns;

			step.list = list;
			if (step.each) {
				/* the first list's is not shifted yet, and then copied */
				int64_t later_ns = list > 0 ? list * lasts_ns : begin_ns[i];

				step.when.window.from_ns += later_ns;
				step.when.window.to_ns += later_ns;
			}
			if (list == 0) {
				script->steps[i] = step;
				continue;
			}
			endpoint->step_places[script->n_steps] = endpoint->step_places[i];
			script_append(script, &step);
		}
	}
	for (size_t i = 0; i < script->n_steps; i++)
		script->steps[i].each = script->steps[i].when.window.from == TIME_FROM_COMMAND &&
					script->steps[i].each;
}

void rolling_spread(struct rolling *rolling, struct loader *loader, struct endpoint_spec *endpoint)
{
	const struct script *script = &endpoint->script;
	AUTO_FREE int64_t *begin_ns = xzalloc((script->n_steps + 1) * sizeof(*begin_ns));
	bool any = false, good = true;

	rolling->n_endpoints++;
	for (size_t i = 0; i < rolling->n_turns; i++)
		rolling->turns[i].begin_ns = rolling->turns[i].end_ns;
	for (size_t i = 0; i < script->n_steps; i++) {
		const struct place *place = &endpoint->step_places[i];
		const struct step *step = &script->steps[i];

		if (!step->each)
			continue;
		any = true;
		note_turn(rolling, endpoint, step, place);
		good = check(loader, endpoint, step, place) &&
		       take_turn(rolling, loader, endpoint, step, place, &begin_ns[i]) && good;
	}
	if (any && good)
		spread(endpoint, begin_ns);
}

void rolling_finish(struct rolling *rolling, struct loader *loader)
{
	for (size_t i = 0; i < rolling->n_turns; i++)
		if (rolling->turns[i].n_addresses < 2)
			fail_single(loader, &rolling->turns[i].place);
	free(rolling->turns);
	*rolling = (struct rolling){0};
}
