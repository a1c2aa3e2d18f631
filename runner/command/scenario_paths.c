/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds scenario files and prints their errors: see scenario_paths.h. */
#include "runner/command/scenario_paths.h"

#include <errno.h>

static void print_diags(const struct diag_list *diags, const char *source_text, size_t length,
			FILE *err, bool color)
{
	struct diag_source source = {.text = source_text, .length = length};

	for (size_t i = 0; i < diags->n_items; i++) {
		AUTO_STRBUF struct strbuf text = {0};

		diag_format(&diags->items[i], &source, color, &text);
		fwrite(strbuf_text(&text), 1, text.length, err);
	}
}

void scenario_paths_find(struct scenario_paths *files, char *const *paths, size_t n, FILE *err,
			 bool color)
{
	size_t n_empty = 0;

	for (size_t i = 0; i < n; i++) {
		AUTO_DIAG struct diag_list diags = {0};
		int r = scenario_find(paths[i], &files->paths, &files->n_paths, &files->capacity,
				      &diags);

		print_diags(&diags, NULL, 0, err, color);
		if (r == -ENODATA)
			n_empty++;
		else if (r < 0)
			files->n_errors += diags.n_items;
	}
	/* Beside other files this is a mistake that would go unnoticed: tests that never run. */
	if (files->n_paths > 0)
		files->n_errors += n_empty;
}

void scenario_paths_free(struct scenario_paths *files)
{
	for (size_t i = 0; i < files->n_paths; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct scenario_paths){0};
}

void scenario_paths_print_diags(const struct scenario_file *file, FILE *err, bool color)
{
	print_diags(&file->diags, file->source, file->source_length, err, color);
}
