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

/** run_json_check_path() - check that the document can be written; as report_file_check() */
int run_json_check_path(const char *path, struct diag_list *diags);
/** run_json_write() - write the document, with one result in memory; as report_file_write() */
int run_json_write(const struct run_results *results, const char *path, struct diag_list *diags);

/* A run read back, with everything that its results borrow. */
struct stored_run {
	struct run_results results;
	struct scenario_file **files; /* of the scenarios that ran */
	size_t n_files, files_capacity;
	struct scenario **unread; /* substitutes: see stored_run_is_readable() */
	size_t n_unread, unread_capacity;
};

/**
 * run_json_read() - read a document, without trusting anything in it
 * @ret_message: on failure one sentence, owned by the caller
 *
 * A written run reads back with the same results and judgements. Unknown keys are ignored, so that
 * documents of later versions of synfault can be read.
 *
 * Return: the run, or NULL.
 */
struct stored_run *run_json_read(const char *text, size_t length, char **ret_message);
/** run_json_read_file() - add the text of a file; return false with *@ret_message, the caller's */
bool run_json_read_file(const char *path, struct strbuf *text, char **ret_message);
/** run_json_load() - read a document from a file; as run_json_read() */
struct stored_run *run_json_load(const char *path, char **ret_message);
/**
 * stored_run_stand_in() - add a substitute for a scenario that can't be read
 * @record: says which endpoints it has; or NULL
 *
 * A substitute has names and tags: enough for reports, but not for judging it again.
 */
struct scenario *stored_run_stand_in(struct stored_run *run, const char *path, const char *name,
				     const struct record *record);
/** stored_run_is_readable() - return whether the scenario was read and is not a substitute */
bool stored_run_is_readable(const struct stored_run *run, const struct scenario *scenario);
void stored_run_free(struct stored_run *run);
void stored_run_freep(struct stored_run **run);
#define AUTO_STORED_RUN CLEANUP(stored_run_freep)

#endif
