/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See html_parts.h. */
#include "runner/report/html_parts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "common/duration.h"

void html_link_to(struct markup *markup, const struct html_site *site, size_t index, bool sibling)
{
	if (site->single)
		markup_attrf(markup, "href", "#s%zu-top-0", index + 1);
	else
		markup_attrf(markup, "href", "%s%s.html", sibling ? "" : HTML_SCENARIOS "/",
			     site->names[index]);
}

void html_id(const struct html_page *page, const char *what, size_t number)
{
	markup_attrf(page->markup, "id", "%s%s-%zu", page->prefix, what, number);
}

void html_link(const struct html_page *page, const char *what, size_t number,
	       const char *class_name, const char *format, ...)
{
	AUTO_FREE char *text = FORMAT_REST(format);

	markup_open(page->markup, "a");
	if (class_name)
		markup_attr(page->markup, "class", class_name);
	markup_attrf(page->markup, "href", "#%s%s-%zu", page->prefix, what, number);
	markup_text(page->markup, text);
	markup_close(page->markup);
}

void html_scrolls(struct markup *markup, const char *label)
{
	markup_attr(markup, "tabindex", "0");
	markup_attr(markup, "role", "group");
	markup_attr(markup, "aria-label", label);
}

void html_section(const struct html_page *page, const char *id, const char *heading)
{
	markup_raw(page->markup, "\n");
	markup_open(page->markup, "section");
	markup_attrf(page->markup, "aria-labelledby", "%s%s", page->prefix, id);
	markup_open(page->markup, page->site->single ? "h3" : "h2");
	markup_attrf(page->markup, "id", "%s%s", page->prefix, id);
	markup_text(page->markup, heading);
	markup_close(page->markup);
}

void html_badge(struct markup *markup, const struct result *result)
{
	static const char *const words[OUTCOME_N_KINDS] = {
		[OUTCOME_PASS] = "passed",
		[OUTCOME_FAIL] = "failed",
		[OUTCOME_ERROR] = "error",
		[OUTCOME_SKIP] = "skipped",
	};
	enum outcome outcome = result_outcome(result);

	markup_open(markup, "span");
	markup_attrf(markup, "class", "badge %s", outcome_name(outcome));
	markup_text(markup, words[outcome]);
	markup_close(markup);
}

void html_term(struct markup *markup, const char *term, const char *value)
{
	if (!value)
		return;
	markup_element(markup, "dt", NULL, term);
	markup_element(markup, "dd", NULL, value);
}

void html_table_begin(struct markup *markup, const char *label, const struct html_column *columns)
{
	markup_begin(markup, "div", "scroll");
	html_scrolls(markup, label);
	markup_open(markup, "table");
	markup_open(markup, "thead");
	markup_open(markup, "tr");
	for (; columns->name; columns++) {
		markup_open(markup, "th");
		markup_attr(markup, "scope", "col");
		if (columns->numbers)
			markup_attr(markup, "class", "num");
		markup_text(markup, columns->name);
		markup_close(markup);
	}
	markup_close(markup);
	markup_close(markup);
	markup_open(markup, "tbody");
}

void html_row_heading(struct markup *markup, const char *text)
{
	markup_open(markup, "th");
	markup_attr(markup, "scope", "row");
	markup_text(markup, text);
	markup_close(markup);
}

void html_table_end(struct markup *markup)
{
	markup_close(markup);
	markup_close(markup);
	markup_close(markup);
}

void html_started(struct markup *markup, int64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / NS_PER_S);
	char text[40] = "";
	struct tm utc;

	markup_element(markup, "dt", NULL, "started");
	markup_open(markup, "dd");
	if (gmtime_r(&seconds, &utc) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0) {
		markup_open(markup, "time");
		markup_attr(markup, "datetime", text);
		text[10] = ' ';
		text[strlen(text) - 1] = '\0';
		markup_textf(markup, "%s UTC", text);
		markup_close(markup);
	}
	markup_close(markup);
}

char *html_capture_name(const struct html_site *site, size_t index, size_t run)
{
	return run ? xasprintf("%s.%zu.pcapng", site->names[index], run)
		   : xasprintf("%s.pcapng", site->names[index]);
}

int html_open_capture(const struct html_site *site, const char *capture)
{
	/* The type of the first block, which reads the same in either byte order. */
	static const uint8_t section_header[4] = {0x0a, 0x0d, 0x0d, 0x0a};
	AUTO_CLOSE int fd = capture && !site->single
				    ? open(capture, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
				    : -1;
	uint8_t begin[sizeof(section_header)];
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    pread(fd, begin, sizeof(begin), 0) != (ssize_t)sizeof(begin) ||
	    memcmp(begin, section_header, sizeof(begin)) != 0)
		return -1;
	return steal_fd(&fd);
}

bool html_has_capture(const struct html_site *site, const char *capture)
{
	AUTO_CLOSE int fd = html_open_capture(site, capture);

	return fd >= 0;
}
