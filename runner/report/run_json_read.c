/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a run from JSON (docs/json.md) and trusts nothing: it may come from a file that anybody
 * wrote. Each function that reads returns whether it succeeded; the first that does not leaves a
 * message in the reader. Scenarios are made from the stored text of their files by the loader, so
 * that they are the same as those that were run.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <sys/stat.h>

#include "runner/record/base64.h"
#include "runner/record/json.h"
#include "runner/report/run_json.h"
#include "runner/report/run_json_names.h"

/* Times beyond this (some 70 years) are refused, so that sums of a few can't overflow. */
#define TIME_LIMIT_NS (INT64_MAX / 4)
#define COUNT_LIMIT   INT64_C(1000000000)

struct reader {
	struct run_loader_run *run;
	size_t n_files; /* of those in run->files: the document's */
	size_t *next;   /* for each of these: where the next scenario of it is looked for first */
	char *message;
	char where[48]; /* what is being read: "scenarios[3]" */
};

PRINTF(2, 3)
static bool refuse(struct reader *reader, const char *format, ...)
{
	AUTO_FREE char *message = NULL;
	va_list arguments;

	if (reader->message)
		return false;
	va_start(arguments, format);
	message = xvasprintf(format, arguments);
	va_end(arguments);
	reader->message = xasprintf("%s: %s", reader->where, message);
	return false;
}

/* ---- values ---- */

static bool wrong(struct reader *reader, const char *key, const json_t *value, const char *what)
{
	return value ? refuse(reader, "\"%s\" is not %s", key, what)
		     : refuse(reader, "\"%s\" is missing", key);
}

/* Bytes as bytes() of the writer stores them; the caller's, with a NUL after them. */
static bool read_bytes(struct reader *reader, const json_t *value, const char *key, char **ret,
		       size_t *ret_length)
{
	const json_t *encoded = json_is_object(value) ? json_object_get(value, "base64") : NULL;
	AUTO_STRBUF struct strbuf decoded = {0};

	if (json_is_string(value))
		strbuf_add(&decoded, json_string_value(value), json_string_length(value));
	else if (!json_is_string(encoded) ||
		 base64_decode(json_string_value(encoded), json_string_length(encoded), &decoded) <
			 0)
		return wrong(reader, key, value, "text");
	*ret_length = decoded.length;
	*ret = strbuf_steal(&decoded);
	return true;
}

/* @ret stays as it is when there is no such key. */
static bool read_text(struct reader *reader, const json_t *object, const char *key, char **ret)
{
	const json_t *value = json_object_get(object, key);
	AUTO_FREE char *text = NULL;
	size_t length = 0;

	if (!value)
		return true;
	if (!read_bytes(reader, value, key, &text, &length))
		return false;
	if (strlen(text) != length)
		return refuse(reader, "\"%s\" has a NUL in it", key);
	free(*ret);
	*ret = steal_pointer(&text);
	return true;
}

static bool need_text(struct reader *reader, const json_t *object, const char *key, char **ret)
{
	return read_text(reader, object, key, ret) && (*ret || wrong(reader, key, NULL, ""));
}

static bool read_texts(struct reader *reader, const json_t *object, const char *key, char ***ret)
{
	const json_t *array = json_object_get(object, key);
	size_t n = json_array_size(array);
	char **texts;

	if (!array)
		return true;
	if (!json_is_array(array))
		return wrong(reader, key, array, "a list");
	texts = xzalloc((n + 1) * sizeof(*texts));
	strv_free(*ret);
	*ret = texts;
	for (size_t i = 0; i < n; i++) {
		size_t length;

		if (!read_bytes(reader, json_array_get(array, i), key, &texts[i], &length))
			return false;
		if (strlen(texts[i]) != length)
			return refuse(reader, "\"%s\" has a NUL in it", key);
	}
	return true;
}

/* A number that may be missing; @ret then stays as it is. */
static bool read_integer(struct reader *reader, const json_t *object, const char *key, int64_t low,
			 int64_t high, int64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < low ||
	    json_integer_value(value) > high)
		return refuse(reader, "\"%s\" is not a number from %" PRId64 " to %" PRId64, key,
			      low, high);
	*ret = json_integer_value(value);
	return true;
}

static bool read_unsigned(struct reader *reader, const json_t *object, const char *key,
			  unsigned *ret)
{
	int64_t value = *ret;

	if (!read_integer(reader, object, key, 0, COUNT_LIMIT, &value))
		return false;
	*ret = (unsigned)value;
	return true;
}

static bool read_bool(struct reader *reader, const json_t *object, const char *key, bool *ret)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value))
		return wrong(reader, key, value, "true or false");
	*ret = value ? json_is_true(value) : *ret;
	return true;
}

static bool read_seed(struct reader *reader, const json_t *object, uint64_t *ret)
{
	const json_t *value = json_object_get(object, "seed");
	const char *text = json_string_value(value);
	char *end;

	errno = 0;
	*ret = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
	if (!text || *text < '0' || *text > '9' || errno || *end)
		return wrong(reader, "seed", value, "a whole number as text");
	return true;
}

static bool read_stop(struct reader *reader, const json_t *object, enum stop_cause *ret)
{
	const json_t *value = json_object_get(object, "stop");
	const char *text = json_string_value(value);

	for (int cause = 0; text && stop_cause_name((enum stop_cause)cause); cause++) {
		if (strcmp(text, stop_cause_name((enum stop_cause)cause)) != 0)
			continue;
		*ret = (enum stop_cause)cause;
		return true;
	}
	return !value || wrong(reader, "stop", value, "known");
}

/* ---- judgements ---- */

static bool read_place(struct reader *reader, const json_t *object, const char *path,
		       struct place *ret)
{
	const json_t *place = json_object_get(object, "place");

	if (!place)
		return true;
	if (!json_is_object(place))
		return wrong(reader, "place", place, "an object");
	ret->path = path;
	return read_unsigned(reader, place, "line", &ret->line) &&
	       read_unsigned(reader, place, "column", &ret->column) &&
	       read_unsigned(reader, place, "length", &ret->length);
}

/* An index of something, of which there are @n; UINT32_MAX when it is missing. */
static bool read_index(struct reader *reader, const json_t *object, const char *key, size_t n,
		       uint32_t *ret)
{
	int64_t index = -1;

	*ret = UINT32_MAX;
	if (!read_integer(reader, object, key, 0, UINT32_MAX, &index))
		return false;
	if (index >= (int64_t)n)
		return refuse(reader, "\"%s\" is %" PRId64 ", of which there are %zu", key, index,
			      n);
	if (index >= 0)
		*ret = (uint32_t)index;
	return true;
}

static bool read_finding(struct reader *reader, const json_t *object, const struct record *record,
			 const char *path, size_t n_assessments, struct finding *finding)
{
	int64_t attempt = -1;

	finding->attempt = UINT32_MAX;
	if (!json_is_object(object))
		return wrong(reader, "findings", object, "a list of objects");
	if (!need_text(reader, object, "type", &finding->type) ||
	    !need_text(reader, object, "message", &finding->message) ||
	    !read_text(reader, object, "subject", &finding->subject) ||
	    !read_text(reader, object, "expected", &finding->expected) ||
	    !read_text(reader, object, "actual", &finding->actual) ||
	    !read_text(reader, object, "miss", &finding->miss) ||
	    !read_text(reader, object, "looks_like", &finding->looks_like) ||
	    !read_bool(reader, object, "caused_by_lag", &finding->caused_by_lag) ||
	    !read_place(reader, object, path, &finding->place) ||
	    !read_index(reader, object, "expectation", n_assessments, &finding->assessment) ||
	    !read_integer(reader, object, "attempt", 0, UINT32_MAX, &attempt))
		return false;
	if (attempt >= 0 && (!record || attempt >= (int64_t)record->n_attempts))
		return refuse(reader, "a finding is about attempt %" PRId64 ", which is not there",
			      attempt);
	if (attempt >= 0)
		finding->attempt = (uint32_t)attempt;
	return true;
}

static bool read_assessment(struct reader *reader, const json_t *object,
			    const struct record *record, const char *path, size_t n_findings,
			    struct assessment *assessment)
{
	const char *result = json_string_value(json_object_get(object, "result"));
	int kind = 0;

	if (!json_is_object(object))
		return wrong(reader, "expectations", object, "a list of objects");
	while (result && kind < ASSESSED_N_RESULTS &&
	       strcmp(result, assessed_name((enum assessed)kind)) != 0)
		kind++;
	if (!result || kind == ASSESSED_N_RESULTS)
		return wrong(reader, "result", json_object_get(object, "result"), "known");
	assessment->result = (enum assessed)kind;
	return need_text(reader, object, "type", &assessment->type) &&
	       need_text(reader, object, "subject", &assessment->subject) &&
	       read_text(reader, object, "expected", &assessment->expected) &&
	       read_text(reader, object, "actual", &assessment->actual) &&
	       read_place(reader, object, path, &assessment->place) &&
	       read_index(reader, object, "attempt", record ? record->n_attempts : 0,
			  &assessment->attempt) &&
	       read_index(reader, object, "event", record ? record->n_events : 0,
			  &assessment->event) &&
	       read_index(reader, object, "finding", n_findings, &assessment->finding);
}

/* Documents of versions that did not write them have none. */
static bool read_assessments(struct reader *reader, const json_t *array,
			     const struct record *record, const char *path, struct judgement *ret)
{
	const json_t *item;
	size_t i;

	ret->assessments = xzalloc((json_array_size(array) + 1) * sizeof(*ret->assessments));
	json_array_foreach(array, i, item)
	{
		ret->n_assessments++;
		if (!read_assessment(reader, item, record, path, ret->n_findings,
				     &ret->assessments[i]))
			return false;
	}
	return true;
}

static bool read_judgement(struct reader *reader, const json_t *object, const struct record *record,
			   const char *path, struct judgement *ret)
{
	const json_t *judgement = json_object_get(object, "judgement"), *item;
	const json_t *findings = json_object_get(judgement, "findings");
	const json_t *expectations = json_object_get(judgement, "expectations");
	const char *outcome = json_string_value(json_object_get(judgement, "outcome"));
	int kind = 0;
	size_t i;

	while (outcome && kind < OUTCOME_N_KINDS &&
	       strcmp(outcome, outcome_name((enum outcome)kind)) != 0)
		kind++;
	if (!outcome || kind == OUTCOME_N_KINDS)
		return wrong(reader, "judgement", judgement, "one with an outcome that is known");
	if (!json_is_array(findings))
		return wrong(reader, "findings", findings, "a list");
	if (expectations && !json_is_array(expectations))
		return wrong(reader, "expectations", expectations, "a list");
	ret->outcome = (enum outcome)kind;
	json_array_foreach(findings, i, item)
	{
		array_append(ret->findings, ret->n_findings, ret->capacity, (struct finding){0});
		if (!read_finding(reader, item, record, path, json_array_size(expectations),
				  &ret->findings[i]))
			return false;
	}
	return read_assessments(reader, expectations, record, path, ret);
}

static bool read_record(struct reader *reader, const json_t *object, struct record **ret)
{
	json_t *json = json_object_get(object, "record");
	AUTO_FREE char *message = NULL;

	if (!json)
		return true;
	*ret = record_read_object(json, &message);
	return *ret || refuse(reader, "its record is wrong: %s", message);
}

/* ---- files and scenarios ---- */

static bool read_file(struct reader *reader, const json_t *object, int64_t timeout_ns)
{
	struct run_loader_run *run = reader->run;
	const json_t *source = json_object_get(object, "source");
	AUTO_FREE char *path = NULL, *text = NULL;
	struct scenario_file *file;
	size_t length;

	if (!json_is_object(object))
		return refuse(reader, "not an object");
	if (!need_text(reader, object, "path", &path) ||
	    (source && !read_bytes(reader, source, "source", &text, &length)))
		return false;
	if (text) {
		file = scenario_file_parse(path, text, length);
	} else {
		file = xzalloc(sizeof(*file));
		file->path = xstrdup(path);
	}
	for (size_t i = 0; timeout_ns && i < file->n_scenarios; i++)
		file->scenarios[i]->timeout_ns = timeout_ns;
	array_append(run->files, run->n_files, run->files_capacity, file);
	return true;
}

/* The scenario with this name, or NULL. */
static const struct scenario *find_scenario(struct reader *reader, size_t index, const char *name)
{
	const struct scenario_file *file = reader->run->files[index];

	for (size_t i = 0; i < file->n_scenarios; i++) {
		size_t k = (reader->next[index] + i) % file->n_scenarios;

		if (strcmp(file->scenarios[k]->name, name) != 0)
			continue;
		/* A repeated one comes again first; else the next one of the file. */
		reader->next[index] = k;
		return file->scenarios[k];
	}
	return NULL;
}

/* What reports need of a scenario that this program can't read. */
static bool add_stand_in(struct reader *reader, const json_t *object, struct result *result,
			 const char *name)
{
	struct scenario *scenario =
		stored_run_stand_in(reader->run, result->file->path, name, result->record);
	char **tags = NULL;

	result->scenario = scenario;
	if (!read_unsigned(reader, object, "line", &scenario->place.line) ||
	    !read_texts(reader, object, "tags", &tags)) {
		strv_free(tags);
		return false;
	}
	if (tags) {
		strv_free(scenario->tags);
		scenario->tags = tags;
	}
	return true;
}

static bool read_diagnostics(struct reader *reader, const json_t *array, struct diag_list *diags)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		struct diag *diag;

		array_append(diags->items, diags->n_items, diags->capacity, (struct diag){0});
		diag = &diags->items[i];
		if (!json_is_object(item))
			return wrong(reader, "diagnostics", item, "a list of objects");
		if (!need_text(reader, item, "message", &diag->message) ||
		    !read_text(reader, item, "hint", &diag->hint) ||
		    !read_unsigned(reader, item, "line", &diag->line) ||
		    !read_unsigned(reader, item, "column", &diag->column) ||
		    !read_unsigned(reader, item, "length", &diag->length))
			return false;
	}
	return true;
}

/*
 * A document that could not be loaded: as the file's text says, when this program finds the same
 * wrong with it; else as it was stored, in a file of its own.
 */
static bool read_broken(struct reader *reader, const json_t *object, const json_t *diagnostics,
			const char *name, struct result *result)
{
	struct run_loader_run *run = reader->run;
	const struct scenario_file *file = result->file;
	struct scenario_file *own;
	struct broken_document broken = {0};

	if (!json_is_array(diagnostics))
		return wrong(reader, "diagnostics", diagnostics, "a list");
	if (!read_unsigned(reader, object, "line", &broken.line))
		return false;
	for (size_t i = 0; i < file->n_broken; i++) {
		if (file->broken[i].line != broken.line ||
		    strcmp(file->broken[i].name, name) != 0 ||
		    file->broken[i].n_diags != json_array_size(diagnostics))
			continue;
		result->broken = &file->broken[i];
		return true;
	}
	own = xzalloc(sizeof(*own));
	array_append(run->files, run->n_files, run->files_capacity, own);
	own->path = xstrdup(file->path);
	own->source = file->source ? xmemdup(file->source, file->source_length + 1) : NULL;
	own->source_length = file->source_length;
	broken.name = xstrdup(name);
	broken.n_diags = json_array_size(diagnostics);
	array_append(own->broken, own->n_broken, own->broken_capacity, broken);
	result->file = own;
	result->broken = &own->broken[0];
	if (!read_diagnostics(reader, diagnostics, &own->diags))
		return false;
	for (size_t i = 0; i < own->diags.n_items; i++)
		own->diags.items[i].path = xstrdup(own->path);
	return true;
}

/* ---- results ---- */

/* Which file it is of, and which of its scenarios. */
static bool read_identity(struct reader *reader, const json_t *object, struct result *result)
{
	const json_t *diagnostics = json_object_get(object, "diagnostics");
	struct run_loader_run *run = reader->run;
	AUTO_FREE char *name = NULL;
	int64_t index = -1;

	if (!need_text(reader, object, "name", &name) ||
	    !read_integer(reader, object, "file", 0, (int64_t)reader->n_files - 1, &index))
		return false;
	if (index < 0)
		return wrong(reader, "file", NULL, "");
	result->file = run->files[index];
	if (!read_text(reader, object, "repository_path", &run->files[index]->repository_path))
		return false;
	if (diagnostics)
		return read_broken(reader, object, diagnostics, name, result);
	result->scenario = find_scenario(reader, (size_t)index, name);
	return result->scenario || add_stand_in(reader, object, result, name);
}

/* A record goes with its scenario: those who make reports of both rely on it. */
static bool check_record(struct reader *reader, const struct result *result,
			 const struct record *record)
{
	const struct scenario *scenario = result->scenario;

	if (!record || record->n_attempts == 0)
		return true;
	if (!scenario || record->n_endpoints != scenario->n_endpoints)
		return refuse(reader, "its record is of another scenario");
	return true;
}

static bool read_earlier(struct reader *reader, const json_t *object, struct result *result)
{
	const json_t *array = json_object_get(object, "earlier"), *item;
	const char *path = result_path(result);
	size_t i;

	if (array && !json_is_array(array))
		return wrong(reader, "earlier", array, "a list");
	json_array_foreach(array, i, item)
	{
		struct earlier_run *run;

		array_append(result->earlier, result->n_earlier, result->earlier_capacity,
			     (struct earlier_run){0});
		run = &result->earlier[i];
		if (!json_is_object(item))
			return wrong(reader, "earlier", item, "a list of objects");
		if (!read_record(reader, item, &run->record) ||
		    !check_record(reader, result, run->record) ||
		    !read_judgement(reader, item, run->record, path, &run->judgement) ||
		    !read_integer(reader, item, "duration_ns", 0, TIME_LIMIT_NS,
				  &run->duration_ns) ||
		    !read_text(reader, item, "capture", &run->capture))
			return false;
	}
	return true;
}

static bool read_result(struct reader *reader, const json_t *object, struct result *result)
{
	int64_t number = 0;

	if (!json_is_object(object))
		return refuse(reader, "not an object");
	/* The record first: a stand-in for the scenario is made by it. */
	if (!read_record(reader, object, &result->record) ||
	    !read_identity(reader, object, result) ||
	    !check_record(reader, result, result->record) ||
	    !read_integer(reader, object, "number", 0, COUNT_LIMIT, &number) ||
	    !read_unsigned(reader, object, "repetition", &result->repetition) ||
	    !read_unsigned(reader, object, "repetitions", &result->n_repetitions) ||
	    !read_bool(reader, object, "flaky", &result->flaky) ||
	    !read_bool(reader, object, "interrupted", &result->interrupted) ||
	    !read_stop(reader, object, &result->stop) ||
	    !read_integer(reader, object, "duration_ns", 0, TIME_LIMIT_NS, &result->duration_ns) ||
	    !read_text(reader, object, "repeat", &result->repeat) ||
	    !read_text(reader, object, "capture", &result->capture) ||
	    !read_text(reader, object, "no_capture", &result->no_capture) ||
	    !read_earlier(reader, object, result))
		return false;
	result->number = (size_t)number;
	return result->broken || read_judgement(reader, object, result->record, result_path(result),
						&result->judgement);
}

/* ---- the document ---- */

static bool read_options(struct reader *reader, const json_t *object, struct run_metadata *facts)
{
	const json_t *scale = json_object_get(object, "timing_scale");
	const json_t *flaky = json_object_get(object, "flaky_result");

	if (object && !json_is_object(object))
		return refuse(reader, "not an object");
	if (scale && !(json_number_value(scale) >= 0.01 && json_number_value(scale) <= 1000))
		return refuse(reader, "\"timing_scale\" is not a number from 0.01 to 1000");
	facts->timing_scale = scale ? json_number_value(scale) : 1;
	facts->flaky_fails = json_is_string(flaky) && strcmp(json_string_value(flaky), "fail") == 0;
	return read_text(reader, object, "isolation", &facts->isolation) &&
	       read_integer(reader, object, "timeout_ns", 1, TIME_LIMIT_NS, &facts->timeout_ns) &&
	       read_unsigned(reader, object, "retries", &facts->retries) &&
	       read_bool(reader, object, "require", &facts->require) &&
	       read_texts(reader, object, "command", &facts->command);
}

static bool read_environment(struct reader *reader, const json_t *object,
			     struct run_metadata *facts)
{
	if (object && !json_is_object(object))
		return refuse(reader, "not an object");
	facts->user = -1;
	return read_text(reader, object, "hostname", &facts->hostname) &&
	       read_text(reader, object, "system", &facts->system) &&
	       read_text(reader, object, "kernel", &facts->kernel) &&
	       read_text(reader, object, "machine", &facts->machine) &&
	       read_text(reader, object, "capabilities", &facts->capabilities) &&
	       read_integer(reader, object, "user", -1, UINT32_MAX, &facts->user) &&
	       read_integer(reader, object, "processors", 0, COUNT_LIMIT, &facts->processors);
}

static bool read_head(struct reader *reader, const json_t *top)
{
	struct run_loader_run *run = reader->run;
	struct run_results *results = &run->results;
	const char *format = json_string_value(json_object_get(top, "format"));
	const json_t *version = json_object_get(top, "version");

	if (!format || strcmp(format, RUN_JSON_FORMAT) != 0)
		return refuse(reader, "not what `synfault run --json` writes: \"format\" is not "
				      "\"" RUN_JSON_FORMAT "\"");
	if (json_integer_value(version) != RUN_JSON_VERSION)
		return wrong(reader, "version", version, "one that this program knows");
	if (!read_text(reader, top, "program", &results->facts.program) ||
	    !read_integer(reader, top, "started_realtime_ns", INT64_MIN, INT64_MAX,
			  &results->started_realtime_ns) ||
	    !read_integer(reader, top, "duration_ns", 0, TIME_LIMIT_NS, &results->duration_ns) ||
	    !read_bool(reader, top, "interrupted", &results->interrupted) ||
	    !read_stop(reader, top, &results->stop) || !read_seed(reader, top, &results->seed) ||
	    !read_text(reader, top, "shard", &run->shard) ||
	    !read_text(reader, top, "records", &run->records))
		return false;
	results->shard = run->shard;
	results->records = run->records;
	snprintf(reader->where, sizeof(reader->where), "options");
	if (!read_options(reader, json_object_get(top, "options"), &results->facts))
		return false;
	snprintf(reader->where, sizeof(reader->where), "environment");
	return read_environment(reader, json_object_get(top, "environment"), &results->facts);
}

static bool read_lists(struct reader *reader, const json_t *top)
{
	struct run_results *results = &reader->run->results;
	const json_t *files = json_object_get(top, "files");
	const json_t *scenarios = json_object_get(top, "scenarios"), *item;
	size_t i;

	snprintf(reader->where, sizeof(reader->where), "the document");
	if (!json_is_array(files))
		return wrong(reader, "files", files, "a list");
	if (!json_is_array(scenarios))
		return wrong(reader, "scenarios", scenarios, "a list");
	json_array_foreach(files, i, item)
	{
		snprintf(reader->where, sizeof(reader->where), "files[%zu]", i);
		if (!read_file(reader, item, results->facts.timeout_ns))
			return false;
	}
	reader->n_files = reader->run->n_files;
	reader->next = xzalloc((reader->n_files + 1) * sizeof(*reader->next));
	json_array_foreach(scenarios, i, item)
	{
		snprintf(reader->where, sizeof(reader->where), "scenarios[%zu]", i);
		array_append(results->items, results->n_items, results->capacity,
			     (struct result){0});
		if (!read_result(reader, item, &results->items[i]))
			return false;
	}
	return true;
}

struct run_loader_run *run_json_read(const char *text, size_t length, char **ret_message)
{
	AUTO_STORED_RUN struct run_loader_run *run = xzalloc(sizeof(*run));
	struct reader reader = {.run = run, .where = "the document"};
	json_error_t error;
	json_t *top = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	bool good = false;

	if (!top)
		refuse(&reader, "line %d, column %d: %s", error.line, error.column, error.text);
	else if (!json_is_object(top))
		refuse(&reader, "not an object");
	else
		good = read_head(&reader, top) && read_lists(&reader, top);
	json_decref(top);
	free(reader.next);
	if (!good) {
		*ret_message = reader.message;
		return NULL;
	}
	return steal_pointer(&run);
}

bool run_json_read_file(const char *path, struct strbuf *text, char **ret_message)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[65536];
	ssize_t length = -1;

	while (fd >= 0 && text->length <= RUN_JSON_MAX_SIZE) {
		length = read(fd, buffer, sizeof(buffer));
		if (length > 0)
			strbuf_add(text, buffer, (size_t)length);
		else if (length == 0 || errno != EINTR)
			break;
	}
	if (length < 0)
		*ret_message = xasprintf("can't be read: %s", strerror(errno));
	else if (text->length > RUN_JSON_MAX_SIZE)
		*ret_message = xstrdup("larger than 1 GiB");
	return length >= 0 && text->length <= RUN_JSON_MAX_SIZE;
}

struct run_loader_run *run_json_load(const char *path, char **ret_message)
{
	AUTO_STRBUF struct strbuf text = {0}, line = {0};
	AUTO_FREE char *message = NULL;
	struct run_loader_run *run = NULL;

	if (run_json_read_file(path, &text, &message))
		run = run_json_read(strbuf_text(&text), text.length, &message);
	if (!run) {
		report_line(&line, path);
		*ret_message = xasprintf("%s: %s", strbuf_text(&line), message);
	}
	return run;
}

struct scenario *stored_run_stand_in(struct run_loader_run *run, const char *path, const char *name,
				     const struct record *record)
{
	struct scenario *scenario = xzalloc(sizeof(*scenario));
	size_t n = record ? record->n_endpoints : 0;

	array_append(run->unread, run->n_unread, run->unread_capacity, scenario);
	scenario->name = xstrdup(name);
	scenario->path = xstrdup(path);
	scenario->place.path = scenario->path;
	scenario->tags = xzalloc(sizeof(*scenario->tags));
	scenario->endpoints = xzalloc((n + 1) * sizeof(*scenario->endpoints));
	for (size_t i = 0; i < n; i++) {
		struct endpoint_spec *endpoint = &scenario->endpoints[scenario->n_endpoints++];

		endpoint->name = xstrdup(record->endpoints[i].name);
		endpoint->n_families = 1;
		script_append(&endpoint->script,
			      &(struct step){.action = STEP_ACCEPT, .repeat = 1});
		endpoint->step_places = xzalloc(sizeof(*endpoint->step_places));
	}
	return scenario;
}

bool stored_run_is_readable(const struct run_loader_run *run, const struct scenario *scenario)
{
	for (size_t i = 0; i < run->n_unread; i++)
		if (run->unread[i] == scenario)
			return false;
	return true;
}

void stored_run_free(struct run_loader_run *run)
{
	if (!run)
		return;
	results_free(&run->results);
	for (size_t i = 0; i < run->n_files; i++)
		scenario_file_free(run->files[i]);
	free(run->files);
	for (size_t i = 0; i < run->n_unread; i++)
		scenario_free(run->unread[i]);
	free(run->unread);
	free(run->shard);
	free(run->records);
	free(run);
}

void stored_run_freep(struct run_loader_run **run)
{
	stored_run_free(*run);
}
