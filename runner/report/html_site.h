/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the HTML report share: html.c, html_overview.c, html_scenario.c and others. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_SITE_H
#define SYNFAULT_RUNNER_REPORT_HTML_SITE_H

#include "runner/record/history.h"
#include "runner/report/backoff_view.h"
#include "runner/report/markup.h"
#include "runner/report/result.h"

/* Where the pages of scenarios and their captures are, below the directory. */
#define HTML_SCENARIOS "scenarios"
#define HTML_CAPTURES  "captures"

struct html_site {
	const struct run_results *results;
	bool single;   /* all in one page */
	char **names;  /* by result: report_page_name() */
	char **titles; /* by result: result_title() */
	char **files;  /* by result: result_repository_path() */
	size_t *order; /* results by file, line and place in the results */
};

/* One scenario's page, or its part of the single one. */
struct html_page {
	const struct html_site *site;
	const struct result *result;
	size_t index;    /* in the results */
	char prefix[32]; /* of the ids in it: "" or "s7-" */
	struct markup *markup;

	/* Of the record, where there is one. */
	struct history history;
	struct backoff_view *waits;
	struct html_lines *lines; /* of the scenario file that are shown */
};

/* Starts and ends a document, head and all; @depth: how many directories it is below the root. */
void html_begin(struct markup *markup, const struct html_site *site, const char *title,
		unsigned depth);
void html_end(struct markup *markup);

/* Whether a capture is copied: where the report is made elsewhere it can't be. */
bool html_has_capture(const struct html_site *site, const char *capture);
/* The name of a capture's copy in HTML_CAPTURES; @run: 0, or which of the earlier ones, from 1. */
char *html_capture_name(const struct html_site *site, size_t index, size_t run);

/* The style sheet. */
const char *html_style(void);

/* An attribute href to a scenario's page: seen from the overview, or (@sibling) another page. */
void html_link_to(struct markup *markup, const struct html_site *site, size_t index, bool sibling);
/* An attribute id, or href to one, within a page: "attempt", 3. */
void html_id(const struct html_page *page, const char *what, size_t number);
void html_href(const struct html_page *page, const char *what, size_t number);
/* A heading with an id, by which the section that was opened is named: <section> <h2>. */
void html_section(const struct html_page *page, const char *id, const char *heading);
/* <span class="badge pass">passed</span> */
void html_badge(struct markup *markup, const struct result *result);
/* <dt>term</dt><dd>value</dd>, unless the value is NULL. */
void html_term(struct markup *markup, const char *term, const char *value);
/* Numbers are to the right, and so is what stands above them. */
struct html_column {
	const char *name;
	bool numbers;
};
/* <th scope="col"> of each; the last has no name. */
void html_columns(struct markup *markup, const struct html_column *columns);
/* <time datetime="…">2026-11-24 09:45:12 UTC</time> */
void html_time(struct markup *markup, int64_t realtime_ns);

void html_overview(struct markup *markup, const struct html_site *site);
/* The content of a scenario's page, from its heading on. */
void html_scenario(struct markup *markup, const struct html_site *site, size_t index);

/* Parts of it. */
void html_findings(struct html_page *page);
void html_expectations(struct html_page *page);
void html_attempts(struct html_page *page);
void html_events(struct html_page *page);
/* Whether the tables have it: of long lists the middle is left out, but for what is referred to. */
bool html_shows_attempt(const struct html_page *page, uint32_t id);
bool html_shows_event(const struct html_page *page, uint32_t index);
void html_output(struct html_page *page);
void html_source(struct html_page *page);
/* Which lines html_source() will show; to be freed with free(). */
struct html_lines *html_lines_find(const struct result *result);
bool html_lines_have(const struct html_lines *lines, unsigned line);

#endif
