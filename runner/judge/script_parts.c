/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of scripts that were changed: see script_parts.h. */
#include "runner/judge/script_parts.h"

#include <inttypes.h>

#include "runner/scenario/inline_scenario.h"

/* Returns the delay of a held attempt, or 0 if it never came. */
static int64_t delay_of(const struct record *record, const struct record_change *change)
{
	for (size_t i = 0; i < record->n_attempts; i++)
		if (record->attempts[i].endpoint == change->endpoint &&
		    record->attempts[i].number == change->attempt)
			return record->attempts[i].delay_ns;
	return 0;
}

/* Makes the step of a held attempt. Returns an error, owned by the caller, or NULL. */
static char *make_hold(const struct record *record, const struct record_change *change,
		       struct script *ret)
{
	const struct step accept = {.action = STEP_ACCEPT};
	struct step step = {0};
	struct script verdict;
	char *message;

	if (!change->steps) {
		step_hold(&step, &accept, change->limit_ns);
	} else {
		if (inline_script_load(change->steps, &verdict, &message) < 0)
			return message;
		step_hold(&step, &verdict.steps[0], delay_of(record, change));
		script_free(&verdict);
	}
	script_append(ret, &step);
	return NULL;
}

/* Makes the steps that a change has added. Returns an error, owned by the caller, or NULL. */
static char *make_script(const struct record *record, const struct record_change *change,
			 struct script *ret)
{
	char *message = NULL;

	if (change->limit_ns > 0)
		return make_hold(record, change, ret);
	if (!change->steps)
		return xstrdup("steps are missing");
	return inline_script_load(change->steps, ret, &message) < 0 ? message : NULL;
}

/* Adds a part's steps to those of the endpoint, with places. */
static void add_steps(struct endpoint_spec *spec, const struct script *added)
{
	size_t n = spec->script.n_steps + added->n_steps;

	spec->step_places = xrealloc(spec->step_places, n * sizeof(*spec->step_places));
	for (size_t i = 0; i < added->n_steps; i++) {
		spec->step_places[spec->script.n_steps] = spec->place;
		script_append(&spec->script, &added->steps[i]);
	}
}

/* Gives an endpoint a script of its own, to which steps can be added. */
static void copy_script(struct endpoint_spec *spec)
{
	const struct script *own = &spec->script;
	struct script copy = {.list_names = own->list_names};
	struct place *places = xzalloc((own->n_steps + 1) * sizeof(*places));

	for (size_t i = 0; i < own->n_steps; i++) {
		places[i] = spec->step_places ? spec->step_places[i] : spec->place;
		script_append(&copy, &own->steps[i]);
	}
	spec->script = copy;
	spec->step_places = places;
}

static char *add_change(struct script_parts *parts, const struct record *record,
			const struct record_change *change)
{
	struct endpoint_spec *spec = &parts->scenario.endpoints[change->endpoint];
	struct endpoint_parts *own = &parts->endpoints[change->endpoint];
	struct script_part part = {
		.first_step = spec->script.n_steps,
		.attempt = change->attempt,
		.held = change->limit_ns > 0,
		.released = change->limit_ns > 0 && change->steps,
		.limit_ns = change->limit_ns,
	};
	struct script added = {0};
	AUTO_FREE char *message = make_script(record, change, &added);

	if (message)
		return xasprintf("the record's faults can't be read: %s", message);
	part.script.n_steps = added.n_steps;
	add_steps(spec, &added);
	script_free(&added);
	array_append(own->items, own->n_items, own->capacity, part);
	return NULL;
}

char *script_parts_make(const struct scenario *scenario, const struct record *record,
			struct script_parts *ret)
{
	const size_t n = scenario->n_endpoints;
	char *message = NULL;

	ret->scenario = *scenario;
	ret->endpoints = xzalloc((n + 1) * sizeof(*ret->endpoints));
	ret->scenario.endpoints = xzalloc((n + 1) * sizeof(*ret->scenario.endpoints));
	for (size_t i = 0; i < n; i++) {
		struct endpoint_spec *spec = &ret->scenario.endpoints[i];

		*spec = scenario->endpoints[i];
		copy_script(spec);
		array_append(ret->endpoints[i].items, ret->endpoints[i].n_items,
			     ret->endpoints[i].capacity,
			     (struct script_part){.attempt = 1,
						  .script.n_steps = spec->script.n_steps,
						  .script.list_names = spec->script.list_names});
	}
	for (size_t i = 0; !message && i < record->n_changes; i++)
		if (record->changes[i].endpoint < n)
			message = add_change(ret, record, &record->changes[i]);
	/* Now the steps don't move any more. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ret->endpoints[i].n_items; k++) {
			struct script_part *part = &ret->endpoints[i].items[k];

			part->script.steps =
				&ret->scenario.endpoints[i].script.steps[part->first_step];
		}
	return message;
}

void script_parts_free(struct script_parts *parts)
{
	for (size_t i = 0; i < parts->scenario.n_endpoints; i++) {
		free(parts->scenario.endpoints[i].script.steps);
		free(parts->scenario.endpoints[i].step_places);
		free(parts->endpoints[i].items);
	}
	free(parts->scenario.endpoints);
	free(parts->endpoints);
}

size_t script_parts_find(const struct endpoint_parts *parts, uint32_t attempt)
{
	size_t found = 0;

	for (size_t i = 1; i < parts->n_items; i++) {
		const struct script_part *part = &parts->items[i];

		if (part->held ? part->attempt == attempt : part->attempt <= attempt)
			found = i;
		if (part->held && part->attempt == attempt)
			break;
	}
	return found;
}

size_t script_parts_in_force(const struct endpoint_parts *parts, uint32_t attempt)
{
	size_t found = 0;

	for (size_t i = 1; i < parts->n_items; i++)
		if (!parts->items[i].held && parts->items[i].attempt <= attempt)
			found = i;
	return found;
}

bool script_parts_holds(const struct endpoint_parts *parts, uint32_t attempt)
{
	return parts->items[script_parts_find(parts, attempt)].held;
}
