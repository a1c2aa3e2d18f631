/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pages of the HTML report have in common: the site, links, headings, tables. */
#ifndef SYNFAULT_RUNNER_REPORT_HTML_PARTS_H
#define SYNFAULT_RUNNER_REPORT_HTML_PARTS_H

#include "runner/record/history.h"
#include "runner/report/backoff_view.h"
#include "runner/report/markup.h"
#include "runner/report/result.h"

/* Directories of the scenarios' pages and their captures, below that of the report. */
#define HTML_SCENARIOS "scenarios"
#define HTML_CAPTURES  "captures"

struct html_site {
	const struct run_results *results;
	bool single;   /* one page for everything */
	char **names;  /* by result: report_page_name() */
	char **titles; /* by result: result_title() */
	char **files;  /* by result: result_repository_path() */
	size_t *order; /* results by file, line and place in the results */
};

/* The page of a scenario, or its part of the single page. */
struct html_page {
	const struct html_site *site;
	const struct result *result;
	size_t index;    /* in the results */
	char prefix[32]; /* of the ids in it: "" or "s7-" */
	struct markup *markup;

	/* Of the record, if there is one. */
	struct history history;
	struct backoff_view *backoffs;
	struct html_lines *lines; /* of the scenario file: html_lines_find() */
};

/* Whether the report gets a copy of a capture; not if it is no longer there. */
bool html_has_capture(const struct html_site *site, const char *capture);
/* The name of a capture's copy in HTML_CAPTURES; @run: 0, or which earlier run, from 1. */
char *html_capture_name(const struct html_site *site, size_t index, size_t run);

/* An attribute href to a scenario's page, from the overview or (@sibling) another page. */
void html_link_to(struct markup *markup, const struct html_site *site, size_t index, bool sibling);
/* An attribute id, or href to one, within a page: "attempt", 3. */
void html_id(const struct html_page *page, const char *what, size_t number);
void html_href(const struct html_page *page, const char *what, size_t number);
/* Opens <section> with a heading that names it. */
void html_section(const struct html_page *page, const char *id, const char *heading);
/* <span class="badge pass">passed</span> */
void html_badge(struct markup *markup, const struct result *result);
/* <dt>term</dt><dd>value</dd>; nothing if @value is NULL. */
void html_term(struct markup *markup, const char *term, const char *value);
/* <time datetime="…">2026-11-24 09:45:12 UTC</time> */
void html_time(struct markup *markup, int64_t realtime_ns);

/* Columns of numbers are aligned to the right, as are their headings. */
struct html_column {
	const char *name;
	bool numbers;
};
/* A table that can scroll, up to its body; the last of @columns has no name. */
void html_table_begin(struct markup *markup, const char *label, const struct html_column *columns);
void html_table_end(struct markup *markup);

#endif
