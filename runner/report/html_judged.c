/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See html_judged.h. */
#include "runner/report/html_judged.h"
#include "runner/report/assessment_text.h"
#include "runner/report/html_attempts.h"
#include "runner/report/html_source.h"

/* ---- what went wrong ---- */

static void add_links(struct html_page *page, const struct finding *finding)
{
	const struct record *record = page->result->record;
	struct markup *markup = page->markup;
	bool attempt = record && finding->attempt < record->n_attempts;
	bool line = html_lines_have(page->lines, finding->place.line);

	if (!attempt && !line)
		return;
	markup_open(markup, "p");
	if (attempt)
		html_link(page, "attempt", finding->attempt + 1, NULL, "attempt %u",
			  finding->attempt + 1);
	if (attempt && line)
		markup_text(markup, " · ");
	if (line)
		html_link(page, "line", finding->place.line, NULL, "line %u of the scenario",
			  finding->place.line);
	markup_close(markup);
}

static void add_finding(struct html_page *page, size_t index)
{
	const struct finding *finding = &page->result->judgement.findings[index];
	struct markup *markup = page->markup;
	AUTO_STRBUF struct strbuf headline = {0};

	report_headline(&headline, finding);
	markup_open(markup, "li");
	html_id(page, "finding", index + 1);
	markup_elementf(markup, "h3", NULL, "%zu. %s", index + 1, strbuf_text(&headline));
	if (finding->expected || finding->actual || finding->miss) {
		markup_begin(markup, "dl", "facts");
		html_term(markup, "expected", finding->expected);
		html_term(markup, "actual", finding->actual);
		html_term(markup, "miss", finding->miss);
		html_term(markup, "seen", finding->looks_like);
		markup_close(markup);
	}
	if (finding->caused_by_lag)
		markup_element(markup, "p", NULL,
			       "The machine was too slow to judge this: lag could have "
			       "caused it.");
	add_links(page, finding);
	markup_close(markup);
}

/* Adds the errors of an invalid document, as `check` shows them. */
static void add_diagnostics(struct html_page *page)
{
	const struct scenario_file *file = page->result->file;
	const struct broken_document *broken = page->result->broken;
	size_t end = MIN(broken->first_diag + broken->n_diags, file->diags.n_items);
	struct diag_source source = {.text = file->source, .length = file->source_length};

	html_section(page, "findings", "What is wrong with the scenario");
	for (size_t i = broken->first_diag; i < end; i++) {
		AUTO_STRBUF struct strbuf text = {0};
		AUTO_FREE char *label = NULL;

		diag_format(&file->diags.items[i], &source, false, &text);
		label = xasprintf("Error %zu", i - broken->first_diag + 1);
		markup_open(page->markup, "pre");
		html_scrolls(page->markup, label);
		markup_element(page->markup, "code", NULL, strbuf_text(&text));
		markup_close(page->markup);
	}
	markup_close(page->markup);
}

void html_findings(struct html_page *page)
{
	const struct judgement *judgement = &page->result->judgement;

	if (page->result->broken && page->result->file) {
		add_diagnostics(page);
		return;
	}
	if (judgement->n_findings == 0)
		return;
	html_section(page, "findings", "What went wrong");
	markup_begin(page->markup, "ol", "findings");
	for (size_t i = 0; i < judgement->n_findings; i++)
		add_finding(page, i);
	markup_close(page->markup);
	markup_close(page->markup);
}

/* ---- expectations ---- */

/* Returns a line of the scenario file without its indentation, or NULL. */
static char *source_line(const struct scenario_file *file, unsigned line)
{
	const char *text = file ? file->source : NULL, *end, *newline;

	if (!text || line == 0)
		return NULL;
	end = text + file->source_length;
	for (unsigned at = 1; at < line; at++) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			return NULL;
		text = newline + 1;
	}
	newline = memchr(text, '\n', (size_t)(end - text));
	end = newline ? newline : end;
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	return xstrndup(text, (size_t)(end - text));
}

/* Adds links to the evidence of an expectation: its finding, attempt and event. */
static void add_evidence(struct html_page *page, const struct assessment *assessment)
{
	const struct record *record = page->result->record;
	bool finding = assessment->finding != UINT32_MAX;
	bool attempt = record && html_shows_attempt(page, assessment->attempt);
	char seconds[REPORT_SECONDS_SIZE];

	markup_begin(page->markup, "td", "nowrap");
	if (finding)
		html_link(page, "finding", (size_t)assessment->finding + 1, NULL, "finding %u",
			  assessment->finding + 1);
	if (attempt) {
		markup_text(page->markup, finding ? " · " : "");
		html_link(page, "attempt", (size_t)assessment->attempt + 1, NULL, "attempt %u",
			  assessment->attempt + 1);
	}
	if (record && html_shows_event(page, assessment->event)) {
		const struct event *event = &record->events[assessment->event];

		markup_text(page->markup, finding || attempt ? " · " : "");
		html_link(page, "event", (size_t)assessment->event + 1, NULL, "%s at %s s",
			  event_kind_name(event->kind), report_seconds(event->at_ns, seconds));
	}
	markup_close(page->markup);
}

static void add_source_link(struct html_page *page, const struct place *place)
{
	struct markup *markup = page->markup;

	markup_begin(markup, "td", "num");
	if (html_lines_have(page->lines, place->line))
		html_link(page, "line", place->line, NULL, "line %u", place->line);
	markup_close(markup);
}

/* Adds what is expected, or the line of the file if nothing was measured. */
static void add_expected(struct html_page *page, const char *expected, const struct place *place)
{
	AUTO_FREE char *source = source_line(page->result->file, place->line);
	struct markup *markup = page->markup;

	markup_begin(markup, "td", "why");
	if (expected)
		markup_text(markup, expected);
	else if (source)
		markup_element(markup, "code", NULL, source);
	markup_close(markup);
}

static void add_assessment(struct html_page *page, const struct assessment *assessment)
{
	struct markup *markup = page->markup;
	bool judged = assessment->result != ASSESSED_NOT_JUDGED;

	markup_open(markup, "tr");
	if (assessment->finding != UINT32_MAX)
		markup_attr(markup, "class", "bad");
	markup_elementf(markup, "td", "nowrap", "%s%s%s",
			judged ? assessed_mark(assessment->result) : "", judged ? " " : "",
			assessed_name(assessment->result));
	html_row_heading(markup, assessment->subject);
	add_expected(page, assessment->expected, &assessment->place);
	markup_element(markup, "td", "why", assessment->actual ? assessment->actual : "");
	add_evidence(page, assessment);
	add_source_link(page, &assessment->place);
	markup_close(markup);
}

/* Adds an expectation of a scenario that was not judged. */
static void add_unassessed(struct html_page *page, const struct expectation *expectation)
{
	struct markup *markup = page->markup;

	markup_open(markup, "tr");
	markup_element(markup, "td", "nowrap", page->result->record ? "" : "not judged");
	markup_open(markup, "th");
	markup_attr(markup, "scope", "row");
	markup_text(markup, expectation_kind_name(expectation->kind));
	if (expectation->endpoint < page->result->scenario->n_endpoints)
		markup_textf(markup, " at %s",
			     page->result->scenario->endpoints[expectation->endpoint].name);
	markup_close(markup);
	add_expected(page, NULL, &expectation->place);
	markup_element(markup, "td", NULL, "");
	markup_element(markup, "td", NULL, "");
	add_source_link(page, &expectation->place);
	markup_close(markup);
}

void html_expectations(struct html_page *page)
{
	static const struct html_column columns[] = {
		{"result"}, {"what"}, {"expected"}, {"actual"}, {"seen"}, {"source", true}, {NULL}};
	const struct judgement *judgement = &page->result->judgement;
	const struct scenario *scenario = page->result->scenario;
	struct markup *markup = page->markup;
	size_t n = scenario ? scenario->n_expectations : 0;

	if (judgement->n_assessments == 0 && n == 0)
		return;
	html_section(page, "expectations", "Expectations");
	html_table_begin(markup, "Table of expectations", columns);
	for (size_t i = 0; i < judgement->n_assessments; i++)
		add_assessment(page, &judgement->assessments[i]);
	for (size_t i = 0; judgement->n_assessments == 0 && i < n; i++)
		add_unassessed(page, &scenario->expectations[i]);
	html_table_end(markup);
	markup_close(markup);
}
