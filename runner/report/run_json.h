/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole run as one JSON document (docs/json.md): results, records, judgements, and the text of
 * the scenario files, so that reports can be made of it and its records be judged again later and
 * elsewhere.
 */
#ifndef SYNFAULT_RUNNER_REPORT_RUN_JSON_H
#define SYNFAULT_RUNNER_REPORT_RUN_JSON_H

#include "common/diag.h"
#include "runner/report/result.h"

/* Larger files are refused by the reader, which has to hold them in memory. */
#define RUN_JSON_MAX_SIZE ((size_t)1024 * 1024 * 1024)

/*
 * Writes the document to a file, or finds out whether that can be done: see report/file.h. One
 * record is in memory at a time.
 */
int run_json_check_path(const char *path, struct diag_list *diags);
int run_json_write(const struct run_results *results, const char *path, struct diag_list *diags);

/* Adds the JSON Schema of the document (docs/run.schema.json). */
void run_json_schema(struct strbuf *out);

/* A run that was read, with all that its results borrow. */
struct stored_run {
	struct run_results results;
	struct scenario_file **files; /* those that were run */
	size_t n_files, files_capacity;
	struct scenario **unread; /* stand-ins: see stored_run_is_readable() */
	size_t n_unread, unread_capacity;
	char *shard, *records;
};

/*
 * Reads a document and trusts nothing in it. Returns the run, or NULL with *@ret_message (owned by
 * the caller) when the text is none or is wrong. What was written reads back with the same results
 * and judgements; keys that are not known are passed over, so that a later version's document can
 * be read.
 */
struct stored_run *run_json_read(const char *text, size_t length, char **ret_message);
/* Adds all of a file that is not too large. Returns false with *@ret_message (the caller's). */
bool run_json_read_file(const char *path, struct strbuf *text, char **ret_message);
/* The same for a file. */
struct stored_run *run_json_load(const char *path, char **ret_message);
/* Adds one: see below. @record (may be NULL) says which endpoints it has. */
struct scenario *stored_run_stand_in(struct stored_run *run, const char *path, const char *name,
				     const struct record *record);
/*
 * Whether this program can read the scenario's text. Otherwise the scenario is a stand-in with its
 * name, its tags and its endpoints' names: enough to report on it, not to judge it again.
 */
bool stored_run_is_readable(const struct stored_run *run, const struct scenario *scenario);
void stored_run_free(struct stored_run *run);
void stored_run_freep(struct stored_run **run);
#define AUTO_STORED_RUN CLEANUP(stored_run_freep)

#endif
