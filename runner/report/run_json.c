/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a run as JSON: see run_json.h. */
#include "runner/report/run_json.h"

#include <inttypes.h>
#include <jansson.h>

#include "runner/record/base64.h"
#include "runner/report/file.h"
#include "runner/report/run_json_names.h"

#define REPORT_KIND "JSON report"

static const char *const stop_names[] = {
	[STOP_NONE] = "none",
	[STOP_SIGNAL] = "signal",
	[STOP_TIMEOUT] = "timeout",
	[STOP_FAILURES] = "failures",
};

const char *stop_cause_name(enum stop_cause cause)
{
	return cause < ARRAY_SIZE(stop_names) ? stop_names[cause] : NULL;
}

/* ---- values ---- */

/* jansson has no other way to say that memory ran out. */
static json_t *made(json_t *value)
{
	if (!value)
		out_of_memory();
	return value;
}

static void put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, made(value)) < 0)
		out_of_memory();
}

/* Text is stored as it is when it is UTF-8 without NUL, else as {"base64": …}, as in records. */
static json_t *bytes(const char *text, size_t length)
{
	json_t *value = memchr(text, '\0', length) ? NULL : json_stringn(text, length);
	AUTO_STRBUF struct strbuf encoded = {0};

	if (value)
		return value;
	base64_encode(text, length, &encoded);
	value = made(json_object());
	put(value, "base64", json_string(strbuf_text(&encoded)));
	return value;
}

/* NULL is left out. */
static void put_text(json_t *object, const char *key, const char *text)
{
	if (text)
		put(object, key, bytes(text, strlen(text)));
}

static void put_integer(json_t *object, const char *key, int64_t value)
{
	put(object, key, json_integer(value));
}

static void put_bool(json_t *object, const char *key, bool value)
{
	put(object, key, json_boolean(value));
}

static void put_texts(json_t *object, const char *key, char *const *texts)
{
	json_t *array = made(json_array());

	for (; texts && *texts; texts++)
		json_array_append_new(array, bytes(*texts, strlen(*texts)));
	put(object, key, array);
}

/* Seeds are text: they may be beyond what JSON readers take for an integer. */
static void put_seed(json_t *object, const char *key, uint64_t seed)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, seed);
	put_text(object, key, text);
}

/* ---- results ---- */

/* Nothing where there is none. */
static void put_place(json_t *object, const struct place *place)
{
	json_t *value;

	if (!place->path)
		return;
	value = made(json_object());
	put_integer(value, "line", place->line);
	put_integer(value, "column", place->column);
	put_integer(value, "length", place->length);
	put(object, "place", value);
}

/* An index, of which UINT32_MAX stands for none. */
static void put_index(json_t *object, const char *key, uint32_t index)
{
	if (index != UINT32_MAX)
		put_integer(object, key, index);
}

static json_t *finding_json(const struct finding *finding)
{
	json_t *object = made(json_object());

	put_text(object, "type", finding->type);
	put_text(object, "subject", finding->subject);
	put_text(object, "expected", finding->expected);
	put_text(object, "actual", finding->actual);
	put_text(object, "miss", finding->miss);
	put_text(object, "message", finding->message);
	put_text(object, "looks_like", finding->looks_like);
	put_bool(object, "caused_by_lag", finding->caused_by_lag);
	put_index(object, "attempt", finding->attempt);
	put_index(object, "expectation", finding->assessment);
	put_place(object, &finding->place);
	return object;
}

static json_t *assessment_json(const struct assessment *assessment)
{
	json_t *object = made(json_object());

	put_text(object, "result", assessed_name(assessment->result));
	put_text(object, "type", assessment->type);
	put_text(object, "subject", assessment->subject);
	put_text(object, "expected", assessment->expected);
	put_text(object, "actual", assessment->actual);
	put_index(object, "attempt", assessment->attempt);
	put_index(object, "event", assessment->event);
	put_index(object, "finding", assessment->finding);
	put_place(object, &assessment->place);
	return object;
}

static json_t *judgement_json(const struct judgement *judgement)
{
	json_t *object = made(json_object()), *findings = made(json_array());
	json_t *assessments = made(json_array());

	put_text(object, "outcome", outcome_name(judgement->outcome));
	for (size_t i = 0; i < judgement->n_findings; i++)
		json_array_append_new(findings, finding_json(&judgement->findings[i]));
	put(object, "findings", findings);
	for (size_t i = 0; i < judgement->n_assessments; i++)
		json_array_append_new(assessments, assessment_json(&judgement->assessments[i]));
	put(object, "expectations", assessments);
	return object;
}

/* What is wrong with a document. */
static json_t *diagnostics_json(const struct result *result)
{
	const struct broken_document *broken = result->broken;
	const struct diag_list *diags = &result->file->diags;
	json_t *array = made(json_array());

	for (size_t i = 0; i < broken->n_diags && broken->first_diag + i < diags->n_items; i++) {
		const struct diag *diag = &diags->items[broken->first_diag + i];
		json_t *object = made(json_object());

		put_text(object, "message", diag->message);
		put_text(object, "hint", diag->hint);
		put_integer(object, "line", diag->line);
		put_integer(object, "column", diag->column);
		put_integer(object, "length", diag->length);
		json_array_append_new(array, object);
	}
	return array;
}

/* All of a result but its records. */
static json_t *result_json(const struct result *result, size_t file)
{
	json_t *object = made(json_object());
	AUTO_STRBUF struct strbuf reason = {0};
	AUTO_FREE char *repository_path = result_repository_path(result);

	put_text(object, "name", result_name(result));
	put_text(object, "path", result_path(result));
	put_text(object, "repository_path", repository_path);
	put_integer(object, "line", result_line(result));
	if (result->file)
		put_integer(object, "file", (int64_t)file);
	if (result->scenario)
		put_texts(object, "tags", result->scenario->tags);
	put_integer(object, "number", (int64_t)result->number);
	if (result->repetition > 0) {
		put_integer(object, "repetition", result->repetition);
		put_integer(object, "repetitions", result->n_repetitions);
	}
	result_reason(result, &reason);
	put_text(object, "outcome", outcome_name(result_outcome(result)));
	put_text(object, "reason", strbuf_text(&reason));
	put_bool(object, "flaky", result->flaky);
	put_bool(object, "interrupted", result->interrupted);
	put_text(object, "stop", stop_cause_name(result->stop));
	put_integer(object, "duration_ns", result->duration_ns);
	put_text(object, "repeat", result->repeat);
	put_text(object, "capture", result->capture);
	put_text(object, "no_capture", result->no_capture);
	if (result->broken)
		put(object, "diagnostics", diagnostics_json(result));
	else
		put(object, "judgement", judgement_json(&result->judgement));
	return object;
}

static json_t *facts_json(const struct run_metadata *facts)
{
	json_t *object = made(json_object());

	put_text(object, "hostname", facts->hostname);
	put_text(object, "system", facts->system);
	put_text(object, "kernel", facts->kernel);
	put_text(object, "machine", facts->machine);
	put_text(object, "capabilities", facts->capabilities);
	put_integer(object, "user", facts->user);
	put_integer(object, "processors", facts->processors);
	return object;
}

static json_t *options_json(const struct run_metadata *facts)
{
	json_t *object = made(json_object());

	put(object, "timing_scale", json_real(facts->timing_scale ? facts->timing_scale : 1));
	put_text(object, "isolation", facts->isolation);
	if (facts->timeout_ns)
		put_integer(object, "timeout_ns", facts->timeout_ns);
	put_integer(object, "retries", facts->retries);
	put_text(object, "flaky_result", facts->flaky_fails ? "fail" : "pass");
	put_bool(object, "require", facts->require);
	if (facts->command)
		put_texts(object, "command", facts->command);
	return object;
}

static json_t *summary_json(const struct run_results *results)
{
	struct outcome_counts counts = results_count(results);
	json_t *object = made(json_object());

	put_integer(object, "scenarios", (int64_t)results->n_items);
	put_integer(object, "passed", (int64_t)counts.by_outcome[OUTCOME_PASS]);
	put_integer(object, "failed", (int64_t)counts.by_outcome[OUTCOME_FAIL]);
	put_integer(object, "errors", (int64_t)counts.by_outcome[OUTCOME_ERROR]);
	put_integer(object, "skipped", (int64_t)counts.by_outcome[OUTCOME_SKIP]);
	put_integer(object, "flaky", (int64_t)counts.n_flaky);
	put_integer(object, "exit_status", (int64_t)results_status(results));
	return object;
}

/* All of a run but its files and results. */
static json_t *head_json(const struct run_results *results)
{
	json_t *object = made(json_object());

	put_text(object, "format", RUN_JSON_FORMAT);
	put_integer(object, "version", RUN_JSON_VERSION);
	put_text(object, "program", results->facts.program);
	put_integer(object, "started_realtime_ns", results->started_realtime_ns);
	put_integer(object, "duration_ns", results->duration_ns);
	put_bool(object, "interrupted", results->interrupted);
	put_text(object, "stop", stop_cause_name(results->stop));
	put_seed(object, "seed", results->seed);
	put_text(object, "shard", results->shard);
	put_text(object, "records", results->records);
	put(object, "options", options_json(&results->facts));
	put(object, "environment", facts_json(&results->facts));
	put(object, "summary", summary_json(results));
	return object;
}

static json_t *file_json(const struct scenario_file *file)
{
	json_t *object = made(json_object());

	put_text(object, "path", file->path);
	if (file->source)
		put(object, "source", bytes(file->source, file->source_length));
	return object;
}

/* ---- the document ---- */

static void add(struct report_file *out, const char *text)
{
	report_file_add(out, text, strlen(text));
}

/* An object without the brace that ends it, so that more can follow; frees it. */
static void add_open(struct report_file *out, json_t *object)
{
	AUTO_FREE char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (!text)
		out_of_memory();
	report_file_add(out, text, strlen(text) - 1);
}

static void add_record(struct report_file *out, const char *before, const struct record *record)
{
	size_t length;
	AUTO_FREE char *text = record_write_json(record, &length);

	add(out, before);
	report_file_add(out, text, length);
}

static void add_result(struct report_file *out, const struct result *result, size_t file)
{
	add_open(out, result_json(result, file));
	if (result->n_earlier > 0)
		add(out, ",\"earlier\":[");
	for (size_t i = 0; i < result->n_earlier; i++) {
		const struct earlier_run *run = &result->earlier[i];
		json_t *object = made(json_object());

		put_integer(object, "duration_ns", run->duration_ns);
		put(object, "judgement", judgement_json(&run->judgement));
		put_text(object, "capture", run->capture);
		if (i > 0)
			add(out, ",");
		add_open(out, object);
		if (run->record)
			add_record(out, ",\"record\":", run->record);
		add(out, "}");
	}
	if (result->n_earlier > 0)
		add(out, "]");
	if (result->record)
		add_record(out, ",\"record\":", result->record);
	add(out, "}");
}

/*
 * Writes each file once, in the order of results, in which those of a file follow each other.
 * @indices: for each result its file's index among them.
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
			add_open(out, file_json(file));
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

	add_open(out, head_json(results));
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
