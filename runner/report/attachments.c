/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See attachments.h. */
#include "runner/report/attachments.h"

#include "runner/report/html_parts.h"
#include "runner/report/svg_files.h"

#define MARK "[[ATTACHMENT|"

static void add(struct strbuf *out, const char *path)
{
	AUTO_FREE char *relative = NULL;

	/* It may not have been written, or it may be gone by now. */
	if (!path || access(path, R_OK) < 0)
		return;
	relative = report_repository_path(path);
	/* Nothing can escape the end of the mark in a path. */
	if (!strstr(relative, "]]"))
		strbuf_printf(out, MARK "%s]]\n", relative);
}

void attachments_add(struct strbuf *out, const struct attachment_sources *sources,
		     const struct run_results *results, size_t index)
{
	const struct result *result = &results->items[index];
	AUTO_FREE char *name = report_page_name(result, index);
	AUTO_FREE char *picture = NULL, *record = NULL, *page = NULL;

	if (!result->record)
		return;
	if (sources->timeline)
		picture = svg_files_path(sources->timeline, result, index);
	if (results->records)
		record = xasprintf("%s/%04zu.json", results->records,
				   result->number ? result->number : index + 1);
	if (sources->html)
		page = xasprintf("%s/" HTML_SCENARIOS "/%s.html", sources->html, name);
	add(out, picture);
	add(out, result->capture);
	for (size_t i = 0; i < result->n_earlier; i++)
		add(out, result->earlier[i].capture);
	add(out, record);
	add(out, page);
}

void attachments_disarm(struct strbuf *out, const char *text)
{
	const char *mark;

	while ((mark = strcasestr(text, MARK))) {
		strbuf_add(out, text, (size_t)(mark - text) + 1);
		strbuf_putc(out, ' ');
		text = mark + 1;
	}
	strbuf_puts(out, text);
}
