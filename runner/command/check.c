/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault check`: finds all errors in scenario files, and runs nothing. */
#include "runner/command/command.h"

#include "common/text.h"
#include "runner/command/scenario_paths.h"
#include "runner/report/console.h"

struct check_options {
	enum color_mode color;
};

static int run_check(void *parsed, const struct operands *operands,
		     const struct command_context *context)
{
	const struct check_options *options = parsed;
	FILE *out = context->out, *err = context->err;
	AUTO_FILE_PATHS struct scenario_paths files = {0};
	size_t n_scenarios = 0, n_errors, n_wrong;
	bool color = color_is_wanted(options->color, err);

	scenario_paths_find(&files, operands->items, (size_t)operands->n, err, color);
	n_errors = n_wrong = files.n_errors;
	for (size_t i = 0; i < files.n_paths; i++) {
		struct scenario_file *file = scenario_file_check(files.paths[i]);

		scenario_paths_print_diags(file, err, color);
		n_scenarios += file->n_checked;
		n_errors += file->diags.n_items;
		n_wrong += file->diags.n_items > 0;
		scenario_file_free(file);
	}
	if (n_errors) {
		fprintf(err, "%zu error%s in %zu file%s\n", n_errors, PLURAL(n_errors), n_wrong,
			PLURAL(n_wrong));
		return STATUS_USAGE;
	}
	if (!n_scenarios) {
		fprintf(err, "no scenario found\n");
		return STATUS_NOTHING_RAN;
	}
	fprintf(out, "%zu scenario%s in %zu file%s, all fine\n", n_scenarios, PLURAL(n_scenarios),
		files.n_paths, PLURAL(files.n_paths));
	return STATUS_PASSED;
}

static const struct option_spec check_options[] = {
	OPTION_ROW_COLOR(struct check_options, color),
	OPTION_ROW_HELP,
};

const struct command command_check = {
	.name = "check",
	.arguments = "[OPTION...] PATH...",
	.summary = "find all errors in scenario files",
	.description = "Finds all errors in scenario files, and runs nothing.\n",
	.options = OPTION_TABLE(check_options, .size = sizeof(struct check_options)),
	.min_operands = 1,
	.max_operands = -1,
	.needs = "a scenario file or directory is needed",
	.run = run_check,
};
