/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault compare`: see compare.h. */
#include "runner/command/compare.h"

#include <jansson.h>

#include "runner/command/run_loader.h"
#include "runner/observe/compare.h"

#define FORMAT_NAME    "synfault-comparison"
#define FORMAT_VERSION 1

struct command_options {
	double timing_scale;
	bool json;
};

/* A scenario of the new run, and the one of the old run to compare it with. */
struct pair {
	const struct result *before, *after; /* one of them may be NULL */
	struct change_list changes;
};

struct compare {
	struct command_options options;
	struct stored_run *before, *after;
	struct pair *pairs;
	size_t n_pairs, capacity;
	size_t n_same, n_different, n_added, n_removed;
};

/* ---- pairs ---- */

/* Returns how well two results match; 0: not at all. */
static int fit_of(const struct result *before, const struct result *after)
{
	AUTO_FREE char *path = NULL, *other = NULL;
	const char *name, *other_name;

	if (strcmp(result_name(before), result_name(after)) != 0 ||
	    before->repetition != after->repetition)
		return 0;
	path = result_repository_path(before);
	other = result_repository_path(after);
	if (strcmp(path, other) == 0)
		return 3;
	name = strrchr(path, '/');
	other_name = strrchr(other, '/');
	return strcmp(name ? name + 1 : path, other_name ? other_name + 1 : other) == 0 ? 2 : 1;
}

/* Returns the best match that is not taken, or SIZE_MAX. */
static size_t find_before(const struct compare *self, const bool *taken, const struct result *after)
{
	const struct run_results *results = &self->before->results;
	size_t best = SIZE_MAX;
	int best_fit = 0;

	for (size_t i = 0; i < results->n_items && best_fit < 3; i++) {
		int fit = taken[i] ? 0 : fit_of(&results->items[i], after);

		if (fit > best_fit) {
			best_fit = fit;
			best = i;
		}
	}
	return best;
}

static void add_pair(struct compare *self, const struct result *before, const struct result *after)
{
	array_append(self->pairs, self->n_pairs, self->capacity,
		     (struct pair){.before = before, .after = after});
}

static void make_pairs(struct compare *self)
{
	const struct run_results *before = &self->before->results, *after = &self->after->results;
	AUTO_FREE bool *taken = xzalloc(before->n_items + 1);

	for (size_t i = 0; i < after->n_items; i++) {
		size_t k = find_before(self, taken, &after->items[i]);

		if (k < before->n_items)
			taken[k] = true;
		add_pair(self, k < before->n_items ? &before->items[k] : NULL, &after->items[i]);
	}
	for (size_t i = 0; i < before->n_items; i++)
		if (!taken[i])
			add_pair(self, &before->items[i], NULL);
}

/* ---- what is different ---- */

static char *outcome_text(const struct result *result)
{
	return xasprintf("%s%s", outcome_name(result_outcome(result)),
			 result->flaky ? ", flaky" : "");
}

/* Says why the new result is not a pass. */
static char *reason_of(const struct result *result)
{
	struct strbuf reason = {0};

	if (result_outcome(result) == OUTCOME_PASS)
		return NULL;
	result_reason(result, &reason);
	return strbuf_steal(&reason);
}

/* Returns whether the backoff is random, and was as the scenario expects. */
static bool random_backoff(const struct result *result)
{
	const struct scenario *scenario = result->scenario;
	bool random = false;

	for (size_t i = 0; scenario && i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		if (expectation->kind == EXPECT_BACKOFF ||
		    expectation->kind == EXPECT_ATTEMPT_DELAY)
			random = random || expectation->value.policy.jitter != JITTER_NONE ||
				 expectation->value.policy.kind == POLICY_RANGE;
	}
	return random && result_outcome(result) == OUTCOME_PASS;
}

static void compare_pair(struct compare *self, struct pair *pair)
{
	const struct result *before = pair->before, *after = pair->after;
	struct compare_options options = {.timing_scale = self->options.timing_scale};

	if (!before || !after) {
		self->n_added += !before;
		self->n_removed += !after;
		return;
	}
	if (result_outcome(before) != result_outcome(after) || before->flaky != after->flaky)
		change_add(&pair->changes, "outcome", outcome_text(before), outcome_text(after),
			   reason_of(after));
	options.random_backoff = random_backoff(before) && random_backoff(after);
	/* A client that was not started shows no behaviour. */
	if (before->record && after->record && before->record->client_started &&
	    after->record->client_started)
		compare_records(before->record, after->record, &options, &pair->changes);
	if (pair->changes.n_items > 0)
		self->n_different++;
	else
		self->n_same++;
}

/* ---- output ---- */

static void add_title(const struct result *result, struct strbuf *out)
{
	AUTO_FREE char *path = result_repository_path(result);

	strbuf_printf(out, "%s: ", path);
	result_title(result, out);
}

static void print_text(const struct compare *self, FILE *out)
{
	AUTO_STRBUF struct strbuf text = {0};

	for (size_t i = 0; i < self->n_pairs; i++) {
		const struct pair *pair = &self->pairs[i];

		if (!pair->before || !pair->after) {
			const struct result *result = pair->after ? pair->after : pair->before;

			strbuf_puts(&text, pair->after ? "added: " : "removed: ");
			add_title(result, &text);
			strbuf_printf(&text, " (%s)\n", outcome_name(result_outcome(result)));
			continue;
		}
		if (pair->changes.n_items == 0)
			continue;
		add_title(pair->after, &text);
		strbuf_putc(&text, '\n');
		for (size_t k = 0; k < pair->changes.n_items; k++) {
			const struct change *change = &pair->changes.items[k];

			strbuf_printf(&text, "  %s\n    old  ", change->what);
			report_line(&text, change->before);
			strbuf_puts(&text, "\n    new  ");
			report_line(&text, change->after);
			strbuf_puts(&text, change->note ? "\n         " : "\n");
			if (change->note)
				report_line(&text, change->note);
			strbuf_puts(&text, change->note ? "\n" : "");
		}
	}
	if (text.length > 0)
		strbuf_putc(&text, '\n');
	strbuf_printf(&text, "%zu the same, %zu different, %zu added, %zu removed\n", self->n_same,
		      self->n_different, self->n_added, self->n_removed);
	fputs(strbuf_text(&text), out);
}

static json_t *safe_string(const char *text)
{
	AUTO_STRBUF struct strbuf line = {0};

	report_line(&line, text);
	return json_string(strbuf_text(&line));
}

static json_t *pair_json(const struct pair *pair)
{
	const struct result *result = pair->after ? pair->after : pair->before;
	AUTO_FREE char *path = result_repository_path(result);
	AUTO_STRBUF struct strbuf title = {0};
	json_t *object = json_object(), *changes = json_array();
	const char *kind = pair->changes.n_items ? "different" : "same";

	if (!pair->before || !pair->after)
		kind = pair->after ? "added" : "removed";
	result_title(result, &title);
	json_object_set_new(object, "name", json_string(strbuf_text(&title)));
	json_object_set_new(object, "path", json_string(path));
	json_object_set_new(object, "result", json_string(kind));
	for (size_t i = 0; i < pair->changes.n_items; i++) {
		const struct change *change = &pair->changes.items[i];
		json_t *item =
			json_pack("{s:s, s:o, s:o}", "what", change->what, "old",
				  safe_string(change->before), "new", safe_string(change->after));

		if (change->note)
			json_object_set_new(item, "note", safe_string(change->note));
		json_array_append_new(changes, item);
	}
	json_object_set_new(object, "changes", changes);
	return object;
}

static void print_json(const struct compare *self, FILE *out)
{
	json_t *scenarios = json_array(), *top;
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < self->n_pairs; i++)
		json_array_append_new(scenarios, pair_json(&self->pairs[i]));
	top = json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:o}", "format", FORMAT_NAME, "version",
			FORMAT_VERSION, "same", (json_int_t)self->n_same, "different",
			(json_int_t)self->n_different, "added", (json_int_t)self->n_added,
			"removed", (json_int_t)self->n_removed, "scenarios", scenarios);
	text = json_dumps(top, JSON_INDENT(1));
	json_decref(top);
	if (!text)
		out_of_memory();
	fprintf(out, "%s\n", text);
}

/* ---- the command ---- */

static enum exit_status compare(struct compare *self, char *const *paths, FILE *out, FILE *err)
{
	struct stored_run **runs[] = {&self->before, &self->after};

	for (size_t i = 0; i < 2; i++) {
		AUTO_FREE char *message = NULL;

		*runs[i] = run_loader_open(paths[i], &message);
		if (*runs[i])
			continue;
		fprintf(err, "synfault compare: %s\n", message);
		return STATUS_USAGE;
	}
	make_pairs(self);
	for (size_t i = 0; i < self->n_pairs; i++)
		compare_pair(self, &self->pairs[i]);
	if (self->options.json)
		print_json(self, out);
	else
		print_text(self, out);
	return self->n_different + self->n_added + self->n_removed > 0 ? STATUS_FAILED
								       : STATUS_PASSED;
}

static int run_compare(int argc, char **argv, const struct command_context *context)
{
	struct compare self = {.options = {.timing_scale = 1}};
	struct operands operands;
	int status;

	if (!command_parse(&command_compare, argc, argv, &self.options, context, &operands,
			   &status))
		return status;
	status = (int)compare(&self, operands.items, context->out, context->err);
	for (size_t i = 0; i < self.n_pairs; i++)
		change_list_free(&self.pairs[i].changes);
	free(self.pairs);
	stored_run_free(self.before);
	stored_run_free(self.after);
	return status;
}

static const struct option_spec compare_options[] = {
	OPTION_ROW_FORMAT(struct command_options, json, "print text (default) or json"),
	OPTION_ROW_TIMING_SCALE(struct command_options, timing_scale,
				"multiply all timing tolerances by F"),
	OPTION_ROW_HELP,
};

const struct command command_compare = {
	.name = "compare",
	.arguments = "[OPTION...] OLD NEW",
	.summary = "show what changed between two runs",
	.description =
		"Shows how the clients of two runs behave differently. OLD and NEW are files of\n"
		"`synfault run --json FILE`, or directories of --records. Exit status: 0 no\n"
		"difference; 1 differences; 4 a run can't be read.\n",
	.options = OPTION_TABLE(compare_options),
	.min_operands = 2,
	.max_operands = 2,
	.needs = "two runs are needed, files of `synfault run --json`",
	.run = run_compare,
};
