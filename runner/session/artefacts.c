/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files about one ended session: see artefacts.h. */
#include "runner/session/artefacts.h"

#include <limits.h>

#include "runner/report/file.h"
#include "runner/report/svg_files.h"
#include "runner/report/svg_timeline.h"

#define WHAT "session's file"

/* Adds the path of a file that exists. */
static void add_path(json_t *object, const char *key, const char *path)
{
	AUTO_FREE char *absolute = realpath(path, NULL);

	json_object_set_new(object, key, json_string(absolute ? absolute : path));
}

json_t *artefacts_write(const struct result *result, size_t index, const char *directory,
			double timing_scale, struct diag_list *diags)
{
	const struct svg_timeline_style style = {.standalone = true, .timing_scale = timing_scale};
	AUTO_FREE char *name = report_page_name(result, index);
	AUTO_FREE char *record_path = xasprintf("%s/%s.json", directory, name);
	AUTO_FREE char *picture_path = xasprintf("%s/%s.svg", directory, name);
	AUTO_FREE char *record = NULL, *picture = NULL;
	json_t *paths;
	size_t length;

	if (report_directory_make(WHAT, directory, diags) < 0)
		return NULL;
	record = record_write_json(result->record, &length);
	if (report_file_write(WHAT, record_path, record, length, diags) < 0)
		return NULL;
	picture = svg_timeline_format(result->scenario, result->record, &result->judgement, &style,
				      &length);
	if (report_file_write(WHAT, picture_path, picture, length, diags) < 0)
		return NULL;
	paths = json_object();
	add_path(paths, "record", record_path);
	add_path(paths, "picture", picture_path);
	if (result->capture)
		add_path(paths, "capture", result->capture);
	return paths;
}
