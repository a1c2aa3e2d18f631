/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands that only read scenario files share: finding them, and printing their errors. */
#ifndef SYNFAULT_RUNNER_COMMAND_SCENARIO_PATHS_H
#define SYNFAULT_RUNNER_COMMAND_SCENARIO_PATHS_H

#include "runner/scenario/load.h"

struct scenario_paths {
	char **paths; /* owned */
	size_t n_paths, capacity;
	size_t n_errors; /* paths without scenario files; 0 if nothing at all was found */
};

/**
 * scenario_paths_find() - find the scenario files in files and directories
 * @paths: @n of them
 * @err: gets a message for each path without scenario files
 *
 * A directory without scenarios is an error if other paths have some. If no path has any, nothing
 * was found, for which the caller has an exit status of its own.
 */
void scenario_paths_find(struct scenario_paths *files, char *const *paths, size_t n, FILE *err,
			 bool color);
void scenario_paths_free(struct scenario_paths *files);
#define AUTO_FILE_PATHS CLEANUP(scenario_paths_free)

/** scenario_paths_print_diags() - print all diagnostics of a file */
void scenario_paths_print_diags(const struct scenario_file *file, FILE *err, bool color);

#endif
