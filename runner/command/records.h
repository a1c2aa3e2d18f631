/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of records (--records), as docs/record.md describes it: one file per scenario, named
 * by its number, and run.json, which says what belongs to the run.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_RECORDS_H
#define SYNFAULT_RUNNER_COMMAND_RECORDS_H

#include "runner/command/shard.h"
#include "runner/report/result.h"

/* Makes the directory. Returns 0 or a negative errno: it can't be written to. */
int records_make_directory(const char *directory);
/*
 * Writes all records of a run. @n_scenarios: in the whole selection, of which a shard has a part.
 * Returns 0 or a negative errno.
 */
int records_write(const char *directory, const struct run_results *results,
		  const struct shard *shard, size_t n_scenarios);

/* What run.json says. */
struct records_run {
	struct shard shard; /* count 0: not one of several */
	uint64_t seed;
	size_t n_scenarios;
	char **names; /* of the records' files; owned, NULL-terminated */
};
/*
 * Reads it. Returns false with *@ret_message (owned by the caller) when the directory holds no run.
 * Free it with records_run_free().
 */
bool records_read_run(const char *directory, struct records_run *ret, char **ret_message);
/* Writes it. Returns 0 or a negative errno. */
int records_write_run(const char *directory, const struct records_run *run);
void records_run_free(struct records_run *run);
#define AUTO_RECORDS_RUN CLEANUP(records_run_free)

/* Writes a whole file. Returns 0 or a negative errno. */
int records_write_file(const char *directory, const char *name, const char *text, size_t length);

#endif
