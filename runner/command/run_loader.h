/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads finished runs, the file of --json or the directory of --records, and judges them again.
 * This needs no privileges and runs nothing.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_RUN_LOADER_H
#define SYNFAULT_RUNNER_COMMAND_RUN_LOADER_H

#include "runner/command/outputs.h"
#include "runner/report/run_json.h"

/**
 * run_loader_open() - read a run
 * @path: a file of --json, or a directory of --records
 * @ret_message: on failure one sentence, owned by the caller
 *
 * A directory of records does not hold scenarios. They are loaded from the files that the records
 * name, by the paths given to the run, and used to judge.
 *
 * Return: the run, or NULL.
 */
struct stored_run *run_loader_open(const char *path, char **ret_message);

/**
 * run_loader_judge() - judge a result and its earlier runs again, by its scenario
 * @facts: options that judging depends on
 * @result: gets judgement and flaky; a result without a record, or cut short, stays as it is
 */
void run_loader_judge(const struct stored_run *run, const struct run_metadata *facts,
		      struct result *result);

/** run_loader_print() - print results as `run` does, for GitHub, too */
void run_loader_print(const struct run_results *results, const struct output_options *options,
		      FILE *out, FILE *err);

#endif
