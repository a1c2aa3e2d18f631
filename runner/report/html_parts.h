/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pages of the HTML report share: the site, links, headings, tables. */
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
	size_t *order; /* indices of results, by file, line and index */
};

/* The page of a scenario, or its part of the single page. */
struct html_page {
	const struct html_site *site;
	const struct result *result;
	size_t index;    /* in the results */
	char prefix[32]; /* of the ids in it: "" or "s7-" */
	struct markup *markup;

	/* Only if there is a record. */
	struct history history;
	struct backoff_view *backoffs;
	struct html_lines *lines; /* of the scenario file: html_lines_find() */
};

/**
 * html_open_capture() - open a capture, to copy it into the report
 * @capture: as the run says, which may come from anywhere; or NULL
 *
 * Return: a descriptor at the start of a regular file in the pcapng format, or -1: a run must not
 * be able to have other files of the reader's published.
 */
int html_open_capture(const struct html_site *site, const char *capture);
/** html_has_capture() - return whether html_open_capture() opens it */
bool html_has_capture(const struct html_site *site, const char *capture);
/**
 * html_capture_name() - return the name of a capture's copy in HTML_CAPTURES; the caller's
 * @index: of the result
 * @run: 0 for the run that counts, or the number of an earlier run, from 1
 */
char *html_capture_name(const struct html_site *site, size_t index, size_t run);

/**
 * html_link_to() - add an attribute href to a scenario's page
 * @sibling: from another scenario's page; otherwise from the overview
 */
void html_link_to(struct markup *markup, const struct html_site *site, size_t index, bool sibling);
/** html_id() - add an attribute id, made of "attempt" and 3, for example */
void html_id(const struct html_page *page, const char *what, size_t number);
/**
 * html_link() - add a link to such an id on the same page
 * @class_name: or NULL
 */
void html_link(const struct html_page *page, const char *what, size_t number,
	       const char *class_name, const char *format, ...) PRINTF(5, 6);
/** html_scrolls() - add the attributes of an element that can scroll, and so needs the keyboard */
void html_scrolls(struct markup *markup, const char *label);
/** html_row_heading() - add <th> for a row */
void html_row_heading(struct markup *markup, const char *text);
/** html_section() - open <section> with a heading that names it */
void html_section(const struct html_page *page, const char *id, const char *heading);
/** html_badge() - add <span class="badge pass">passed</span> */
void html_badge(struct markup *markup, const struct result *result);
/** html_term() - add <dt>term</dt><dd>value</dd>; nothing if @value is NULL */
void html_term(struct markup *markup, const char *term, const char *value);
/** html_started() - add the term "started": <time datetime="…">2026-11-24 09:45:12 UTC</time> */
void html_started(struct markup *markup, int64_t realtime_ns);

/* Columns of numbers are aligned to the right, as are their headings. */
struct html_column {
	const char *name;
	bool numbers;
};
/**
 * html_table_begin() - open a table that can scroll, up to its body
 * @columns: the last one has no name
 */
void html_table_begin(struct markup *markup, const char *label, const struct html_column *columns);
/** html_table_end() - close it */
void html_table_end(struct markup *markup);

#endif
