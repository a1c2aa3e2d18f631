/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of a run's JSON document: writer, reader and docs/run.schema.json follow from them.
 * What a result borrows from its scenario has members of its own here.
 */
#ifndef SYNFAULT_RUNNER_REPORT_RUN_JSON_FIELDS_H
#define SYNFAULT_RUNNER_REPORT_RUN_JSON_FIELDS_H

#include "runner/record/json_fields.h"
#include "runner/report/result.h"

#define RUN_JSON_FORMAT "synfault-results"

struct json_file {
	char *path, *source; /* source: NULL if it could not be read */
	size_t source_length;
};

struct json_result {
	struct result result; /* read: without file, scenario, broken document and judgement */
	char *name, *path, *repository_path;
	uint32_t line, file; /* file: index into the document's; UINT32_MAX: none */
	char **tags;
	enum outcome outcome;
	char *reason;
	struct judgement *judgement; /* or NULL, and these: */
	struct diag *diagnostics;
	size_t n_diagnostics;
};

struct json_document {
	struct run_results run; /* read: without items */
	struct {
		size_t scenarios, passed, failed, errors, skipped, flaky;
		uint32_t exit_status;
	} summary;
	struct json_file *files;
	size_t n_files;
	struct json_result *results;
	size_t n_results;
};

extern const struct json_type run_json_judgement_type; /* of struct judgement */
extern const struct json_type json_file_type, json_result_type, json_document_type;
/* The document without files and results, which the writer adds one by one. */
extern const struct json_type json_head_type;

#endif
