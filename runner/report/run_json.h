/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole run as one JSON document (docs/json.md): results, records, judgements and the text of the
 * scenario files, so that reports can be made and records judged again later and elsewhere.
 */
#ifndef SYNFAULT_RUNNER_REPORT_RUN_JSON_H
#define SYNFAULT_RUNNER_REPORT_RUN_JSON_H

#include "common/diag.h"
#include "runner/report/result.h"

/* The reader refuses larger files: it keeps them in memory. */
#define RUN_JSON_MAX_SIZE ((size_t)1024 * 1024 * 1024)

/*
 * Writes the document to a file, or checks that it can: see report/file.h. The text of one result
 * is in memory at a time.
 */
int run_json_check_path(const char *path, struct diag_list *diags);
int run_json_write(const struct run_results *results, const char *path, struct diag_list *diags);

/* Adds the JSON Schema of the document (docs/run.schema.json). */
void run_json_schema(struct strbuf *out);

/* A run that was read, with what its results borrow. */
struct stored_run {
	struct run_results results;
	struct scenario_file **files; /* those that were run */
	size_t n_files, files_capacity;
	struct scenario **unread; /* substitutes: see stored_run_is_readable() */
	size_t n_unread, unread_capacity;
	char *shard, *records;
};

/*
 * Reads a document and trusts nothing in it. Returns the run, or NULL with *@ret_message (owned by
 * the caller). What was written reads back with the same results and judgements. Unknown keys are
 * ignored, so that it reads documents of later versions of synfault.
 */
struct stored_run *run_json_read(const char *text, size_t length, char **ret_message);
/* Adds the text of a file. Returns false with *@ret_message (owned by the caller). */
bool run_json_read_file(const char *path, struct strbuf *text, char **ret_message);
/* The same for a file. */
struct stored_run *run_json_load(const char *path, char **ret_message);
/* Adds one: see below. @record (may be NULL) says which endpoints it has. */
struct scenario *stored_run_stand_in(struct stored_run *run, const char *path, const char *name,
				     const struct record *record);
/*
 * Whether this program can read the scenario's text. Otherwise the scenario is a substitute with
 * names and tags: enough for reports, not to judge it again.
 */
bool stored_run_is_readable(const struct stored_run *run, const struct scenario *scenario);
void stored_run_free(struct stored_run *run);
void stored_run_freep(struct stored_run **run);
#define AUTO_STORED_RUN CLEANUP(stored_run_freep)

#endif
