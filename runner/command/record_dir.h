/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of records (--records), as docs/record.md describes it: one file per scenario, named
 * by its number, and run.json, which says what belongs to the run.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_RECORD_DIR_H
#define SYNFAULT_RUNNER_COMMAND_RECORD_DIR_H

#include "runner/report/result.h"
#include "runner/schedule/shard.h"

/* Makes the directory. Returns 0 or a negative errno: it can't be written to. */
int record_dir_make_directory(const char *directory);
/*
 * Writes all records of a run. @n_scenarios: in the whole selection, all shards together.
 * Returns 0 or a negative errno.
 */
int record_dir_write(const char *directory, const struct run_results *results,
		     const struct shard *shard, size_t n_scenarios);

/* What run.json says. */
struct record_dir_run {
	struct shard shard; /* count 0: not one of several */
	uint64_t seed;
	size_t n_scenarios;
	char **names; /* of the records' files; owned, NULL-terminated */
};
/*
 * Reads it. Returns false with *@ret_message (owned by the caller) when the directory holds no run.
 * Free it with record_dir_run_free().
 */
bool record_dir_read_run(const char *directory, struct record_dir_run *ret, char **ret_message);
/* Writes it. Returns 0 or a negative errno. */
int record_dir_write_run(const char *directory, const struct record_dir_run *run);
void record_dir_run_free(struct record_dir_run *run);
#define AUTO_RECORDS_RUN CLEANUP(record_dir_run_free)

/* Writes a whole file. Returns 0 or a negative errno. */
int record_dir_write_file(const char *directory, const char *name, const char *text, size_t length);

#endif
