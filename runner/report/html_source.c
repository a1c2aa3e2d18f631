/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenario's source in HTML, with marks at lines that findings are about. Only the scenario's
 * document is shown, and other documents of the file (defaults) that findings are about: a file of
 * a thousand scenarios must not be shown a thousand times.
 */
#include "runner/report/html_source.h"

enum { MAX_PARTS = 3, MAX_LINES = 400 };

/* Lines [first, last], from 1. */
struct part {
	unsigned first, last;
	size_t offset; /* of the first one in the source */
};

struct html_lines {
	struct part parts[MAX_PARTS];
	size_t n_parts;
};

/* Finds the document that contains @line. Returns false if the file has no such line. */
static bool find_document(const struct scenario_file *file, unsigned line, struct part *ret)
{
	const char *source = file->source, *end = source + file->source_length;
	struct part part = {.first = 1};
	unsigned at = 0;

	for (const char *text = source; text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		at++;
		if (end - text >= 3 && !strncmp(text, "---", 3)) {
			if (at > line)
				break;
			part.first = at;
			part.offset = (size_t)(text - source);
		}
		part.last = at;
		text = newline ? newline + 1 : end;
	}
	if (line > part.last)
		return false;
	/* Of a very long document only the lines around this one are shown. */
	if (part.last - part.first >= MAX_LINES) {
		unsigned first =
			line > part.first + MAX_LINES / 2 ? line - MAX_LINES / 2 : part.first;
		const char *text = source + part.offset;

		for (; part.first < first; part.first++)
			text = (const char *)memchr(text, '\n', (size_t)(end - text)) + 1;
		part.offset = (size_t)(text - source);
		part.last = MIN(part.last, part.first + MAX_LINES - 1);
	}
	*ret = part;
	return true;
}

bool html_lines_have(const struct html_lines *lines, unsigned line)
{
	for (size_t i = 0; line > 0 && i < lines->n_parts; i++)
		if (line >= lines->parts[i].first && line <= lines->parts[i].last)
			return true;
	return false;
}

static void take_line(struct html_lines *lines, const struct scenario_file *file, unsigned line)
{
	struct part part;

	if (line == 0 || lines->n_parts == MAX_PARTS || html_lines_have(lines, line) ||
	    !find_document(file, line, &part))
		return;
	lines->parts[lines->n_parts++] = part;
}

struct html_lines *html_lines_find(const struct result *result)
{
	struct html_lines *lines = xzalloc(sizeof(*lines));
	const struct scenario_file *file = result->file;

	if (!file || !file->source)
		return lines;
	take_line(lines, file, result_line(result));
	for (size_t i = 0; i < result->judgement.n_findings; i++)
		take_line(lines, file, result->judgement.findings[i].place.line);
	return lines;
}

/* Returns the number of the first finding about a line, from 1, or 0. */
static size_t finding_of(const struct result *result, unsigned line)
{
	for (size_t i = 0; i < result->judgement.n_findings; i++)
		if (result->judgement.findings[i].place.line == line)
			return i + 1;
	return 0;
}

static bool is_diagnosed(const struct result *result, unsigned line)
{
	const struct broken_document *broken = result->broken;

	for (size_t i = 0; broken && i < broken->n_diags; i++)
		if (broken->first_diag + i < result->file->diags.n_items &&
		    result->file->diags.items[broken->first_diag + i].line == line)
			return true;
	return false;
}

static void add_line(struct html_page *page, unsigned line, const char *text, size_t length)
{
	size_t finding = finding_of(page->result, line);
	struct markup *markup = page->markup;
	bool bad = finding > 0 || is_diagnosed(page->result, line);

	markup_open(markup, "li");
	html_id(page, "line", line);
	if (bad)
		markup_attr(markup, "class", "bad");
	markup_begin(markup, "span", "at");
	markup_textf(markup, "%s%u", bad ? "✗ " : "", line);
	markup_close(markup);
	markup_open(markup, "code");
	markup_bytes(markup, text, length);
	markup_close(markup);
	if (finding)
		html_link(page, "finding", finding, "back", "finding %zu", finding);
	markup_close(markup);
}

static void add_part(struct html_page *page, const struct part *part)
{
	const struct scenario_file *file = page->result->file;
	const char *text = file->source + part->offset, *end = file->source + file->source_length;

	markup_begin(page->markup, "ol", "source");
	markup_attr(page->markup, "tabindex", "0");
	markup_attrf(page->markup, "aria-label", "Lines %u to %u", part->first, part->last);
	for (unsigned line = part->first; line <= part->last && text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);

		add_line(page, line, text, length);
		text += length + (newline != NULL);
	}
	markup_close(page->markup);
}

void html_source(struct html_page *page)
{
	if (page->lines->n_parts == 0)
		return;
	html_section(page, "source", "Scenario");
	markup_begin(page->markup, "p", "dim");
	markup_element(page->markup, "code", NULL, page->site->files[page->index]);
	markup_close(page->markup);
	for (size_t i = 0; i < page->lines->n_parts; i++) {
		if (i > 0)
			markup_element(page->markup, "p", "dim", "Another document of the file:");
		add_part(page, &page->lines->parts[i]);
	}
	markup_close(page->markup);
}
