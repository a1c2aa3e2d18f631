/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault judge`: judges the records of a run again. */
#include "runner/command/command.h"

#include "runner/command/outputs.h"
#include "runner/command/run_loader.h"
#include "runner/command/scenario_paths.h"
#include "runner/command/select.h"

/* Only this many scenarios without a record are named. */
#define MAX_NAMED 5

struct judge_command_options {
	struct output_options outputs;
	struct selection selection;
	double timing_scale; /* 0: that of the run */
};

struct judge_command {
	struct judge_command_options *options;
	struct stored_run *run;
	struct scenario_file **files; /* given after the run */
	size_t n_files, files_capacity;
	FILE *err;
};

/* ---- scenarios that replace those of the run ---- */

/* Loads the given files. Returns false, with a message, if a path has no scenarios. */
static bool load(struct judge_command *self, char *const *paths, size_t n)
{
	AUTO_FILE_PATHS struct scenario_paths found = {0};
	bool color = color_is_wanted(self->options->outputs.console.color, self->err);

	scenario_paths_find(&found, paths, n, self->err, color);
	for (size_t i = 0; i < found.n_paths; i++) {
		struct scenario_file *file = scenario_file_load(found.paths[i]);
		int64_t timeout_ns = self->run->results.facts.timeout_ns;

		for (size_t k = 0; timeout_ns && k < file->n_scenarios; k++)
			file->scenarios[k]->timeout_ns = timeout_ns;
		array_append(self->files, self->n_files, self->files_capacity, file);
	}
	return found.n_errors == 0;
}

/* Returns how well a path fits that of the run: the same path, the same name, or neither. */
static int closeness(const char *path, const char *other)
{
	const char *name = strrchr(path, '/'), *other_name = strrchr(other, '/');

	if (strcmp(path, other) == 0)
		return 3;
	return strcmp(name ? name + 1 : path, other_name ? other_name + 1 : other) == 0 ? 2 : 1;
}

/*
 * Gives a result the scenario of the same name; among several, the one whose file fits best.
 * Returns false if there is none.
 */
static bool replace_scenario(const struct judge_command *self, struct result *result)
{
	const struct scenario *best = NULL;
	const struct scenario_file *best_file = NULL;
	int best_fit = 0;

	for (size_t i = 0; i < self->n_files; i++) {
		const struct scenario_file *file = self->files[i];
		int fit = closeness(result_path(result), file->path);

		for (size_t k = 0; k < file->n_scenarios && fit > best_fit; k++) {
			if (strcmp(file->scenarios[k]->name, result_name(result)) != 0)
				continue;
			best = file->scenarios[k];
			best_file = file;
			best_fit = fit;
		}
	}
	if (!best)
		return false;
	result->scenario = best;
	result->file = best_file;
	result->broken = NULL;
	return true;
}

/* Drops a result that is not selected. */
static void drop_result(struct result *result)
{
	struct run_results one = {.items = xmemdup(result, sizeof(*result)), .n_items = 1};

	results_free(&one);
}

static bool is_wanted(const struct judge_command *self, struct result *result)
{
	if (self->n_files > 0 && !replace_scenario(self, result))
		return false;
	return selection_takes(&self->options->selection, result_name(result),
			       result->scenario ? result->scenario->tags : NULL);
}

/* Adds a result for each broken document of the given files, as a run does. */
static void add_broken(struct judge_command *self)
{
	struct run_results *results = &self->run->results;

	for (size_t i = 0; i < self->n_files; i++)
		for (size_t k = 0; k < self->files[i]->n_broken; k++) {
			struct result result = {.file = self->files[i],
						.broken = &self->files[i]->broken[k]};

			if (selection_takes(&self->options->selection, result_name(&result), NULL))
				array_append(results->items, results->n_items, results->capacity,
					     result);
		}
}

/* Prints the scenarios of the given files that have no record, and so were not judged. */
static void name_unjudged(const struct judge_command *self)
{
	const struct run_results *results = &self->run->results;
	size_t n = 0;

	for (size_t i = 0; i < self->n_files; i++)
		for (size_t k = 0; k < self->files[i]->n_scenarios; k++) {
			const struct scenario *scenario = self->files[i]->scenarios[k];
			AUTO_STRBUF struct strbuf line = {0};
			bool found = !selection_takes(&self->options->selection, scenario->name,
						      scenario->tags);

			for (size_t r = 0; !found && r < results->n_items; r++)
				found = results->items[r].scenario == scenario;
			if (found || ++n > MAX_NAMED)
				continue;
			report_line(&line, scenario->path);
			strbuf_printf(&line, ":%u: ", scenario->place.line);
			report_line(&line, scenario->name);
			fprintf(self->err, "synfault judge: no record: %s\n", strbuf_text(&line));
		}
	if (n > MAX_NAMED)
		fprintf(self->err, "synfault judge: no record: %zu more\n", n - MAX_NAMED);
}

static void select_results(struct judge_command *self)
{
	struct run_results *results = &self->run->results;
	size_t kept = 0;

	for (size_t i = 0; i < results->n_items; i++) {
		if (is_wanted(self, &results->items[i]))
			results->items[kept++] = results->items[i];
		else
			drop_result(&results->items[i]);
	}
	results->n_items = kept;
	add_broken(self);
	name_unjudged(self);
}

/* ---- the command ---- */

static enum exit_status judge_again(struct judge_command *self, const char *path, FILE *out)
{
	struct run_results *results = &self->run->results;
	AUTO_STRBUF struct strbuf note = {0};

	select_results(self);
	if (self->options->timing_scale)
		results->facts.timing_scale = self->options->timing_scale;
	if (results->n_items == 0) {
		fprintf(self->err, "synfault judge: %s has no record of a selected scenario\n",
			path);
		return STATUS_NOTHING_RAN;
	}
	for (size_t i = 0; i < results->n_items; i++)
		run_loader_judge(self->run, &results->facts, &results->items[i]);
	strbuf_puts(&note, "judged again from ");
	report_line(&note, path);
	self->options->outputs.console.note = strbuf_text(&note);
	run_loader_print(results, &self->options->outputs, out, self->err);
	if (!outputs_write(&self->options->outputs, results, self->err) &&
	    results_status(results) == STATUS_PASSED)
		return STATUS_UNJUDGED;
	return results_status(results);
}

static enum exit_status open_and_judge(struct judge_command *self, char *const *operands, size_t n,
				       FILE *out)
{
	AUTO_FREE char *message = NULL;

	if (!outputs_check(&self->options->outputs, self->err))
		return STATUS_USAGE;
	self->run = run_loader_open(operands[0], &message);
	if (!self->run) {
		fprintf(self->err, "synfault judge: %s\n", message);
		return STATUS_USAGE;
	}
	if (n > 1 && !load(self, operands + 1, n - 1))
		return STATUS_USAGE;
	return judge_again(self, operands[0], out);
}

static int run_judge(void *parsed, const struct operands *operands,
		     const struct command_context *context)
{
	struct judge_command self = {.options = parsed, .err = context->err};
	int status = (int)open_and_judge(&self, operands->items, (size_t)operands->n, context->out);

	stored_run_free(self.run);
	for (size_t i = 0; i < self.n_files; i++)
		scenario_file_free(self.files[i]);
	free(self.files);
	return status;
}

static const struct option_spec judge_command_options[] = {
	OPTION_ROW_FILTER(struct judge_command_options),
	OPTION_ROW_TAG(struct judge_command_options),
	OPTION_ROW_TIMING_SCALE(struct judge_command_options, timing_scale,
				"multiply all timing tolerances by F (default: as the run did)"),
	OUTPUT_OPTIONS(struct judge_command_options),
	SHOWN_OPTIONS(struct judge_command_options,
		      "show attempts and expectations of passed scenarios, too"),
	OPTION_ROW_HELP,
};

const struct command command_judge = {
	.name = "judge",
	.arguments = "[OPTION...] RUN [SCENARIO...]",
	.summary = "judge a run's records again",
	.description =
		"Judges the records of a run again, and runs nothing. RUN is a file of `synfault\n"
		"run --json FILE`, or a directory of --records. With scenario files or\n"
		"directories, judges each record by what the scenario of its name expects now.\n"
		"The exit status is that of `run`.\n",
	.options =
		OPTION_TABLE(judge_command_options, .size = sizeof(struct judge_command_options)),
	.min_operands = 1,
	.max_operands = -1,
	.needs = "a run is needed, a file of `synfault run --json`",
	.confinement = CONFINED_TO_FILES,
	.run = run_judge,
};
