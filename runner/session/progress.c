/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replies say about a scenario: see progress.h. */
#include "runner/session/progress.h"

#include <inttypes.h>

#include "common/duration.h"
#include "injector/step_text.h"
#include "runner/judge/script_parts.h"
#include "runner/record/json_fields.h"
#include "runner/report/run_json_fields.h"

json_t *progress_addresses(const struct record_endpoint *endpoint)
{
	json_t *array = json_array();
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < endpoint->n_addresses; i++)
		json_array_append_new(array,
				      json_string(address_format(&endpoint->addresses[i], text)));
	return array;
}

/* Returns the index of the step that the next of @n attempts gets. */
static size_t next_step(const struct endpoint_parts *parts, uint32_t n)
{
	const struct script_part *part = &parts->items[script_parts_find(parts, n + 1)];
	uint64_t number = 1;

	for (uint32_t i = part->attempt; i <= n; i++)
		number += !script_parts_holds(parts, i);
	return part->first_step + script_step_index(&part->script, number);
}

static json_t *endpoint_json(const struct script_parts *parts, const struct history *history,
			     size_t index)
{
	const struct record_endpoint *endpoint = &history->record->endpoints[index];
	json_t *object;
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n = history_of(history, index, &attempts), ends[END_N_KINDS] = {0};
	size_t step = next_step(&parts->endpoints[index], (uint32_t)n);
	AUTO_STRBUF struct strbuf next = {0};

	for (size_t i = 0; i < n; i++)
		ends[attempts[i]->end]++;
	step_format(&parts->scenario.endpoints[index].script.steps[step], &next);
	object = json_pack("{s:s, s:o, s:s, s:I}", "name", endpoint->name, "addresses",
			   progress_addresses(endpoint), "script", endpoint->script, "attempts",
			   (json_int_t)n);
	for (size_t i = 0; i < END_N_KINDS; i++)
		json_object_set_new(object, attempt_end_name((enum attempt_end)i),
				    json_integer((json_int_t)ends[i]));
	json_object_update_new(object, json_pack("{s:I, s:s}", "next_step", (json_int_t)step + 1,
						 "next", strbuf_text(&next)));
	return object;
}

void progress_add_status(json_t *reply, const struct scenario *scenario,
			 const struct record *record, int64_t armed_ns)
{
	struct history history = {0};
	CLEANUP(script_parts_free) struct script_parts parts = {0};
	json_t *endpoints = json_array(), *problems = json_array();

	if (record) {
		history = history_make(record);
		/* What the record says of changes was read before. */
		free(script_parts_make(scenario, record, &parts));
	}
	for (size_t i = 0; record && i < record->n_endpoints; i++)
		json_array_append_new(endpoints, endpoint_json(&parts, &history, i));
	for (size_t i = 0; record && i < record->n_problems; i++)
		json_array_append_new(problems, json_string(record->problems[i].message));
	history_free(&history);
	json_object_update_new(reply, json_pack("{s:I, s:o, s:o}", "elapsed_ns",
						clock_monotonic_ns() - armed_ns, "endpoints",
						endpoints, "problems", problems));
}

/* Makes an object of members without braces, which are our own. */
static json_t *object_of(const struct strbuf *members)
{
	AUTO_FREE char *text = xasprintf("{%s}", strbuf_text(members));

	return ALLOCATED(json_loads(text, 0, NULL));
}

json_t *progress_event(const struct record *record, const struct event *event, size_t sequence)
{
	AUTO_STRBUF struct strbuf members = {0};
	const struct record_attempt *attempt;
	const json_t *endpoint;
	json_t *object;

	record_write_event(event, &members);
	object = object_of(&members);
	json_object_set_new(object, "seq", json_integer((json_int_t)sequence));
	/* In a record it is an index. */
	endpoint = json_object_get(object, "endpoint");
	if (json_is_integer(endpoint))
		json_object_set_new(
			object, "endpoint",
			json_string(record->endpoints[json_integer_value(endpoint)].name));
	if (event->kind > EVENT_CLOSED || event->u.net.attempt >= record->n_attempts)
		return object;
	attempt = &record->attempts[event->u.net.attempt];
	json_object_update_new(object, json_pack("{s:s, s:I, s:I}", "endpoint",
						 record->endpoints[attempt->endpoint].name,
						 "number", (json_int_t)attempt->number, "step",
						 (json_int_t)attempt->step + 1));
	return object;
}

json_t *progress_judgement(const struct judgement *judgement)
{
	AUTO_STRBUF struct strbuf members = {0};

	json_fields_write(&run_json_judgement_type, judgement, &members);
	return object_of(&members);
}
