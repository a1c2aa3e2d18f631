/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a run from JSON (docs/json.md) and trusts nothing, since the file may come from anywhere.
 * Scenarios are loaded from the stored text of their files, so they are those that ran.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/files.h"
#include "runner/report/run_json.h"
#include "runner/report/run_json_fields.h"

struct loader {
	struct stored_run *run;
	size_t n_files; /* files in run->files that the document has */
	size_t *next;   /* by file: where to look first for its next scenario */
	struct json_reader *reader;
};

/* ---- files and scenarios ---- */

/* Returns whether synfault did not start the clients of a file's scenarios. */
static bool is_attached(const struct json_document *document, size_t file)
{
	for (size_t i = 0; i < document->n_results; i++)
		if (document->results[i].file == file && document->results[i].result.record)
			return document->results[i].result.record->attached;
	return false;
}

static void take_file(struct stored_run *run, struct json_file *json, bool attached)
{
	struct scenario_file *file;

	if (json->source && attached) {
		file = scenario_file_parse_attached(json->path, json->source, json->source_length);
	} else if (json->source) {
		file = scenario_file_parse(json->path, json->source, json->source_length);
	} else {
		file = xzalloc(sizeof(*file));
		file->path = steal_pointer(&json->path);
	}
	for (size_t i = 0; run->results.facts.timeout_ns && i < file->n_scenarios; i++)
		file->scenarios[i]->timeout_ns = run->results.facts.timeout_ns;
	array_append(run->files, run->n_files, run->files_capacity, file);
}

/* Returns the scenario with this name, or NULL. */
static const struct scenario *find_scenario(struct loader *loader, size_t index, const char *name)
{
	const struct scenario_file *file = loader->run->files[index];

	for (size_t i = 0; i < file->n_scenarios; i++) {
		size_t k = (loader->next[index] + i) % file->n_scenarios;

		if (strcmp(file->scenarios[k]->name, name) != 0)
			continue;
		/* Start here next time: the scenario may be repeated, or the next one follows. */
		loader->next[index] = k;
		return file->scenarios[k];
	}
	return NULL;
}

/* Finds the scenario of a session by its line and gives it the session's name, or returns NULL. */
static const struct scenario *find_session(struct scenario_file *file,
					   const struct json_result *json,
					   const struct record *record)
{
	for (size_t i = 0; record && record->attached && i < file->n_scenarios; i++) {
		struct scenario *scenario = file->scenarios[i];

		if (scenario->place.line != json->line)
			continue;
		free(scenario->name);
		scenario->name = xstrdup(json->name);
		return scenario;
	}
	return NULL;
}

/*
 * Takes an invalid document. If this program finds the same errors in the file's text, the result
 * refers to that; otherwise to the stored errors, in a file of their own.
 */
static void take_broken(struct loader *loader, struct json_result *json, struct result *result)
{
	struct stored_run *run = loader->run;
	const struct scenario_file *file = result->file;
	struct scenario_file *own;
	struct broken_document broken = {.line = json->line, .n_diags = json->n_diagnostics};

	for (size_t i = 0; i < file->n_broken; i++) {
		if (file->broken[i].line != broken.line ||
		    strcmp(file->broken[i].name, json->name) != 0 ||
		    file->broken[i].n_diags != broken.n_diags)
			continue;
		result->broken = &file->broken[i];
		return;
	}
	own = xzalloc(sizeof(*own));
	array_append(run->files, run->n_files, run->files_capacity, own);
	own->path = xstrdup(file->path);
	own->source = file->source ? xmemdup(file->source, file->source_length + 1) : NULL;
	own->source_length = file->source_length;
	own->diags.items = steal_pointer(&json->diagnostics);
	own->diags.n_items = own->diags.capacity = json->n_diagnostics;
	json->n_diagnostics = 0;
	for (size_t i = 0; i < own->diags.n_items; i++)
		own->diags.items[i].path = xstrdup(own->path);
	broken.name = steal_pointer(&json->name);
	array_append(own->broken, own->n_broken, own->broken_capacity, broken);
	result->file = own;
	result->broken = &own->broken[0];
}

/* Finds the result's file and which of its scenarios it is. */
static void take_identity(struct loader *loader, struct json_result *json, struct result *result)
{
	struct scenario_file *file = loader->run->files[json->file];
	struct scenario *stand_in;

	result->file = file;
	free(file->repository_path);
	file->repository_path = steal_pointer(&json->repository_path);
	if (json->diagnostics) {
		take_broken(loader, json, result);
		return;
	}
	result->scenario = find_scenario(loader, json->file, json->name);
	if (!result->scenario)
		result->scenario = find_session(file, json, result->record);
	if (result->scenario)
		return;
	stand_in = stored_run_stand_in(loader->run, file->path, json->name, result->record);
	stand_in->place.line = json->line;
	if (json->tags) {
		strv_free(stand_in->tags);
		stand_in->tags = steal_pointer(&json->tags);
	}
	result->scenario = stand_in;
}

/* ---- results ---- */

/* Sets the path of a finding's or an expectation's place, if it has one. */
static void set_place(struct place *place, const char *path)
{
	if (place->line > 0)
		place->path = path;
}

/* Checks that a judgement fits its record: reports look up the attempts and events it names. */
static bool take_judgement(struct loader *loader, struct judgement *judgement, const char *path,
			   const struct record *record)
{
	const size_t n_attempts = record ? record->n_attempts : 0;
	const size_t n_events = record ? record->n_events : 0;

	for (size_t i = 0; i < judgement->n_findings; i++) {
		struct finding *finding = &judgement->findings[i];

		set_place(&finding->place, path);
		if (finding->attempt != UINT32_MAX && finding->attempt >= n_attempts)
			return json_refuse(loader->reader, "a finding is about attempt %u of %zu",
					   finding->attempt, n_attempts);
	}
	for (size_t i = 0; i < judgement->n_assessments; i++) {
		struct assessment *assessment = &judgement->assessments[i];

		set_place(&assessment->place, path);
		if (assessment->attempt != UINT32_MAX && assessment->attempt >= n_attempts)
			return json_refuse(loader->reader,
					   "an expectation is about attempt %u of %zu",
					   assessment->attempt, n_attempts);
		if (assessment->event != UINT32_MAX && assessment->event >= n_events)
			return json_refuse(loader->reader,
					   "an expectation is about event %u of %zu",
					   assessment->event, n_events);
	}
	return true;
}

/* Checks that a record belongs to its scenario: reports rely on it. */
static bool check_record(struct loader *loader, const struct result *result,
			 const struct record *record)
{
	const struct scenario *scenario = result->scenario;

	if (!record || record->n_attempts == 0)
		return true;
	if (!scenario || record->n_endpoints != scenario->n_endpoints)
		return json_refuse(loader->reader, "its record belongs to another scenario");
	return true;
}

/* Moves what was read into a result. */
static bool take_result(struct loader *loader, struct json_result *json, struct result *result)
{
	const char *path;

	*result = json->result;
	json->result = (struct result){0};
	take_identity(loader, json, result);
	path = result_path(result);
	if (json->judgement) {
		result->judgement = *json->judgement;
		free(json->judgement);
		json->judgement = NULL;
	}
	if (!check_record(loader, result, result->record) ||
	    !take_judgement(loader, &result->judgement, path, result->record))
		return false;
	for (size_t i = 0; i < result->n_earlier; i++) {
		struct earlier_run *earlier = &result->earlier[i];

		if (!check_record(loader, result, earlier->record) ||
		    !take_judgement(loader, &earlier->judgement, path, earlier->record))
			return false;
	}
	return true;
}

/* ---- the document ---- */

static bool take_document(struct stored_run *run, struct json_document *document,
			  struct json_reader *reader)
{
	struct run_results *results = &run->results;
	struct loader loader = {.run = run, .n_files = document->n_files, .reader = reader};
	bool good = true;

	*results = document->run;
	document->run = (struct run_results){0};
	for (size_t i = 0; i < document->n_files; i++)
		take_file(run, &document->files[i], is_attached(document, i));
	loader.next = xzalloc((loader.n_files + 1) * sizeof(*loader.next));
	for (size_t i = 0; good && i < document->n_results; i++) {
		snprintf(reader->where, sizeof(reader->where), "scenarios[%zu]", i);
		array_append(results->items, results->n_items, results->capacity,
			     (struct result){0});
		good = take_result(&loader, &document->results[i], &results->items[i]);
	}
	free(loader.next);
	return good;
}

struct stored_run *run_json_read(const char *text, size_t length, char **ret_message)
{
	AUTO_STORED_RUN struct stored_run *run = xzalloc(sizeof(*run));
	struct json_reader reader = {.document = "the document"};
	struct json_document document = {0};
	/* All results at once would take eleven times the memory of the text. */
	struct json_split results;
	json_t *top = json_fields_parse_head(&reader, text, length, "scenarios", &results);
	const char *format = json_string_value(json_object_get(top, "format"));
	bool good = false;

	if (top && (!format || strcmp(format, RUN_JSON_FORMAT) != 0))
		json_refuse(&reader, "not written by `synfault run --json`: \"format\" is not "
				     "\"" RUN_JSON_FORMAT "\"");
	else if (top)
		good = json_fields_read(&reader, &json_document_type, top, &document);
	json_decref(top);
	good = good && json_fields_read_elements(&reader, &json_document_type, "scenarios",
						 &results, &document);
	good = good && take_document(run, &document, &reader);
	json_fields_clear(&json_document_type, &document);
	if (!good) {
		*ret_message = reader.message;
		return NULL;
	}
	return steal_pointer(&run);
}

bool run_json_read_file(const char *path, struct strbuf *text, char **ret_message)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : file_read(fd, RUN_JSON_MAX_SIZE, text);

	if (r == -EFBIG)
		*ret_message = xstrdup("larger than 1 GiB");
	else if (r < 0)
		*ret_message = xasprintf("can't be read: %s", strerror(-r));
	return r == 0;
}

struct stored_run *run_json_load(const char *path, char **ret_message)
{
	AUTO_STRBUF struct strbuf text = {0}, line = {0};
	AUTO_FREE char *message = NULL;
	struct stored_run *run = NULL;

	if (run_json_read_file(path, &text, &message))
		run = run_json_read(strbuf_text(&text), text.length, &message);
	if (!run) {
		report_line(&line, path);
		*ret_message = xasprintf("%s: %s", strbuf_text(&line), message);
	}
	return run;
}

struct scenario *stored_run_stand_in(struct stored_run *run, const char *path, const char *name,
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

bool stored_run_is_readable(const struct stored_run *run, const struct scenario *scenario)
{
	for (size_t i = 0; i < run->n_unread; i++)
		if (run->unread[i] == scenario)
			return false;
	return true;
}

void stored_run_free(struct stored_run *run)
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
	free(run);
}

void stored_run_freep(struct stored_run **run)
{
	stored_run_free(*run);
}
