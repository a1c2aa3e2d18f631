/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a run as JSON: see run_json.h. */
#include "runner/report/run_json.h"

#include "runner/report/file.h"
#include "runner/report/run_json_fields.h"

#define REPORT_KIND "JSON report"

/* Adds an object without its closing brace, so that more can follow. */
static void add_open(struct report_file *out, const struct json_type *type, const void *object)
{
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_putc(&text, '{');
	json_fields_write(type, object, &text);
	report_file_add(out, strbuf_text(&text), text.length);
}

static void add(struct report_file *out, const char *text)
{
	report_file_add(out, text, strlen(text));
}

static void add_head(struct report_file *out, const struct run_results *results)
{
	struct outcome_counts counts = results_count(results);
	const struct json_document document = {
		.run = *results,
		.summary =
			{
				.scenarios = results->n_items,
				.passed = counts.by_outcome[OUTCOME_PASS],
				.failed = counts.by_outcome[OUTCOME_FAIL],
				.errors = counts.by_outcome[OUTCOME_ERROR],
				.skipped = counts.by_outcome[OUTCOME_SKIP],
				.flaky = counts.n_flaky,
				.exit_status = results_status(results),
			},
	};

	add_open(out, &json_head_type, &document);
}

static void add_result(struct report_file *out, const struct result *result, size_t file)
{
	struct judgement judgement = result->judgement;
	AUTO_FREE char *repository_path = result_repository_path(result);
	AUTO_FREE char *name = xstrdup(result_name(result)), *path = xstrdup(result_path(result));
	AUTO_STRBUF struct strbuf reason = {0};
	struct json_result json = {
		.result = *result,
		.name = name,
		.path = path,
		.repository_path = repository_path,
		.line = result_line(result),
		.file = result->file ? (uint32_t)file : UINT32_MAX,
		.tags = result->scenario ? result->scenario->tags : NULL,
		.outcome = result_outcome(result),
		.judgement = result->broken ? NULL : &judgement,
	};

	json.result.duration_ns = MAX(result->duration_ns, 0);
	if (!result->repetition)
		json.result.n_repetitions = 0;
	result_reason(result, &reason);
	json.reason = reason.data;
	if (result->broken) {
		const struct diag_list *diags = &result->file->diags;
		size_t first = MIN(result->broken->first_diag, diags->n_items);

		json.diagnostics = diags->items + first;
		json.n_diagnostics = MIN(result->broken->n_diags, diags->n_items - first);
	}
	add_open(out, &json_result_type, &json);
	add(out, "}");
}

/*
 * Writes each file once, in the order of the results, where results of a file are adjacent.
 * @indices: gets the file's index for each result.
 */
static void add_files(struct report_file *out, const struct run_results *results, size_t *indices)
{
	size_t n_files = 0;

	add(out, ",\n\"files\":[");
	for (size_t i = 0; i < results->n_items; i++) {
		const struct scenario_file *file = results->items[i].file;

		if (!file)
			continue;
		if (i == 0 || file != results->items[i - 1].file) {
			add(out, n_files++ ? ",\n" : "\n");
			add_open(
				out, &json_file_type,
				&(struct json_file){file->path, file->source, file->source_length});
			add(out, "}");
		}
		indices[i] = n_files - 1;
	}
	add(out, "]");
}

int run_json_write(const struct run_results *results, const char *path, struct diag_list *diags)
{
	AUTO_FREE size_t *files = xzalloc((results->n_items + 1) * sizeof(*files));
	struct report_file *out = report_file_open(REPORT_KIND, path);

	add_head(out, results);
	add_files(out, results, files);
	add(out, ",\n\"scenarios\":[");
	for (size_t i = 0; i < results->n_items; i++) {
		add(out, i > 0 ? ",\n" : "\n");
		add_result(out, &results->items[i], files[i]);
	}
	add(out, "]}\n");
	return report_file_close(out, diags);
}

int run_json_check_path(const char *path, struct diag_list *diags)
{
	return report_file_check(REPORT_KIND, path, diags);
}
