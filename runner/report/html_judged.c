/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was expected of a client and what came of it, in HTML. */
#include "runner/report/html_site.h"
#include "runner/report/timeline.h"

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
	if (attempt) {
		markup_open(markup, "a");
		html_href(page, "attempt", finding->attempt + 1);
		markup_textf(markup, "attempt %u", finding->attempt + 1);
		markup_close(markup);
	}
	if (attempt && line)
		markup_text(markup, " · ");
	if (line) {
		markup_open(markup, "a");
		html_href(page, "line", finding->place.line);
		markup_textf(markup, "line %u of the scenario", finding->place.line);
		markup_close(markup);
	}
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
		markup_open(markup, "dl");
		markup_attr(markup, "class", "facts");
		html_term(markup, "expected", finding->expected);
		html_term(markup, "actual", finding->actual);
		html_term(markup, "miss", finding->miss);
		markup_close(markup);
	}
	if (finding->caused_by_lag)
		markup_element(markup, "p", NULL,
			       "The machine was too slow to tell: synfault's own lag could have "
			       "caused it.");
	add_links(page, finding);
	markup_close(markup);
}

/* The errors of a document that is not valid, as `check` shows them. */
static void add_diagnostics(struct html_page *page)
{
	const struct scenario_file *file = page->result->file;
	const struct broken_document *broken = page->result->broken;
	size_t end = MIN(broken->first_diag + broken->n_diags, file->diags.n_items);

	html_section(page, "findings", "What is wrong with the scenario");
	for (size_t i = broken->first_diag; i < end; i++) {
		AUTO_STRBUF struct strbuf text = {0};

		diag_format(&file->diags.items[i], file->source, file->source_length, false, &text);
		markup_open(page->markup, "pre");
		markup_attr(page->markup, "tabindex", "0");
		markup_attr(page->markup, "role", "group");
		markup_attrf(page->markup, "aria-label", "Error %zu", i - broken->first_diag + 1);
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
	markup_open(page->markup, "ol");
	markup_attr(page->markup, "class", "findings");
	for (size_t i = 0; i < judgement->n_findings; i++)
		add_finding(page, i);
	markup_close(page->markup);
	markup_close(page->markup);
}

/* ---- expectations ---- */

/* The finding that is about an expectation, from 1; 0: there is none. */
static size_t finding_of(const struct judgement *judgement, const struct expectation *expectation)
{
	for (size_t i = 0; i < judgement->n_findings; i++) {
		const struct place *place = &judgement->findings[i].place;

		if (place->line == expectation->place.line &&
		    place->column == expectation->place.column &&
		    !strcmp(judgement->findings[i].type, expectation_kind_name(expectation->kind)))
			return i + 1;
	}
	return 0;
}

/* Whether nothing could be judged: what is wrong is none of the client's doings. */
static bool is_unjudged(const struct result *result)
{
	const struct judgement *judgement = &result->judgement;

	if (!result->record || judgement->outcome == OUTCOME_SKIP)
		return true;
	for (size_t i = 0; i < judgement->n_findings; i++)
		if (!strcmp(judgement->findings[i].type, "harness") ||
		    !strcmp(judgement->findings[i].type, "capability"))
			return true;
	return false;
}

static bool concerns(const struct expectation *expectation, uint32_t endpoint)
{
	return expectation->endpoint == ALL_ENDPOINTS || expectation->endpoint == endpoint;
}

static char *counted(const struct html_page *page, const struct expectation *expectation)
{
	const struct record *record = page->result->record;
	uint64_t attempts = 0, retransmissions = 0;

	for (size_t i = 0; i < record->n_attempts; i++) {
		if (!concerns(expectation, record->attempts[i].endpoint))
			continue;
		attempts++;
		retransmissions += MAX(page->history.attempts[i].syns, 1U) - 1;
	}
	return xasprintf("%llu", (unsigned long long)(expectation->kind == EXPECT_ATTEMPTS
							      ? attempts
							      : retransmissions));
}

static char *waited(const struct html_page *page, const struct expectation *expectation)
{
	const struct record *record = page->result->record;
	int64_t shortest_ns = INT64_MAX, longest_ns = INT64_MIN;
	char shortest[DURATION_TEXT_SIZE], longest[DURATION_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < record->n_attempts; i++) {
		const struct wait_view *wait = &page->waits[i];

		if (!concerns(expectation, record->attempts[i].endpoint) || !wait->there ||
		    wait->open || wait->interval != (expectation->kind == EXPECT_INTERVALS))
			continue;
		n++;
		shortest_ns = MIN(shortest_ns, wait->length_ns);
		longest_ns = MAX(longest_ns, wait->length_ns);
	}
	if (n == 0)
		return xstrdup("");
	if (n == 1)
		return xstrdup(duration_format(shortest_ns, shortest));
	return xasprintf("%zu, of %s to %s", n, duration_format(shortest_ns, shortest),
			 duration_format(longest_ns, longest));
}

/* What there was of what an expectation that was met looks at. The caller's. */
static char *actual_of(const struct html_page *page, const struct expectation *expectation)
{
	const struct record *record = page->result->record;
	const struct event *exit = record_exit(record);
	char buffer[DURATION_TEXT_SIZE];
	struct strbuf text = {0};
	size_t stream;

	switch (expectation->kind) {
	case EXPECT_EXIT:
		if (exit)
			timeline_wait_status(exit->u.exit.wait_status, &text);
		return strbuf_steal(&text);
	case EXPECT_DURATION:
		return xstrdup(exit ? duration_format(exit->at_ns, buffer) : "");
	case EXPECT_ATTEMPTS:
	case EXPECT_RETRANSMISSIONS:
		return counted(page, expectation);
	case EXPECT_WAITS:
	case EXPECT_INTERVALS:
		return waited(page, expectation);
	case EXPECT_STDOUT:
	case EXPECT_STDERR:
		stream = expectation->kind == EXPECT_STDOUT ? STREAM_STDOUT : STREAM_STDERR;
		if (stream < record->n_streams)
			return xasprintf("%llu bytes",
					 (unsigned long long)record->streams[stream].total);
		return xstrdup("");
	default:
		return xstrdup("");
	}
}

/* The text of a line of the scenario file, without what it is indented by; NULL: none. */
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

static void add_expectation(struct html_page *page, const struct expectation *expectation,
			    bool unjudged)
{
	const struct judgement *judgement = &page->result->judgement;
	size_t number = finding_of(judgement, expectation);
	const struct finding *finding = number ? &judgement->findings[number - 1] : NULL;
	AUTO_FREE char *source = source_line(page->result->file, expectation->place.line);
	AUTO_FREE char *actual = finding || unjudged ? NULL : actual_of(page, expectation);
	struct markup *markup = page->markup;

	markup_open(markup, "tr");
	if (finding)
		markup_attr(markup, "class", "bad");
	markup_element(markup, "td", "nowrap",
		       finding    ? "✗ not met"
		       : unjudged ? "not judged"
				  : "✓ met");
	markup_open(markup, "th");
	markup_attr(markup, "scope", "row");
	markup_text(markup, expectation_kind_name(expectation->kind));
	if (expectation->endpoint < page->result->scenario->n_endpoints &&
	    expectation->kind >= EXPECT_ATTEMPTS && expectation->kind <= EXPECT_INTERVALS)
		markup_textf(markup, " at %s",
			     page->result->scenario->endpoints[expectation->endpoint].name);
	markup_close(markup);
	markup_open(markup, "td");
	markup_attr(markup, "class", "why");
	if (finding && finding->expected)
		markup_text(markup, finding->expected);
	else if (source)
		markup_element(markup, "code", NULL, source);
	markup_close(markup);
	markup_open(markup, "td");
	markup_attr(markup, "class", "why");
	if (finding) {
		markup_open(markup, "a");
		html_href(page, "finding", number);
		markup_text(markup, finding->actual ? finding->actual : "see above");
		markup_close(markup);
	} else if (actual) {
		markup_text(markup, actual);
	}
	markup_close(markup);
	markup_open(markup, "td");
	markup_attr(markup, "class", "num");
	if (html_lines_have(page->lines, expectation->place.line)) {
		markup_open(markup, "a");
		html_href(page, "line", expectation->place.line);
		markup_textf(markup, "line %u", expectation->place.line);
		markup_close(markup);
	}
	markup_close(markup);
	markup_close(markup);
}

void html_expectations(struct html_page *page)
{
	static const char *const columns[] = {"result", "what",   "expected",
					      "actual", "source", NULL};
	const struct scenario *scenario = page->result->scenario;
	struct markup *markup = page->markup;
	bool unjudged = is_unjudged(page->result);

	if (!scenario || scenario->n_expectations == 0)
		return;
	html_section(page, "expectations", "Expectations");
	markup_open(markup, "div");
	markup_attr(markup, "class", "scroll");
	markup_attr(markup, "tabindex", "0");
	markup_attr(markup, "role", "group");
	markup_attr(markup, "aria-label", "Table of expectations");
	markup_open(markup, "table");
	markup_open(markup, "thead");
	markup_open(markup, "tr");
	html_columns(markup, columns);
	markup_close(markup);
	markup_close(markup);
	markup_open(markup, "tbody");
	for (size_t i = 0; i < scenario->n_expectations; i++)
		add_expectation(page, &scenario->expectations[i], unjudged);
	markup_close(markup);
	markup_close(markup);
	markup_close(markup);
	markup_close(markup);
}
