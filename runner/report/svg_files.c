/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timeline pictures as files: see svg_files.h. */
#include "runner/report/svg_files.h"

#include <ctype.h>
#include <errno.h>

#include "runner/report/file.h"
#include "runner/report/svg_timeline.h"

#define WHAT "timeline picture"

enum { SLUG_LENGTH = 50 };

char *report_page_name(const struct result *result, size_t index)
{
	const char *name = result_name(result);
	struct strbuf slug = {0};
	size_t start;

	strbuf_printf(&slug, "%04zu-", result->number ? result->number : index + 1);
	start = slug.length;
	for (; *name && slug.length - start < SLUG_LENGTH; name++) {
		unsigned char c = (unsigned char)*name;

		if (c < 128 && isalnum(c))
			strbuf_putc(&slug, (char)tolower(c));
		else if (slug.data[slug.length - 1] != '-')
			strbuf_putc(&slug, '-');
	}
	while (slug.data[slug.length - 1] == '-')
		slug.data[--slug.length] = '\0';
	return strbuf_steal(&slug);
}

static bool is_picture(const char *path)
{
	size_t length = strlen(path);

	return length > 4 && !strcmp(path + length - 4, ".svg");
}

char *svg_files_path(const char *path, const struct result *result, size_t index)
{
	AUTO_FREE char *name = report_page_name(result, index);

	return is_picture(path) ? xstrdup(path) : xasprintf("%s/%s.svg", path, name);
}

int svg_files_check(const char *path, struct diag_list *diags)
{
	return is_picture(path) ? report_file_check(WHAT, path, diags)
				: report_directory_make(WHAT "s in", path, diags);
}

static int write_picture(const struct run_results *results, const struct result *result,
			 const char *path, struct diag_list *diags)
{
	struct svg_timeline_style style = {.standalone = true,
					   .timing_scale = results->facts.timing_scale};
	size_t length;
	AUTO_FREE char *text = svg_timeline_format(result->scenario, result->record,
						   &result->judgement, &style, &length);

	return report_file_write(WHAT, path, text, length, diags);
}

int svg_files_write(const struct run_results *results, const char *path, struct diag_list *diags)
{
	size_t n_records = 0;
	int error = 0;

	for (size_t i = 0; i < results->n_items; i++)
		n_records += results->items[i].record != NULL;
	if (is_picture(path) && n_records != 1) {
		diag_add(diags, NULL,
			 "no timeline picture is written to %s: %zu scenarios were run, and one "
			 "has room there; select one, or name a directory",
			 path, n_records);
		return -EINVAL;
	}
	for (size_t i = 0; !error && i < results->n_items; i++) {
		const struct result *result = &results->items[i];
		AUTO_FREE char *file = svg_files_path(path, result, i);

		if (!result->record)
			continue;
		error = write_picture(results, result, file, diags);
	}
	return error;
}
