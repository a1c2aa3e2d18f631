/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See html.h. */
#include "runner/report/html.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "runner/report/file.h"
#include "runner/report/html_overview.h"
#include "runner/report/html_scenario.h"
#include "runner/report/html_style.h"
#include "runner/report/svg_files.h"

#define WHAT "HTML report"

/* Shown in the browser's tab. */
static const char icon[] =
	"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">"
	"<rect width=\"16\" height=\"16\" rx=\"3\" fill=\"#22456b\"/>"
	"<path d=\"M4 4L12 12M12 4L4 12\" stroke=\"#fff\" stroke-width=\"2\"/></svg>\n";

/* ---- the frame of a page ---- */

static void begin_page(struct markup *markup, const struct html_site *site, const char *title,
		       unsigned depth)
{
	const char *up = depth > 0 ? "../" : "";

	/* Raw, so that the writer has no open element: the document is written in pieces. */
	markup_raw(markup, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
			   "lang=\"en\">\n<head><meta charset=\"UTF-8\"/><meta name=\"viewport\" "
			   "content=\"width=device-width, initial-scale=1\"/>"
			   "<meta name=\"color-scheme\" content=\"light dark\"/>");
	markup_elementf(markup, "title", NULL, "%s", title);
	if (site->single) {
		markup_raw(markup, "<link rel=\"icon\" href=\"data:,\"/><style>\n");
		markup_raw(markup, html_style());
		markup_raw(markup, "</style>");
	} else {
		markup_open(markup, "link");
		markup_attr(markup, "rel", "stylesheet");
		markup_attrf(markup, "href", "%sstyle.css", up);
		markup_close_void(markup);
		markup_open(markup, "link");
		markup_attr(markup, "rel", "icon");
		markup_attrf(markup, "href", "%sicon.svg", up);
		markup_close_void(markup);
	}
	markup_raw(markup, "</head>\n<body id=\"top\">"
			   "<a class=\"to-main\" href=\"#main\">Skip to the content</a>\n"
			   "<main id=\"main\">");
}

static void end_page(struct markup *markup)
{
	markup_raw(markup,
		   "\n</main>\n<footer class=\"site\"><p>Written by synfault " SYNFAULT_VERSION
		   "</p></footer>\n</body>\n</html>\n");
}

/* ---- the site ---- */

struct sorted {
	const char *file;
	unsigned line;
	size_t index;
};

static int compare_sorted(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;

	return strcmp(a->file, b->file) ?: COMPARE(a->line, b->line) ?: COMPARE(a->index, b->index);
}

static void sort_results(struct html_site *site, size_t n)
{
	AUTO_FREE struct sorted *sorted = xzalloc((n + 1) * sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] =
			(struct sorted){site->files[i], result_line(&site->results->items[i]), i};
	qsort(sorted, n, sizeof(*sorted), compare_sorted);
	for (size_t i = 0; i < n; i++)
		site->order[i] = sorted[i].index;
}

static void site_init(struct html_site *site, const struct run_results *results, bool single)
{
	size_t n = results->n_items;

	*site = (struct html_site){
		.results = results,
		.single = single,
		.names = xzalloc((n + 1) * sizeof(*site->names)),
		.titles = xzalloc((n + 1) * sizeof(*site->titles)),
		.files = xzalloc((n + 1) * sizeof(*site->files)),
		.order = xzalloc((n + 1) * sizeof(*site->order)),
	};
	for (size_t i = 0; i < n; i++) {
		struct strbuf title = {0};

		result_title(&results->items[i], &title);
		site->titles[i] = strbuf_steal(&title);
		site->names[i] = report_page_name(&results->items[i], i);
		site->files[i] = result_repository_path(&results->items[i]);
	}
	sort_results(site, n);
}

static void site_clear(struct html_site *site)
{
	for (size_t i = 0; i < site->results->n_items; i++) {
		free(site->names[i]);
		free(site->titles[i]);
		free(site->files[i]);
	}
	free(site->names);
	free(site->titles);
	free(site->files);
	free(site->order);
}

/* ---- files ---- */

/*
 * Writes a page. Unlike report_file_write() it does not wait for the disk: the overview, which is
 * written last, waits for all pages.
 */
static int write_file(const char *directory, const char *name, const char *text, size_t length,
		      struct diag_list *diags)
{
	AUTO_FREE char *path = xasprintf("%s/%s", directory, name);

	return report_cant_write(report_file_put(path, text, length), WHAT, path, diags);
}

/* Copies what @source has from its start. Returns 0 or a negative errno. */
static int copy_file(int source, const char *to)
{
	AUTO_CLOSE int target = -1;
	struct stat source_status, target_status;
	char buffer[65536];
	ssize_t length;
	int status = 0;

	if (fstat(source, &source_status) < 0)
		return -errno;
	/* The capture may itself be in the directory of copies. */
	if (stat(to, &target_status) == 0 && source_status.st_dev == target_status.st_dev &&
	    source_status.st_ino == target_status.st_ino)
		return 0;
	target = report_file_create(to);
	if (target < 0)
		return target;
	while (!status && (length = read(source, buffer, sizeof(buffer))) != 0)
		status = length < 0 ? -errno : write_all(target, buffer, (size_t)length);
	if (!status && close(steal_fd(&target)) < 0)
		status = -errno;
	return status;
}

static int copy_capture(const struct html_site *site, const char *directory, size_t index,
			size_t run, struct diag_list *diags)
{
	const struct result *result = &site->results->items[index];
	const char *capture = run ? result->earlier[run - 1].capture : result->capture;
	AUTO_FREE char *name = html_capture_name(site, index, run);
	AUTO_FREE char *captures = xasprintf("%s/" HTML_CAPTURES, directory);
	AUTO_FREE char *path = xasprintf("%s/%s", captures, name);
	AUTO_CLOSE int source = html_open_capture(site, capture);
	int status;

	if (source < 0)
		return 0;
	status = report_directory_make(WHAT, captures, diags);
	if (status)
		return status;
	return report_cant_write(copy_file(source, path), WHAT, path, diags);
}

int html_check(const char *directory, struct diag_list *diags)
{
	return report_directory_make(WHAT, directory, diags);
}

int html_single_check(const char *path, struct diag_list *diags)
{
	return report_file_check(WHAT, path, diags);
}

static int write_scenario(const struct html_site *site, const char *directory, size_t index,
			  struct diag_list *diags)
{
	AUTO_MARKUP struct markup *markup = markup_new();
	AUTO_FREE char *name = xasprintf(HTML_SCENARIOS "/%s.html", site->names[index]),
		       *text = NULL;
	size_t length;

	begin_page(markup, site, site->titles[index], 1);
	html_scenario(markup, site, index);
	end_page(markup);
	text = markup_steal(markup, &length);
	return write_file(directory, name, text, length, diags);
}

static int write_pages(const struct html_site *site, const char *directory, struct diag_list *diags)
{
	AUTO_FREE char *scenarios = xasprintf("%s/" HTML_SCENARIOS, directory),
		       *index_path = xasprintf("%s/index.html", directory), *text = NULL;
	AUTO_MARKUP struct markup *markup = markup_new();
	size_t length;
	int status = report_directory_make(WHAT, scenarios, diags);

	if (!status)
		status = write_file(directory, "style.css", html_style(), strlen(html_style()),
				    diags);
	if (!status)
		status = write_file(directory, "icon.svg", icon, strlen(icon), diags);
	for (size_t i = 0; !status && i < site->results->n_items; i++) {
		for (size_t run = 0; !status && run <= site->results->items[i].n_earlier; run++)
			status = copy_capture(site, directory, i, run, diags);
		if (!status)
			status = write_scenario(site, directory, i, diags);
	}
	if (status)
		return status;
	begin_page(markup, site, "synfault report", 0);
	html_overview(markup, site);
	end_page(markup);
	text = markup_steal(markup, &length);
	return report_file_write(WHAT, index_path, text, length, diags);
}

int html_write(const struct run_results *results, const char *directory, struct diag_list *diags)
{
	struct html_site site;
	int status;

	site_init(&site, results, false);
	status = write_pages(&site, directory, diags);
	site_clear(&site);
	return status;
}

/* Moves what was written so far to the file. */
static void move_to(struct report_file *file, struct markup *markup)
{
	size_t length;
	AUTO_FREE char *text = markup_steal(markup, &length);

	report_file_add(file, text, length);
}

int html_single_write(const struct run_results *results, const char *path, struct diag_list *diags)
{
	struct report_file *file = report_file_open(WHAT, path);
	AUTO_MARKUP struct markup *markup = markup_new();
	struct html_site site;

	site_init(&site, results, true);
	begin_page(markup, &site, "synfault report", 0);
	html_overview(markup, &site);
	move_to(file, markup);
	for (size_t i = 0; i < results->n_items; i++) {
		markup_raw(markup, "\n");
		markup_open(markup, "article");
		markup_attrf(markup, "aria-labelledby", "s%zu-top-0", site.order[i] + 1);
		html_scenario(markup, &site, site.order[i]);
		markup_close(markup);
		move_to(file, markup);
	}
	end_page(markup);
	move_to(file, markup);
	site_clear(&site);
	return report_file_close(file, diags);
}
