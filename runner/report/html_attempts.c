/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario's attempts and events as tables in HTML. */
#include "runner/report/html_attempts.h"
#include "runner/report/attempt_view.h"
#include "runner/report/event_line.h"

/* What is shown of a long list in addition to what findings and expectations link to. */
enum {
	SHOWN_ATTEMPTS = 100, /* of each end */
	FIRST_EVENTS = 400,
	LAST_EVENTS = 100,
};

static void add_seconds(struct html_page *page, int64_t at_ns)
{
	char seconds[REPORT_SECONDS_SIZE];

	markup_elementf(page->markup, "td", "num", "%s s", report_seconds(at_ns, seconds));
}

/* Returns the number of the first finding about the attempt, from 1, or 0. */
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
	AUTO_STRBUF struct strbuf fault = {0}, end = {0}, instance = {0};
	AUTO_FREE char *backoff = attempt_backoff_text(&page->backoffs[id]);
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
	attempt_add_fault(page->result->scenario, record, id, &fault);
	attempt_add_end(history, false, &end);
	attempt_add_instance(attempt, &instance);
	if (record->n_instances > 1)
		markup_element(markup, "td", "num", strbuf_text(&instance));
	markup_elementf(markup, "td", NULL, "%s %u",
			attempt_endpoint_name(record, attempt->endpoint), attempt->number);
	markup_elementf(markup, "td", "nowrap", "%u: %s", attempt->step + 1, strbuf_text(&fault));
	markup_elementf(markup, "td", "num", "%u", history->syns);
	markup_element(markup, "td", "nowrap", strbuf_text(&end));
	markup_begin(markup, "td", "nowrap");
	if (backoff)
		markup_text(markup, backoff);
	if (finding) {
		markup_text(markup, " ");
		html_link(page, "finding", finding, NULL, "✗ finding %zu", finding);
	}
	markup_close(markup);
	markup_element(markup, "td", "num",
		       history->details->max_lag_ns > 0
			       ? duration_format(history->details->max_lag_ns, lag)
			       : "");
	markup_begin(markup, "td", "nowrap");
	markup_elementf(markup, "code", NULL, "%s → %s", address_format(&attempt->client, from),
			address_format(&attempt->server, to));
	markup_close(markup);
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
		{"#", true}, {"at", true}, {"endpoint"},   {"step"},      {"SYNs", true},
		{"ended"},   {"backoff"},  {"late", true}, {"addresses"}, {NULL},
	};
	static const struct html_column several[] = {
		{"#", true},    {"at", true}, {"instance", true}, {"endpoint"},   {"step"},
		{"SYNs", true}, {"ended"},    {"backoff"},        {"late", true}, {"addresses"},
		{NULL},
	};
	const struct record *record = page->result->record;
	bool instances = record->n_instances > 1;
	size_t n = record->n_attempts, n_hidden = 0;

	html_section(page, "attempts", "Attempts");
	if (n == 0) {
		markup_element(page->markup, "p", NULL,
			       record->client_started ? "No SYN reached any endpoint."
						      : "No start of the client is on record.");
		markup_close(page->markup);
		return;
	}
	markup_element(page->markup, "p", "dim",
		       "Late: how long synfault's verdict came after it was due.");
	html_table_begin(page->markup, "Table of attempts", instances ? several : single);
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
	html_table_end(page->markup);
	markup_close(page->markup);
}

/* ---- events ---- */

static void add_event(struct html_page *page, size_t index)
{
	const struct event *event = &page->result->record->events[index];
	AUTO_STRBUF struct strbuf text = {0};
	struct markup *markup = page->markup;

	markup_open(markup, "tr");
	html_id(page, "event", index + 1);
	add_seconds(page, event->at_ns);
	markup_element(markup, "td", NULL, event_kind_name(event->kind));
	markup_open(markup, "td");
	if (event->kind <= EVENT_CLOSED && html_shows_attempt(page, event->u.net.attempt))
		html_link(page, "attempt", (size_t)event->u.net.attempt + 1, NULL, "attempt %u",
			  event->u.net.attempt + 1);
	else if (event->kind <= EVENT_CLOSED)
		markup_textf(markup, "attempt %u", event->u.net.attempt + 1);
	markup_close(markup);
	event_line_add_what(page->result->record, event, &text);
	markup_element(markup, "td", NULL, strbuf_text(&text));
	markup_close(markup);
}

void html_events(struct html_page *page)
{
	static const struct html_column columns[] = {
		{"at", true}, {"event"}, {"attempt"}, {"details"}, {NULL}};
	const struct record *record = page->result->record;
	size_t n_hidden = 0;

	if (record->n_events == 0)
		return;
	html_section(page, "events", "Events");
	markup_open(page->markup, "details");
	markup_elementf(page->markup, "summary", NULL, "All events: %zu", record->n_events);
	html_table_begin(page->markup, "Table of events", columns);
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
	html_table_end(page->markup);
	markup_close(page->markup);
	markup_close(page->markup);
}
