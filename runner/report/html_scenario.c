/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See html_scenario.h. */
#include <inttypes.h>

#include "runner/report/html_attempts.h"
#include "runner/report/html_judged.h"
#include "runner/report/html_output.h"
#include "runner/report/html_scenario.h"
#include "runner/report/html_source.h"
#include "runner/report/svg_timeline.h"

/* Adds links to the overview, the previous and the next scenario. */
static void add_links(struct html_page *page)
{
	const struct html_site *site = page->site;
	struct markup *markup = page->markup;
	size_t n = site->results->n_items, at = 0;

	while (at < n && site->order[at] != page->index)
		at++;
	markup_begin(markup, "nav", "page");
	markup_attrf(markup, "aria-label", "From scenario %zu", page->index + 1);
	markup_open(markup, "ul");
	if (site->single) {
		markup_raw(markup, "<li><a href=\"#top\">Overview</a></li>");
	} else {
		markup_raw(markup, "<li><a href=\"../index.html\">Overview</a></li>");
		for (int step = -1; step <= 1; step += 2) {
			if ((step < 0 && at == 0) || (step > 0 && at + 1 >= n))
				continue;
			markup_open(markup, "li");
			markup_open(markup, "a");
			html_link_to(markup, site, site->order[step < 0 ? at - 1 : at + 1], true);
			markup_attr(markup, "rel", step < 0 ? "prev" : "next");
			markup_text(markup, step < 0 ? "← Previous" : "Next →");
			markup_close(markup);
			markup_close(markup);
		}
	}
	markup_close(markup);
	markup_close(markup);
}

static void add_heading(struct html_page *page)
{
	const struct result *result = page->result;
	struct markup *markup = page->markup;
	const char *file = page->site->files[page->index];
	AUTO_STRBUF struct strbuf reason = {0};
	char duration[DURATION_TEXT_SIZE];
	unsigned line = result_line(result);

	markup_open(markup, page->site->single ? "h2" : "h1");
	html_id(page, "top", 0);
	markup_text(markup, page->site->titles[page->index]);
	markup_close(markup);
	result_reason(result, &reason);
	markup_begin(markup, "p", "lead");
	html_badge(markup, result);
	markup_text(markup, " ");
	if (result->flaky)
		markup_raw(markup, "<span class=\"badge flaky\">flaky</span> ");
	markup_text(markup, strbuf_text(&reason));
	markup_close(markup);
	markup_begin(markup, "p", "dim");
	if (line > 0)
		markup_elementf(markup, "code", NULL, "%s:%u", file, line);
	else
		markup_element(markup, "code", NULL, file);
	markup_textf(markup, " · %s", duration_format(result->duration_ns, duration));
	for (char **tag = result->scenario ? result->scenario->tags : NULL; tag && *tag; tag++)
		markup_textf(markup, " · %s", *tag);
	markup_close(markup);
}

/* Adds links to the sections of the page. */
static void add_contents(struct html_page *page)
{
	const struct result *result = page->result;
	const struct record *record = result->record;
	bool wrong = result->judgement.n_findings > 0 || result->broken;
	const struct {
		bool there;
		const char *id, *text;
	} sections[] = {
		{wrong, "findings", "What went wrong"},
		{record, "timeline", "Timeline"},
		{result->scenario && result->scenario->n_expectations > 0, "expectations",
		 "Expectations"},
		{record, "attempts", "Attempts"},
		{record, "output", "Output"},
		{html_lines_have(page->lines, result_line(result)), "source", "Scenario"},
		{result->n_earlier > 0, "earlier", "Earlier runs"},
		{record && record->n_sections > 0, "snapshot", "Network"},
		{record && record->n_events > 0, "events", "Events"},
		{record, "environment", "Environment"},
		{result->repeat || result->capture || result->no_capture, "repeat", "Reproduce"},
	};

	markup_open(page->markup, "nav");
	markup_attrf(page->markup, "aria-label", "Sections of scenario %zu", page->index + 1);
	markup_open(page->markup, "ul");
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (!sections[i].there)
			continue;
		markup_open(page->markup, "li");
		markup_open(page->markup, "a");
		markup_attrf(page->markup, "href", "#%s%s", page->prefix, sections[i].id);
		markup_text(page->markup, sections[i].text);
		markup_close(page->markup);
		markup_close(page->markup);
	}
	markup_close(page->markup);
	markup_close(page->markup);
}

/* Adds a link to a capture. @run: 0 for the run that counts, or an earlier one, from 1. */
static void add_capture(struct html_page *page, const char *capture, size_t run)
{
	const struct html_site *site = page->site;
	struct markup *markup = page->markup;

	if (!capture)
		return;
	markup_open(markup, "p");
	if (html_has_capture(site, capture)) {
		AUTO_FREE char *name = html_capture_name(site, page->index, run);

		markup_open(markup, "a");
		markup_attrf(markup, "href", "../" HTML_CAPTURES "/%s", name);
		markup_attr(markup, "download", name);
		markup_text(markup, "Captured packets");
		markup_close(markup);
		markup_text(markup, " (pcapng, for Wireshark)");
	} else {
		markup_text(markup, "The packets were captured to ");
		markup_element(markup, "code", NULL, capture);
	}
	markup_close(markup);
}

static void add_repeat(struct html_page *page)
{
	const struct result *result = page->result;
	struct markup *markup = page->markup;

	if (!result->repeat && !result->capture && !result->no_capture)
		return;
	html_section(page, "repeat", "Reproduce");
	if (result->repeat) {
		markup_element(markup, "p", NULL, "This command runs it again with its seed:");
		markup_begin(markup, "pre", "command");
		markup_element(markup, "code", NULL, result->repeat);
		markup_close(markup);
	}
	add_capture(page, result->capture, 0);
	if (result->no_capture)
		markup_elementf(markup, "p", NULL, "Packets were not captured: %s.",
				result->no_capture);
	markup_close(markup);
}

static void add_picture(struct html_page *page, const struct record *record,
			const struct judgement *judgement, const char *id)
{
	struct svg_timeline_style style = {.id = id,
					   .timing_scale = page->site->results->facts.timing_scale};
	size_t length;
	AUTO_FREE char *picture =
		svg_timeline_format(page->result->scenario, record, judgement, &style, &length);

	markup_open(page->markup, "figure");
	markup_begin(page->markup, "div", "scroll");
	html_scrolls(page->markup, "Timeline (scrolls sideways)");
	markup_raw(page->markup, picture);
	markup_close(page->markup);
	markup_close(page->markup);
}

static void add_timeline(struct html_page *page)
{
	AUTO_FREE char *id = xasprintf("%spicture", page->prefix);

	html_section(page, "timeline", "Timeline");
	add_picture(page, page->result->record, &page->result->judgement, id);
	markup_close(page->markup);
}

static void add_earlier(struct html_page *page)
{
	const struct result *result = page->result;
	struct markup *markup = page->markup;

	if (result->n_earlier == 0)
		return;
	html_section(page, "earlier", "Earlier runs, replaced by a retry");
	for (size_t i = 0; i < result->n_earlier; i++) {
		const struct earlier_run *run = &result->earlier[i];
		struct result as_result = {.file = result->file,
					   .scenario = result->scenario,
					   .record = run->record,
					   .judgement = run->judgement};
		AUTO_FREE char *id = xasprintf("%searlier-picture-%zu", page->prefix, i + 1);
		AUTO_STRBUF struct strbuf reason = {0};

		result_reason(&as_result, &reason);
		markup_elementf(markup, "h3", NULL, "Run %zu", i + 1);
		markup_open(markup, "p");
		html_badge(markup, &as_result);
		markup_textf(markup, " %s", strbuf_text(&reason));
		markup_close(markup);
		if (run->record) {
			AUTO_FREE char *what = xasprintf("run-%zu-stream", i + 1);

			add_picture(page, run->record, &run->judgement, id);
			html_streams(page, run->record, what);
		}
		add_capture(page, run->capture, i + 1);
	}
	markup_close(markup);
}

static void add_snapshot(struct html_page *page)
{
	const struct record *record = page->result->record;
	struct markup *markup = page->markup;

	if (record->n_sections == 0)
		return;
	html_section(page, "snapshot", "Network when the client ended");
	for (size_t i = 0; i < record->n_sections; i++) {
		markup_element(markup, "h3", NULL, record->sections[i].title);
		markup_open(markup, "pre");
		html_scrolls(markup, record->sections[i].title);
		markup_element(markup, "code", NULL, record->sections[i].text);
		markup_close(markup);
	}
	markup_close(markup);
}

static void add_environment(struct html_page *page)
{
	const struct run_results *results = page->site->results;
	const struct record *record = page->result->record;
	AUTO_FREE char *run_seed = xasprintf("%" PRIu64, results->seed);
	AUTO_FREE char *seed = xasprintf("%" PRIu64, record->seed);
	AUTO_FREE char *retries = xasprintf("%u", record->syn_retries);
	AUTO_FREE char *linear = xasprintf("%u", record->syn_linear_timeouts);
	struct markup *markup = page->markup;
	char lag[DURATION_TEXT_SIZE], client_lag[DURATION_TEXT_SIZE];

	html_section(page, "environment", "Environment");
	markup_begin(markup, "dl", "facts");
	html_started(markup, record->started_realtime_ns);
	html_term(markup, "kernel", record->kernel);
	html_term(markup, "isolation", record->isolation);
	if (record->virtual_time || page->result->no_virtual) {
		AUTO_STRBUF struct strbuf clock = {0};

		report_clock(&clock, record);
		if (page->result->no_virtual) {
			strbuf_puts(&clock, ": ");
			report_line(&clock, page->result->no_virtual);
		}
		html_term(markup, "time", strbuf_text(&clock));
	}
	html_term(markup, "capabilities", results->facts.capabilities);
	html_term(markup, "system", results->facts.system);
	html_term(markup, "seed of the run (--seed)", run_seed);
	html_term(markup, "seed of the scenario", seed);
	html_term(markup, "synfault's lag, at most", duration_format(record->harness_lag_ns, lag));
	html_term(markup, "client without a processor for",
		  record->client_lag_ns < 0 ? "not known"
					    : duration_format(record->client_lag_ns, client_lag));
	html_term(markup, "net.ipv4.tcp_syn_retries", retries);
	html_term(markup, "net.ipv4.tcp_syn_linear_timeouts", linear);
	markup_close(markup);
	markup_close(markup);
}

void html_scenario(struct markup *markup, const struct html_site *site, size_t index)
{
	const struct result *result = &site->results->items[index];
	struct html_page page = {.site = site, .result = result, .index = index, .markup = markup};

	if (site->single)
		snprintf(page.prefix, sizeof(page.prefix), "s%zu-", index + 1);
	page.lines = html_lines_find(result);
	if (result->record) {
		page.history = history_make(result->record);
		page.backoffs = backoff_views_make(result->scenario, &page.history,
						   site->results->facts.timing_scale);
	}
	add_links(&page);
	add_heading(&page);
	add_contents(&page);
	html_findings(&page);
	if (result->record)
		add_timeline(&page);
	html_expectations(&page);
	if (result->record) {
		html_attempts(&page);
		html_output(&page);
	}
	html_source(&page);
	add_earlier(&page);
	if (result->record) {
		add_snapshot(&page);
		html_events(&page);
		add_environment(&page);
		free(page.backoffs);
		history_free(&page.history);
	}
	add_repeat(&page);
	free(page.lines);
}
