/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault compare`: see compare.h. */
#include "runner/command/compare.h"

#include "runner/command/run_loader.h"
#include "runner/observe/compare.h"
#include "runner/record/json_fields.h"

struct command_options {
	double timing_scale;
	bool json;
};

enum comparison { SAME, DIFFERENT, ADDED, REMOVED, N_COMPARISONS };

static const char *comparison_name(enum comparison comparison)
{
	static const char *const names[] = {"same", "different", "added", "removed"};

	return names[comparison];
}

/* A scenario of the new run, and the one of the old run to compare it with. */
struct pair {
	const struct result *before, *after; /* one of them may be NULL */
	char *path, *title;
	enum comparison comparison;
	struct change_list changes;
};

struct compare {
	const struct command_options *options;
	struct stored_run *before, *after;
	struct pair *pairs;
	size_t n_pairs, capacity;
	size_t counts[N_COMPARISONS];
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
	const struct result *result = after ? after : before;
	struct strbuf title = {0};

	result_title(result, &title);
	array_append(self->pairs, self->n_pairs, self->capacity,
		     (struct pair){
			     .before = before,
			     .after = after,
			     .path = result_repository_path(result),
			     .title = strbuf_steal(&title),
			     .comparison = !before  ? ADDED
					   : !after ? REMOVED
						    : SAME,
		     });
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

static void compare_pair(const struct compare *self, struct pair *pair)
{
	const struct result *before = pair->before, *after = pair->after;
	struct compare_options options = {.timing_scale = self->options->timing_scale};

	if (!before || !after)
		return;
	if (result_outcome(before) != result_outcome(after) || before->flaky != after->flaky)
		change_add(&pair->changes, "outcome", outcome_text(before), outcome_text(after),
			   reason_of(after));
	options.random_backoff = random_backoff(before) && random_backoff(after);
	/* A client that was not started shows no behaviour. */
	if (before->record && after->record && before->record->client_started &&
	    after->record->client_started)
		compare_records(before->record, after->record, &options, &pair->changes);
	if (pair->changes.n_items > 0)
		pair->comparison = DIFFERENT;
}

/* ---- output ---- */

static void add_change(const struct change *change, struct strbuf *out)
{
	strbuf_printf(out, "  %s\n    old  ", change->what);
	report_line(out, change->before);
	strbuf_puts(out, "\n    new  ");
	report_line(out, change->after);
	if (change->note) {
		strbuf_puts(out, "\n         ");
		report_line(out, change->note);
	}
	strbuf_putc(out, '\n');
}

static void add_text(const struct compare *self, struct strbuf *out)
{
	for (size_t i = 0; i < self->n_pairs; i++) {
		const struct pair *pair = &self->pairs[i];

		if (pair->comparison == SAME)
			continue;
		if (pair->comparison == DIFFERENT)
			strbuf_printf(out, "%s: %s\n", pair->path, pair->title);
		else
			strbuf_printf(out, "%s: %s: %s (%s)\n", comparison_name(pair->comparison),
				      pair->path, pair->title,
				      outcome_name(result_outcome(pair->after ? pair->after
									      : pair->before)));
		for (size_t k = 0; k < pair->changes.n_items; k++)
			add_change(&pair->changes.items[k], out);
	}
	if (out->length > 0)
		strbuf_putc(out, '\n');
	strbuf_printf(out, "%zu the same, %zu different, %zu added, %zu removed\n",
		      self->counts[SAME], self->counts[DIFFERENT], self->counts[ADDED],
		      self->counts[REMOVED]);
}

static const struct json_field change_fields[] = {
	{"what", JSON_TEXT(struct change, what), .about = "attempts, backoff, …"},
	{"old", JSON_TEXT(struct change, before)},
	{"new", JSON_TEXT(struct change, after)},
	{"note", JSON_TEXT(struct change, note), .optional = true},
};
static const struct json_type change_type = {JSON_TYPE(struct change, change_fields)};

static const struct json_field pair_fields[] = {
	{"name", JSON_TEXT(struct pair, title)},
	{"path", JSON_TEXT(struct pair, path),
	 .about = "Path of the scenario file, from the root of its repository."},
	{"result",
	 JSON_WORD(struct pair, comparison, enum comparison, comparison_name, N_COMPARISONS)},
	{"changes",
	 JSON_LIST(struct pair, changes.items, changes.n_items, struct change, &change_type)},
};
static const struct json_type pair_type = {JSON_TYPE(struct pair, pair_fields)};

static const struct json_field compare_fields[] = {
	{"format", JSON_CONSTANT("synfault-comparison")},
	{"version", JSON_VERSION(1)},
	{"same", JSON_SIZE(struct compare, counts[SAME])},
	{"different", JSON_SIZE(struct compare, counts[DIFFERENT])},
	{"added", JSON_SIZE(struct compare, counts[ADDED])},
	{"removed", JSON_SIZE(struct compare, counts[REMOVED])},
	{"scenarios", JSON_LIST(struct compare, pairs, n_pairs, struct pair, &pair_type)},
};
const struct json_type compare_type = {
	JSON_TYPE(struct compare, compare_fields),
	.about = "What `synfault compare --format json` prints (docs/json.md).",
};

/* ---- the command ---- */

static enum exit_status compare(struct compare *self, char *const *paths, FILE *out, FILE *err)
{
	struct stored_run **runs[] = {&self->before, &self->after};
	AUTO_STRBUF struct strbuf text = {0};

	for (size_t i = 0; i < 2; i++) {
		AUTO_FREE char *message = NULL;

		*runs[i] = run_loader_open(paths[i], &message);
		if (*runs[i])
			continue;
		fprintf(err, "synfault compare: %s\n", message);
		return STATUS_USAGE;
	}
	make_pairs(self);
	for (size_t i = 0; i < self->n_pairs; i++) {
		compare_pair(self, &self->pairs[i]);
		self->counts[self->pairs[i].comparison]++;
	}
	if (self->options->json)
		json_fields_print(&compare_type, self, &text);
	else
		add_text(self, &text);
	fputs(strbuf_text(&text), out);
	return self->counts[SAME] < self->n_pairs ? STATUS_FAILED : STATUS_PASSED;
}

static int run_compare(void *parsed, const struct operands *operands,
		       const struct command_context *context)
{
	struct compare self = {.options = parsed};
	int status = (int)compare(&self, operands->items, context->out, context->err);

	for (size_t i = 0; i < self.n_pairs; i++) {
		change_list_free(&self.pairs[i].changes);
		free(self.pairs[i].path);
		free(self.pairs[i].title);
	}
	free(self.pairs);
	stored_run_free(self.before);
	stored_run_free(self.after);
	return status;
}

static const struct command_options defaults = {.timing_scale = 1};
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
	.options = OPTION_TABLE(compare_options, .size = sizeof(defaults), .defaults = &defaults),
	.min_operands = 2,
	.max_operands = 2,
	.needs = "two runs are needed, files of `synfault run --json`",
	.confinement = CONFINED_TO_READING,
	.run = run_compare,
};
