/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `synfault inject` prints as it happens: see event_log.h. */
#include "runner/inject/event_log.h"

#include <inttypes.h>
#include <jansson.h>

#include "injector/step_text.h"
#include "runner/report/attempt_view.h"
#include "runner/report/event_line.h"
#include "runner/session/attached_judge.h"
#include "runner/session/progress.h"

/* Ignores write errors here: the program notices them at its end. */
static void emit(const struct event_log *events, const struct strbuf *text)
{
	fwrite(strbuf_text(text), 1, text->length, events->out);
	fflush(events->out);
}

/* Writes the object and frees it. */
static void emit_json(const struct event_log *events, json_t *object)
{
	char *text = ALLOCATED(json_dumps(object, JSON_COMPACT));

	fprintf(events->out, "%s\n", text);
	fflush(events->out);
	free(text);
	json_decref(object);
}

/* Makes a JSON string. Text that is not UTF-8 (only a path can be) is escaped as for a terminal. */
static json_t *json_text(const char *text)
{
	AUTO_STRBUF struct strbuf safe = {0};

	report_line(&safe, text);
	return json_string(strbuf_text(&safe));
}

static void armed_json(const struct event_log *events, const struct scenario *scenario,
		       const struct record *record, const char *control, const char *not_judged)
{
	json_t *endpoints = json_object();

	for (size_t i = 0; i < record->n_endpoints; i++)
		json_object_set_new(endpoints, record->endpoints[i].name,
				    progress_addresses(&record->endpoints[i]));
	emit_json(events, json_pack("{s:s, s:o, s:o, s:o, s:o, s:s*}", "event", "armed", "scenario",
				    json_text(scenario->name), "path", json_text(scenario->path),
				    "endpoints", endpoints, "control", json_text(control),
				    "not_judged", not_judged));
}

void event_log_armed(const struct event_log *events, const struct scenario *scenario,
		     const struct record *record, const char *control, bool whole)
{
	bool judged;
	AUTO_FREE char *not_judged = attached_judge_leaves_out(scenario, &judged);
	AUTO_STRBUF struct strbuf line = {0};
	char text[ADDRESS_TEXT_SIZE];

	if (events->json) {
		armed_json(events, scenario, record, control, not_judged);
		return;
	}
	strbuf_puts(&line, "armed: ");
	report_line(&line, scenario->name);
	for (size_t i = 0; i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		strbuf_printf(&line, "%s %s", i ? ";" : ":", endpoint->name);
		for (size_t k = 0; k < endpoint->n_addresses; k++)
			strbuf_printf(&line, "%s %s", k ? "," : "",
				      address_format(&endpoint->addresses[k], text));
	}
	strbuf_puts(&line, "; commands at ");
	report_line(&line, control);
	strbuf_putc(&line, '\n');
	if (whole && not_judged)
		strbuf_printf(&line, "not judged, since synfault did not start the client: %s\n",
			      not_judged);
	emit(events, &line);
}

static void event_json(const struct event_log *events, const struct record *record,
		       const struct event *event)
{
	AUTO_STRBUF struct strbuf line = {0};
	char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];

	strbuf_putc(&line, '{');
	record_write_event(event, &line);
	if (event->kind <= EVENT_CLOSED && event->u.net.attempt < record->n_attempts) {
		const struct record_attempt *attempt = &record->attempts[event->u.net.attempt];

		strbuf_printf(&line,
			      ",\"endpoint\":\"%s\",\"number\":%" PRIu32 ",\"step\":%" PRIu32
			      ",\"client\":\"%s\",\"server\":\"%s\"",
			      record->endpoints[attempt->endpoint].name, attempt->number,
			      attempt->step + 1, address_format(&attempt->client, client),
			      address_format(&attempt->server, server));
	}
	strbuf_puts(&line, "}\n");
	emit(events, &line);
}

static void add_step(const struct scenario *scenario, const struct record_attempt *attempt,
		     struct strbuf *out)
{
	const struct script *script = &scenario->endpoints[attempt->endpoint].script;

	if (attempt->step >= script->n_steps)
		return;
	strbuf_printf(out, " (step %" PRIu32 ": ", attempt->step + 1);
	step_format(&script->steps[attempt->step], out);
	strbuf_putc(out, ')');
}

static void event_text(const struct scenario *scenario, const struct record *record,
		       const struct event *event, struct strbuf *out)
{
	const struct record_attempt *attempt = &record->attempts[event->u.net.attempt];
	char client[ADDRESS_TEXT_SIZE], seconds[REPORT_SECONDS_SIZE];

	strbuf_printf(out, "%9s s  %s #%" PRIu32 "  ", report_seconds(event->at_ns, seconds),
		      record->endpoints[attempt->endpoint].name, attempt->number);
	switch (event->kind) {
	case EVENT_SYN:
		strbuf_printf(out, "SYN from %s", address_format(&attempt->client, client));
		if (event->u.net.ordinal > 1)
			strbuf_printf(out, ", retransmission %" PRIu32, event->u.net.ordinal - 1);
		break;
	case EVENT_VERDICT:
		strbuf_puts(out, attempt_verdict_words(event->u.net.verdict));
		add_step(scenario, attempt, out);
		break;
	default:
		event_line_add_what(record, event, out);
		break;
	}
	strbuf_putc(out, '\n');
}

void event_log_event(const struct event_log *events, const struct scenario *scenario,
		     const struct record *record, const struct event *event)
{
	AUTO_STRBUF struct strbuf line = {0};

	if (events->quiet)
		return;
	if (events->json) {
		event_json(events, record, event);
		return;
	}
	if (event->kind == EVENT_OUTAGE) {
		event_line_write(record, event, &line);
		strbuf_putc(&line, '\n');
		emit(events, &line);
		return;
	}
	if (event->kind > EVENT_CLOSED || event->u.net.attempt >= record->n_attempts ||
	    !event_line_is_news(record, event))
		return;
	event_text(scenario, record, event, &line);
	emit(events, &line);
}

void event_log_result(const struct event_log *events, const struct result *result)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < result->judgement.n_findings; i++)
		json_array_append_new(findings, json_text(result->judgement.findings[i].message));
	emit_json(events, json_pack("{s:s, s:o, s:s, s:o}", "event", "result", "scenario",
				    json_text(result_name(result)), "outcome",
				    outcome_name(result_outcome(result)), "findings", findings));
}
