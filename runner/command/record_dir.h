/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of records (--records), as docs/record.md describes it: one file per scenario, named
 * by its number, and run.json, which holds what belongs to the run.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_RECORD_DIR_H
#define SYNFAULT_RUNNER_COMMAND_RECORD_DIR_H

#include "runner/report/result.h"
#include "runner/schedule/shard.h"

/** record_dir_make_directory() - make a writable directory; return 0 or a negative errno */
int record_dir_make_directory(const char *directory);
/**
 * record_dir_write() - write all records of a run
 * @n_scenarios: in the whole selection, all shards together
 *
 * Return: 0 or a negative errno.
 */
int record_dir_write(const char *directory, const struct run_results *results,
		     const struct shard *shard, size_t n_scenarios);

/* The contents of run.json. */
struct record_dir_run {
	struct shard shard; /* count 0: the run was not split */
	uint64_t seed;
	size_t n_scenarios;
	char **names; /* of the records' files; owned, NULL-terminated */
};
/**
 * record_dir_read_run() - read run.json
 * @ret: on success; free it with record_dir_run_free()
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Return: false if the directory does not hold a run.
 */
bool record_dir_read_run(const char *directory, struct record_dir_run *ret, char **ret_message);
/** record_dir_write_run() - write run.json; return 0 or a negative errno */
int record_dir_write_run(const char *directory, const struct record_dir_run *run);
void record_dir_run_free(struct record_dir_run *run);
#define AUTO_RECORDS_RUN CLEANUP(record_dir_run_free)

/** record_dir_write_file() - write a whole file; return 0 or a negative errno */
int record_dir_write_file(const char *directory, const char *name, const char *text, size_t length);

#endif
