/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads finished runs: see run_loader.h. */
#include "runner/command/run_loader.h"

#include <errno.h>
#include <sys/stat.h>

#include "runner/command/record_dir.h"
#include "runner/schedule/retry.h"
#include "runner/session/attached_judge.h"

/* ---- judging ---- */

static struct judgement judge_again(const struct stored_run *run, const struct run_metadata *facts,
				    const struct scenario *scenario, const struct record *record)
{
	const struct judge_options options = {
		.timing_scale = facts->timing_scale ? facts->timing_scale : 1};
	struct judgement judgement = {.outcome = OUTCOME_ERROR};
	struct finding finding = {
		.attempt = UINT32_MAX, .assessment = UINT32_MAX, .place = scenario->place};

	if (stored_run_is_readable(run, scenario)) {
		judgement = record->attached ? attached_judge(scenario, record, &options)
					     : judge(scenario, record, &options);
		if (judgement.outcome == OUTCOME_SKIP && facts->require)
			judgement.outcome = OUTCOME_ERROR;
		return judgement;
	}
	finding.type = xstrdup("harness");
	finding.subject = xstrdup("the scenario");
	finding.message =
		xasprintf("the scenario can't be read from %s: give its file", scenario->path);
	array_append(judgement.findings, judgement.n_findings, judgement.capacity, finding);
	return judgement;
}

void run_loader_judge(const struct stored_run *run, const struct run_metadata *facts,
		      struct result *result)
{
	const struct retry_policy policy = {.flaky_fails = facts->flaky_fails};

	if (!result->scenario || !result->record || result->interrupted)
		return;
	for (size_t i = 0; i < result->n_earlier; i++) {
		struct earlier_run *earlier = &result->earlier[i];

		if (!earlier->record)
			continue;
		judgement_free(&earlier->judgement);
		earlier->judgement = judge_again(run, facts, result->scenario, earlier->record);
	}
	judgement_free(&result->judgement);
	result->judgement = judge_again(run, facts, result->scenario, result->record);
	retry_settle(&policy, result);
}

/* ---- directories of records ---- */

static struct record *read_record(const char *directory, const char *name, char **ret_message)
{
	AUTO_FREE char *path = xasprintf("%s/%s", directory, name), *message = NULL;
	AUTO_STRBUF struct strbuf text = {0};
	struct record *record = NULL;

	if (run_json_read_file(path, &text, &message))
		record = record_read_json(strbuf_text(&text), text.length, &message);
	if (!record)
		*ret_message = xasprintf("%s: %s", path, message);
	return record;
}

/* Returns the file that a record names; loads it only once. */
static const struct scenario_file *file_of(struct stored_run *run, const char *path)
{
	for (size_t i = 0; i < run->n_files; i++)
		if (strcmp(run->files[i]->path, path) == 0)
			return run->files[i];
	array_append(run->files, run->n_files, run->files_capacity, scenario_file_load(path));
	return run->files[run->n_files - 1];
}

static void find_scenario(struct stored_run *run, struct result *result)
{
	const struct record *record = result->record;
	const char *name = record->scenario ? record->scenario : "unnamed scenario";
	const char *path = record->path ? record->path : "";

	result->file = file_of(run, path);
	for (size_t i = 0; i < result->file->n_scenarios; i++)
		if (strcmp(result->file->scenarios[i]->name, name) == 0)
			result->scenario = result->file->scenarios[i];
	if (!result->scenario)
		result->scenario = stored_run_stand_in(run, path, name, record);
}

/* Parses "0012.json", the run of number 12 that counts, or "0012.1.json", its first earlier run. */
static bool parse_name(const char *name, unsigned long *ret_number, bool *ret_earlier)
{
	char *end;

	errno = 0;
	*ret_number = strtoul(name, &end, 10);
	if (errno || *ret_number == 0 || *ret_number > 1000000000)
		return false;
	*ret_earlier = strcmp(end, ".json") != 0;
	if (!*ret_earlier)
		return true;
	if (end[0] != '.' || end[1] < '1' || end[1] > '9')
		return false;
	strtoul(end + 1, &end, 10);
	return strcmp(end, ".json") == 0;
}

static struct result *result_numbered(struct run_results *results, size_t number)
{
	struct result result = {.number = number};

	/*
	 * Records come in the order of their numbers, so this one belongs to the last result or to
	 * a new one.
	 */
	for (size_t i = results->n_items; i-- > 0;)
		if (results->items[i].number == number)
			return &results->items[i];
	array_append(results->items, results->n_items, results->capacity, result);
	return &results->items[results->n_items - 1];
}

static bool take_record(struct stored_run *run, const char *directory, const char *name,
			char **ret_message)
{
	unsigned long number;
	struct record *record;
	struct result *result;
	bool earlier;

	if (!parse_name(name, &number, &earlier)) {
		*ret_message = xasprintf("%s: \"%s\" is not the name of a record", directory, name);
		return false;
	}
	record = read_record(directory, name, ret_message);
	if (!record)
		return false;
	result = result_numbered(&run->results, number);
	if (earlier) {
		array_append(result->earlier, result->n_earlier, result->earlier_capacity,
			     (struct earlier_run){.record = record});
	} else {
		record_free(result->record);
		result->record = record;
	}
	return true;
}

/* Returns when the client had ended; the duration of the whole run was not recorded. */
static int64_t duration_of(const struct record *record)
{
	const struct event *exit = record ? record_exit(record) : NULL;

	return exit ? MAX(exit->at_ns, 0) : 0;
}

static void complete_results(struct stored_run *run)
{
	struct run_results *results = &run->results;

	for (size_t i = 0; i < results->n_items; i++) {
		struct result *result = &results->items[i];

		/* The run was cut short after earlier runs, before the one that counts. */
		if (!result->record && result->n_earlier > 0) {
			result->n_earlier--;
			result->record = steal_pointer(&result->earlier[result->n_earlier].record);
		}
		find_scenario(run, result);
		result->duration_ns = duration_of(result->record);
		for (size_t k = 0; k < result->n_earlier; k++)
			result->earlier[k].duration_ns = duration_of(result->earlier[k].record);
		results->started_realtime_ns = results->started_realtime_ns
						       ? MIN(results->started_realtime_ns,
							     result->record->started_realtime_ns)
						       : result->record->started_realtime_ns;
		run_loader_judge(run, &results->facts, result);
	}
}

static struct stored_run *open_directory(const char *directory, char **ret_message)
{
	AUTO_STORED_RUN struct stored_run *run = xzalloc(sizeof(*run));
	AUTO_RECORDS_RUN struct record_dir_run listed = {0};

	if (!record_dir_read_run(directory, &listed, ret_message))
		return NULL;
	run->results.seed = listed.seed;
	run->results.facts.timing_scale = 1;
	run->results.facts.user = -1;
	if (listed.shard.count)
		run->results.shard = xasprintf("%zu/%zu", listed.shard.number, listed.shard.count);
	for (char **name = listed.names; *name; name++)
		if (!take_record(run, directory, *name, ret_message))
			return NULL;
	complete_results(run);
	return steal_pointer(&run);
}

struct stored_run *run_loader_open(const char *path, char **ret_message)
{
	const char *suffix = strrchr(path, '.');
	struct stat status;

	if (suffix && (!strcmp(suffix, ".yaml") || !strcmp(suffix, ".yml"))) {
		*ret_message = xasprintf("%s: this is a scenario, not a run: run it first, with "
					 "`synfault run --json FILE`",
					 path);
		return NULL;
	}
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return open_directory(path, ret_message);
	return run_json_load(path, ret_message);
}

void run_loader_print(const struct run_results *results, const struct output_options *options,
		      FILE *out, FILE *err)
{
	struct printing printing = outputs_begin(options, out);

	console_start(printing.console, results->n_items, 1, results->seed, NULL);
	for (size_t i = 0; i < results->n_items; i++)
		console_result(printing.console, &results->items[i], results->items[i].repeat);
	outputs_end(&printing, results);
	outputs_write_github(options, results, err);
}
