/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See report_fixture.h. */
#include "tests/lib/report_fixture.h"

#define MAX_BROKEN 8 /* results point at broken documents, so their array must not move */

struct report_fixture *report_fixture_new(void)
{
	struct report_fixture *fixture = xzalloc(sizeof(*fixture));

	fixture->results.seed = 42;
	fixture->results.started_realtime_ns = INT64_C(1700000000) * NS_PER_S;
	fixture->results.duration_ns = 12300 * NS_PER_MS;
	return fixture;
}

void report_fixture_free(struct report_fixture *fixture)
{
	results_free(&fixture->results);
	for (size_t i = 0; i < fixture->n_files; i++)
		scenario_file_free(fixture->files[i]);
	free(fixture);
}

void report_fixture_freep(struct report_fixture **fixture)
{
	report_fixture_free(*fixture);
}

struct scenario_file *report_fixture_file(struct report_fixture *fixture, const char *path,
					  const char *source)
{
	struct scenario_file *file = xzalloc(sizeof(*file));

	if (fixture->n_files == ARRAY_SIZE(fixture->files))
		abort();
	file->path = xstrdup(path);
	file->source = xstrdup(source);
	file->source_length = strlen(source);
	file->broken = xzalloc(MAX_BROKEN * sizeof(*file->broken));
	file->broken_capacity = MAX_BROKEN;
	fixture->files[fixture->n_files++] = file;
	return file;
}

static struct result *add_result(struct report_fixture *fixture, const struct result *result)
{
	struct run_results *results = &fixture->results;

	array_append(results->items, results->n_items, results->capacity, *result);
	return &results->items[results->n_items - 1];
}

struct result *report_fixture_result(struct report_fixture *fixture, struct scenario_file *file,
				     const char *name, unsigned line,
				     struct record_builder *builder,
				     const struct judgement *judgement)
{
	struct scenario *scenario = builder->scenario;
	struct result result = {
		.file = file,
		.scenario = scenario,
		.record = builder->record,
		.duration_ns = 523 * NS_PER_MS,
	};

	free(scenario->name);
	scenario->name = xstrdup(name);
	scenario->index = file->n_scenarios;
	scenario->place.line = line;
	result.judgement = judgement ? *judgement : record_builder_judge(builder);
	array_append(file->scenarios, file->n_scenarios, file->scenarios_capacity, scenario);
	free(builder);
	return add_result(fixture, &result);
}

struct result *report_fixture_not_run(struct report_fixture *fixture, struct scenario_file *file,
				      const char *name, unsigned line)
{
	struct record_builder *builder = record_builder_new();
	static const struct judgement nothing;
	struct result *result = report_fixture_result(fixture, file, name, line, builder, &nothing);

	record_free(steal_pointer(&result->record));
	result->duration_ns = 0;
	return result;
}

struct result *report_fixture_broken(struct report_fixture *fixture, struct scenario_file *file,
				     const char *name, unsigned line, const char *message)
{
	struct place place = {.path = file->path, .line = line, .column = 5, .length = 6};
	struct broken_document broken = {
		.name = xstrdup(name),
		.line = line,
		.first_diag = file->diags.n_items,
		.n_diags = 1,
	};

	if (file->n_broken == MAX_BROKEN)
		abort();
	diag_add(&file->diags, &place, "%s", message);
	file->broken[file->n_broken++] = broken;
	return add_result(fixture, &(struct result){
					   .file = file,
					   .broken = &file->broken[file->n_broken - 1],
					   .judgement.outcome = OUTCOME_ERROR,
				   });
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

struct finding *report_fixture_finding(struct judgement *judgement, const char *type,
				       const char *subject, const char *expected,
				       const char *actual, const char *message)
{
	struct finding finding = {
		.type = copy(type),
		.subject = copy(subject),
		.expected = copy(expected),
		.actual = copy(actual),
		.message = xstrdup(message),
		.attempt = UINT32_MAX,
		.assessment = UINT32_MAX,
	};

	array_append(judgement->findings, judgement->n_findings, judgement->capacity, finding);
	return &judgement->findings[judgement->n_findings - 1];
}

struct record_builder *report_fixture_passing(void)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");

	record_builder_attempt_connected(b, api, 1);
	record_builder_client_exits(b, 20, 0);
	record_builder_expect_exit(b, 0);
	return b;
}

struct record_builder *report_fixture_failing(unsigned n_attempts)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");

	for (unsigned i = 0; i < n_attempts; i++)
		record_builder_attempt_refused(
			b, api, i > 0 && i + 1 == n_attempts ? 2000 * (i - 1) + 1030 : 2000 * i);
	record_builder_client_exits(b, 4000, 1);
	if (n_attempts > 1)
		record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	record_builder_expect_exit(b, 0);
	return b;
}

struct judgement report_fixture_judgement(enum outcome outcome, const char *type,
					  const char *message)
{
	struct judgement judgement = {.outcome = outcome};

	report_fixture_finding(&judgement, type, NULL, NULL, NULL, message);
	return judgement;
}

size_t report_fixture_count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}
