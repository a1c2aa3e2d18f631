/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario's attempts and events as tables in HTML. */
#include "runner/report/attempt_table.h"
#include "runner/report/attempt_text.h"
#include "runner/report/html_site.h"

/* Of a long list so many are shown, and those that findings and expectations refer to. */
enum {
	SHOWN_ATTEMPTS = 100, /* of each end */
	FIRST_EVENTS = 400,
	LAST_EVENTS = 100,
};

static void begin_table(struct html_page *page, const char *label,
			const struct html_column *columns)
{
	markup_open(page->markup, "div");
	markup_attr(page->markup, "class", "scroll");
	markup_attr(page->markup, "tabindex", "0");
	markup_attr(page->markup, "role", "group");
	markup_attr(page->markup, "aria-label", label);
	markup_open(page->markup, "table");
	markup_open(page->markup, "thead");
	markup_open(page->markup, "tr");
	html_columns(page->markup, columns);
	markup_close(page->markup);
	markup_close(page->markup);
	markup_open(page->markup, "tbody");
}

static void end_table(struct html_page *page)
{
	markup_close(page->markup);
	markup_close(page->markup);
	markup_close(page->markup);
}

static void add_seconds(struct html_page *page, int64_t at_ns)
{
	char seconds[REPORT_SECONDS_SIZE];

	markup_elementf(page->markup, "td", "num", "%s s", report_seconds(at_ns, seconds));
}

static const char *endpoint_name(const struct record *record, uint32_t endpoint)
{
	return endpoint < record->n_endpoints ? record->endpoints[endpoint].name : "?";
}

/* The number of the first finding about the attempt, from 1; 0: there is none. */
static size_t finding_of(const struct judgement *judgement, uint32_t id)
{
	for (size_t i = 0; i < judgement->n_findings; i++)
		if (judgement->findings[i].attempt == id)
			return i + 1;
	return 0;
}

bool html_shows_attempt(const struct html_page *page, uint32_t id)
{
	const struct judgement *judgement = &page->result->judgement;
	size_t n = page->result->record->n_attempts;

	if (id >= n)
		return false;
	if (id < SHOWN_ATTEMPTS || (size_t)id + SHOWN_ATTEMPTS >= n || finding_of(judgement, id))
		return true;
	for (size_t i = 0; i < judgement->n_assessments; i++)
		if (judgement->assessments[i].attempt == id)
			return true;
	return false;
}

bool html_shows_event(const struct html_page *page, uint32_t index)
{
	const struct judgement *judgement = &page->result->judgement;
	size_t n = page->result->record->n_events;

	if (index >= n)
		return false;
	if (index < FIRST_EVENTS || (size_t)index + LAST_EVENTS >= n)
		return true;
	for (size_t i = 0; i < judgement->n_assessments; i++)
		if (judgement->assessments[i].event == index)
			return true;
	return false;
}

static void add_attempt(struct html_page *page, uint32_t id)
{
	const struct record *record = page->result->record;
	const struct record_attempt *attempt = &record->attempts[id];
	const struct attempt_history *history = &page->history.attempts[id];
	size_t finding = finding_of(&page->result->judgement, id);
	AUTO_FREE char *fault = attempt_fault_text(page->result->scenario, record, id),
		       *end = attempt_end_text(history),
		       *wait = attempt_wait_text(&page->waits[id]);
	char from[ADDRESS_TEXT_SIZE], to[ADDRESS_TEXT_SIZE], lag[DURATION_TEXT_SIZE];
	struct markup *markup = page->markup;

	markup_open(markup, "tr");
	html_id(page, "attempt", id + 1);
	if (finding)
		markup_attr(markup, "class", "bad");
	markup_open(markup, "th");
	markup_attr(markup, "scope", "row");
	markup_attr(markup, "class", "num");
	markup_textf(markup, "%u", id + 1);
	markup_close(markup);
	add_seconds(page, history->started_ns);
	if (record->n_instances > 1 && attempt->instance != INSTANCE_UNKNOWN)
		markup_elementf(markup, "td", "num", "%u", attempt->instance + 1);
	else if (record->n_instances > 1)
		markup_element(markup, "td", "num", "?");
	markup_elementf(markup, "td", NULL, "%s %u", endpoint_name(record, attempt->endpoint),
			attempt->number);
	markup_open(markup, "td");
	markup_attr(markup, "class", "nowrap");
	markup_elementf(markup, "code", NULL, "%s → %s", address_format(&attempt->client, from),
			address_format(&attempt->server, to));
	markup_close(markup);
	markup_elementf(markup, "td", "nowrap", "%u: %s", attempt->step + 1, fault);
	markup_elementf(markup, "td", "num", "%u", history->syns);
	markup_element(markup, "td", "nowrap", end);
	markup_open(markup, "td");
	markup_attr(markup, "class", "nowrap");
	if (wait)
		markup_text(markup, wait);
	if (finding) {
		markup_text(markup, " ");
		markup_open(markup, "a");
		html_href(page, "finding", finding);
		markup_textf(markup, "✗ finding %zu", finding);
		markup_close(markup);
	}
	markup_close(markup);
	markup_element(markup, "td", "num",
		       history->details->max_lag_ns > 0
			       ? duration_format(history->details->max_lag_ns, lag)
			       : "");
	markup_close(markup);
}

static void add_gap(struct html_page *page, size_t n, unsigned columns, const char *what)
{
	markup_open(page->markup, "tr");
	markup_open(page->markup, "td");
	markup_attrf(page->markup, "colspan", "%u", columns);
	markup_attr(page->markup, "class", "dim");
	markup_textf(page->markup, "%zu more %s, not shown here", n, what);
	markup_close(page->markup);
	markup_close(page->markup);
}

void html_attempts(struct html_page *page)
{
	static const struct html_column single[] = {
		{"#", true},    {"at", true}, {"endpoint"}, {"addresses"},  {"step"},
		{"SYNs", true}, {"ended"},    {"backoff"},  {"late", true}, {NULL},
	};
	static const struct html_column several[] = {
		{"#", true}, {"at", true},   {"instance", true}, {"endpoint"}, {"addresses"},
		{"step"},    {"SYNs", true}, {"ended"},          {"backoff"},  {"late", true},
		{NULL},
	};
	const struct record *record = page->result->record;
	bool instances = record->n_instances > 1;
	size_t n = record->n_attempts, n_hidden = 0;

	html_section(page, "attempts", "Attempts");
	if (n == 0) {
		markup_element(page->markup, "p", NULL,
			       record->client_started ? "No SYN came to any endpoint."
						      : "The client was not started.");
		markup_close(page->markup);
		return;
	}
	markup_element(page->markup, "p", "dim",
		       "Late is by how much synfault's answer came later than it was meant to.");
	begin_table(page, "Table of attempts", instances ? several : single);
	for (uint32_t id = 0; id < n; id++) {
		if (!html_shows_attempt(page, id)) {
			n_hidden++;
			continue;
		}
		if (n_hidden > 0)
			add_gap(page, n_hidden,
				instances ? ARRAY_SIZE(several) - 1 : ARRAY_SIZE(single) - 1,
				"attempts");
		n_hidden = 0;
		add_attempt(page, id);
	}
	end_table(page);
	markup_close(page->markup);
}

/* ---- events ---- */

static char *event_text(const struct record *record, const struct event *event)
{
	struct strbuf text = {0};

	switch (event->kind) {
	case EVENT_SYN:
		if (event->u.net.ordinal > 1)
			strbuf_printf(&text, "number %u, repeated by the kernel",
				      event->u.net.ordinal);
		break;
	case EVENT_VERDICT:
		strbuf_printf(&text, "%s", verdict_kind_name(event->u.net.verdict));
		break;
	case EVENT_FAULT:
		strbuf_printf(&text, "%s, after %llu bytes", fault_kind_name(event->u.net.fault),
			      (unsigned long long)event->u.net.bytes);
		break;
	case EVENT_STANDING:
		strbuf_puts(&text, "its socket is open though the client has ended");
		break;
	case EVENT_ORPHANED:
		strbuf_printf(&text,
			      "its socket is closed, but lives on: %llu bytes received, %llu sent",
			      (unsigned long long)event->u.net.bytes_received,
			      (unsigned long long)event->u.net.bytes_sent);
		break;
	case EVENT_CLOSED:
		strbuf_printf(&text, "%u SYNs repeated, says the kernel",
			      event->u.net.retransmissions);
		break;
	case EVENT_OUTPUT:
		strbuf_printf(&text, "%s, %llu bytes",
			      event->u.output.stream < record->n_streams
				      ? record->streams[event->u.output.stream].name
				      : "?",
			      (unsigned long long)event->u.output.length);
		break;
	case EVENT_SERVER_EXIT:
		strbuf_printf(&text, "%s: ", endpoint_name(record, event->u.server.endpoint));
		attempt_table_wait_status(event->u.server.wait_status, &text);
		break;
	case EVENT_EXIT:
		attempt_table_wait_status(event->u.exit.wait_status, &text);
		break;
	default:
		break;
	}
	return strbuf_steal(&text);
}

static void add_event(struct html_page *page, size_t index)
{
	const struct event *event = &page->result->record->events[index];
	AUTO_FREE char *text = event_text(page->result->record, event);
	struct markup *markup = page->markup;

	markup_open(markup, "tr");
	html_id(page, "event", index + 1);
	add_seconds(page, event->at_ns);
	markup_element(markup, "td", NULL, event_kind_name(event->kind));
	markup_open(markup, "td");
	if (event->kind <= EVENT_CLOSED && html_shows_attempt(page, event->u.net.attempt)) {
		markup_open(markup, "a");
		html_href(page, "attempt", (size_t)event->u.net.attempt + 1);
		markup_textf(markup, "attempt %u", event->u.net.attempt + 1);
		markup_close(markup);
	} else if (event->kind <= EVENT_CLOSED) {
		markup_textf(markup, "attempt %u", event->u.net.attempt + 1);
	}
	markup_close(markup);
	markup_element(markup, "td", NULL, text);
	markup_close(markup);
}

void html_events(struct html_page *page)
{
	static const struct html_column columns[] = {
		{"at", true}, {"event"}, {"of"}, {"more"}, {NULL}};
	const struct record *record = page->result->record;
	size_t n_hidden = 0;

	if (record->n_events == 0)
		return;
	html_section(page, "events", "Events");
	markup_open(page->markup, "details");
	markup_elementf(page->markup, "summary", NULL, "All that was seen: %zu events",
			record->n_events);
	begin_table(page, "Table of events", columns);
	for (size_t i = 0; i < record->n_events; i++) {
		if (!html_shows_event(page, (uint32_t)i)) {
			n_hidden++;
			continue;
		}
		if (n_hidden > 0)
			add_gap(page, n_hidden, ARRAY_SIZE(columns) - 1, "events");
		n_hidden = 0;
		add_event(page, i);
	}
	end_table(page);
	markup_close(page->markup);
	markup_close(page->markup);
}
