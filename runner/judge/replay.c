/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Works out which step should have served each attempt of a record. It uses the same code as the
 * injector (injector/step_select.h).
 */
#include "runner/judge/replay.h"

void replay_init(struct replay *replay, const struct judge_ctx *ctx)
{
	const struct scenario *scenario = ctx->scenario;

	replay->ctx = ctx;
	replay->next_event = 0;
	replay->endpoints = xzalloc((scenario->n_endpoints + 1) * sizeof(*replay->endpoints));
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_parts *parts = &ctx->parts->endpoints[i];

		replay->endpoints[i] = xzalloc(parts->n_items * sizeof(**replay->endpoints));
		for (size_t k = 0; k < parts->n_items; k++)
			step_select_init(&replay->endpoints[i][k], &parts->items[k].script,
					 (uint32_t)i, ctx->record->seed);
	}
}

void replay_deinit(struct replay *replay)
{
	for (size_t i = 0; i < replay->ctx->scenario->n_endpoints; i++) {
		for (size_t k = 0; k < replay->ctx->parts->endpoints[i].n_items; k++)
			step_select_deinit(&replay->endpoints[i][k]);
		free(replay->endpoints[i]);
	}
	free(replay->endpoints);
	replay->endpoints = NULL;
}

/* Returns the list of steps for an attempt's address; UINT32_MAX: the endpoint has none such. */
static uint32_t list_of(const struct judge_ctx *ctx, uint32_t id)
{
	const struct record_attempt *attempt = &ctx->record->attempts[id];
	const struct record_endpoint *endpoint = &ctx->record->endpoints[attempt->endpoint];
	const struct endpoint_spec *spec = &ctx->scenario->endpoints[attempt->endpoint];

	if (script_n_lists(&spec->script) == 1)
		return 0;
	for (size_t i = 0; i < endpoint->n_addresses && i < spec->n_families; i++)
		if (address_equal(&endpoint->addresses[i], &attempt->server))
			return spec->lists[i];
	return UINT32_MAX;
}

/* Carries out the commands that came before an attempt. */
static void command(struct replay *replay, int64_t until_ns)
{
	const struct record *record = replay->ctx->record;

	for (; replay->next_event < record->n_events; replay->next_event++) {
		const struct event *event = &record->events[replay->next_event];

		if (event->at_ns > until_ns)
			return;
		if (event->kind == EVENT_OUTAGE &&
		    event->u.outage.endpoint < replay->ctx->scenario->n_endpoints)
			/* only a scenario's own script has outages by command */
			step_select_command(&replay->endpoints[event->u.outage.endpoint][0],
					    event->at_ns, event->u.outage.lasts_ns);
	}
}

bool replay_next(struct replay *replay, uint32_t id, struct step_select_choice *ret)
{
	const struct judge_ctx *ctx = replay->ctx;
	const struct record_attempt *attempt = &ctx->record->attempts[id];
	const struct endpoint_parts *parts = &ctx->parts->endpoints[attempt->endpoint];
	const size_t part = script_parts_find(parts, attempt->number);
	const int64_t started_ns = ctx->history.attempts[id].started_ns;
	struct step_select *steps = replay->endpoints[attempt->endpoint];
	uint32_t list = list_of(ctx, id);

	if (list == UINT32_MAX)
		return false;
	command(replay, started_ns);
	/* as in the tracker */
	step_select_note(&steps[script_parts_in_force(parts, attempt->number)], started_ns);
	/* Only the first part can have several lists. */
	*ret = step_select_next(&steps[part], part > 0 ? 0 : list, attempt->client.family,
				started_ns);
	ret->step += (uint32_t)parts->items[part].first_step;
	return true;
}
