/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault check`: see check.h. */
#include "runner/command/check.h"

#include "runner/command/scenario_paths.h"

/* "1 error", "2 errors" */
static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

int command_check(char *const *paths, size_t n, FILE *out, FILE *err, bool color)
{
	AUTO_FILE_PATHS struct scenario_paths files = {0};
	size_t n_scenarios = 0, n_errors, n_wrong;

	scenario_paths_find(&files, paths, n, err, color);
	n_errors = n_wrong = files.n_errors;
	for (size_t i = 0; i < files.n_paths; i++) {
		struct scenario_file *file = scenario_file_load(files.paths[i]);

		scenario_paths_print_diags(file, err, color);
		n_scenarios += file->n_scenarios;
		n_errors += file->diags.n_items;
		n_wrong += file->diags.n_items > 0;
		scenario_file_free(file);
	}
	if (n_errors) {
		fprintf(err, "%zu error%s in %zu file%s\n", n_errors, plural(n_errors), n_wrong,
			plural(n_wrong));
		return 4;
	}
	if (!n_scenarios) {
		fprintf(err, "no scenario was found\n");
		return 5;
	}
	fprintf(out, "%zu scenario%s in %zu file%s, all fine\n", n_scenarios, plural(n_scenarios),
		files.n_paths, plural(files.n_paths));
	return 0;
}
