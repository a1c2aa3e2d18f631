/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads finished runs: the file of --json, or the directory of --records. And judges them again,
 * which needs no privileges and runs nothing.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_RUN_LOADER_H
#define SYNFAULT_RUNNER_COMMAND_RUN_LOADER_H

#include "runner/command/outputs.h"
#include "runner/report/run_json.h"

/*
 * Reads a run. A directory of records does not hold scenarios: they are looked for in the files
 * that the records name, as given when it was run, and judged by them. Returns the run, or NULL
 * with *@ret_message (owned by the caller).
 */
struct stored_run *run_loader_open(const char *path, char **ret_message);

/*
 * Judges a result, and the runs before it, by its scenario: fills in judgement and flaky. @facts:
 * the options that count. A result without a record, and one that was cut short, is left as it is.
 */
void run_loader_judge(const struct stored_run *run, const struct run_metadata *facts,
		      struct result *result);

/* Shows results as `run` does, on GitHub, too. */
void run_loader_print(const struct run_results *results, const struct output_options *options,
		      FILE *out, FILE *err);

#endif
