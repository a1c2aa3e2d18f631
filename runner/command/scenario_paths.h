/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands that only read scenario files have in common: finding them, showing their errors.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_SCENARIO_PATHS_H
#define SYNFAULT_RUNNER_COMMAND_SCENARIO_PATHS_H

#include "runner/scenario/load.h"

struct scenario_paths {
	char **paths; /* owned */
	size_t n_paths, capacity;
	size_t n_errors; /* paths without scenario files; 0 when nothing was found at all */
};

/*
 * Finds the scenario files in @n files and directories, and prints paths without any to @err.
 * Directories without scenarios are errors where other paths have some; where they are all there
 * is, nothing was found, which the caller has another exit status for.
 */
void scenario_paths_find(struct scenario_paths *files, char *const *paths, size_t n, FILE *err,
			 bool color);
void scenario_paths_free(struct scenario_paths *files);
#define AUTO_FILE_PATHS CLEANUP(scenario_paths_free)

/* Writes all diagnostics of a file. */
void scenario_paths_print_diags(const struct scenario_file *file, FILE *err, bool color);

#endif
