/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of a run as JSON: what was written reads back the same, and everything else is refused. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <sys/mman.h>

#include "runner/report/junit.h"
#include "runner/report/run_json.h"
#include "tests/lib/record_builder.h"

static const char source[] = "name: retries twice\n"
			     "tags: [refuse, retry]\n"
			     "endpoints: {api: {faults: [refuse x2, accept]}}\n"
			     "client: {command: [./client]}\n"
			     "expect: {attempts: 3}\n"
			     "---\n"
			     "name: is wrong\n"
			     "endpoints: {api: {fautls: [refuse]}}\n"
			     "client: {command: [./client]}\n"
			     "expect: {attempts: 1}\n";

/* A run of that file, in which the client tried @n times. */
struct made {
	struct scenario_file *file;
	struct run_results results;
};

static struct result *add_run(struct made *made, unsigned n)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = record_builder_new();
	struct result result = {.file = made->file, .scenario = made->file->scenarios[0]};
	size_t api = record_builder_endpoint(builder, "api", "refuse x2, accept");

	for (unsigned i = 0; i < MIN(n, 2U); i++)
		record_builder_attempt_refused(builder, api, i * 1000);
	if (n > 2)
		record_builder_attempt_connected(builder, api, 2000);
	record_builder_client_exits(builder, 2100, 0);
	result.record = steal_pointer(&builder->record);
	result.judgement = judge(result.scenario, result.record, NULL);
	result.duration_ns = 2200 * NS_PER_MS;
	result.number = made->results.n_items + 1;
	result.repeat = xstrdup("synfault run a.yaml --filter 'retries twice' --seed 42");
	array_append(made->results.items, made->results.n_items, made->results.capacity, result);
	return &made->results.items[made->results.n_items - 1];
}

static struct made *make(void)
{
	struct made *made = xzalloc(sizeof(*made));
	struct result broken = {.number = 2};

	made->file = scenario_file_parse("a.yaml", source, sizeof(source) - 1);
	cr_assert_eq(made->file->n_scenarios, 1);
	cr_assert_eq(made->file->n_broken, 1);
	made->results.seed = UINT64_MAX;
	made->results.started_realtime_ns = INT64_C(1700000000) * NS_PER_S;
	made->results.duration_ns = 12300 * NS_PER_MS;
	made->results.facts.timing_scale = 1.5;
	made->results.facts.retries = 2;
	run_metadata_find(&made->results.facts);
	add_run(made, 2);
	broken.file = made->file;
	broken.broken = &made->file->broken[0];
	array_append(made->results.items, made->results.n_items, made->results.capacity, broken);
	return made;
}

static void made_freep(struct made **made)
{
	results_free(&(*made)->results);
	scenario_file_free((*made)->file);
	free(*made);
}
#define AUTO_MADE CLEANUP(made_freep)

/* Returns what is written; owned by the caller. */
static char *written(const struct run_results *results)
{
	AUTO_CLOSE int fd = memfd_create("run.json", MFD_CLOEXEC);
	AUTO_FREE char *path = xasprintf("/proc/self/fd/%d", fd);
	AUTO_STRBUF struct strbuf text = {0};
	AUTO_DIAG struct diag_list diags = {0};
	char *message = NULL;

	cr_assert_eq(run_json_write(results, path, &diags), 0);
	cr_assert(run_json_read_file(path, &text, &message), "%s", message);
	return strbuf_steal(&text);
}

static struct stored_run *read_back(const char *text)
{
	char *message = NULL;
	struct stored_run *run = run_json_read(text, strlen(text), &message);

	cr_assert_not_null(run, "%s", message);
	return run;
}

static void assert_same_after_reading(const struct run_results *results)
{
	AUTO_FREE char *text = written(results), *again = NULL, *junit = NULL, *junit_again = NULL;
	AUTO_STORED_RUN struct stored_run *run = read_back(text);
	size_t length;

	again = written(&run->results);
	cr_assert_str_eq(again, text);
	junit = junit_format(results, NULL, &length);
	junit_again = junit_format(&run->results, NULL, &length);
	cr_assert_str_eq(junit_again, junit);
	cr_assert_eq(results_status(&run->results), results_status(results));
}

Test(run_json, what_was_written_reads_back_with_the_same_reports)
{
	AUTO_MADE struct made *made = make();

	cr_assert_eq(made->results.items[0].judgement.outcome, OUTCOME_FAIL);
	assert_same_after_reading(&made->results);
}

Test(run_json, every_outcome_of_a_scenario_reads_back)
{
	AUTO_MADE struct made *made = make();
	struct result *result = add_run(made, 3);
	struct earlier_run earlier = {.duration_ns = 5};
	struct result unfinished = {.file = made->file, .scenario = made->file->scenarios[0]};

	/* Flaky, repeated, with binary output, and one that never ran. */
	earlier.record = steal_pointer(&made->results.items[0].record);
	earlier.judgement = made->results.items[0].judgement;
	made->results.items[0].judgement = (struct judgement){0};
	array_append(result->earlier, result->n_earlier, result->earlier_capacity, earlier);
	result->flaky = true;
	result->repetition = 2;
	result->n_repetitions = 3;
	free(result->record->streams[STREAM_STDOUT].head);
	result->record->streams[STREAM_STDOUT].head = xmemdup("\x1b[1m\xff\0]]>", 9);
	result->record->streams[STREAM_STDOUT].head_length = 9;
	result->record->streams[STREAM_STDOUT].total = 9;
	unfinished.interrupted = true;
	unfinished.stop = STOP_TIMEOUT;
	array_append(made->results.items, made->results.n_items, made->results.capacity,
		     unfinished);
	made->results.interrupted = true;
	made->results.stop = STOP_SIGNAL;
	made->results.shard = xstrdup("3/8");
	made->results.facts.command = xzalloc(2 * sizeof(char *));
	made->results.facts.command[0] = xstrdup("caf\xe9");
	free(made->file->repository_path);
	made->file->repository_path = xstrdup("tests/a.yaml");
	assert_same_after_reading(&made->results);
}

Test(run_json, a_stored_record_is_judged_as_it_was)
{
	AUTO_MADE struct made *made = make();
	AUTO_FREE char *text = written(&made->results);
	AUTO_STORED_RUN struct stored_run *run = read_back(text);
	const struct result *result = &run->results.items[0];
	struct judgement again = judge(result->scenario, result->record, NULL);

	cr_assert(stored_run_is_readable(run, result->scenario));
	cr_assert_eq(again.n_findings, result->judgement.n_findings);
	cr_assert_str_eq(again.findings[0].message, result->judgement.findings[0].message);
	cr_assert_eq(again.findings[0].place.line, result->judgement.findings[0].place.line);
	judgement_free(&again);
}

/* The document with something of it replaced, or added where the path does not exist. */
static char *changed(const char *text, const char *const *path, json_t *value)
{
	json_t *top = json_loads(text, 0, NULL), *at = top;
	char *made;

	for (; path[1]; path++)
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(*path))
				       : json_object_get(at, *path);
	cr_assert_not_null(at, "the document has no %s", *path);
	if (!value)
		json_object_del(at, *path);
	else if (json_is_array(at))
		json_array_set_new(at, (size_t)atoi(*path), value);
	else
		json_object_set_new(at, *path, value);
	made = json_dumps(top, JSON_COMPACT);
	json_decref(top);
	return made;
}

Test(run_json, keys_of_a_later_version_are_skipped)
{
	AUTO_MADE struct made *made = make();
	AUTO_FREE char *text = written(&made->results);
	static const char *const paths[][8] = {
		{"new"},
		{"options", "new"},
		{"environment", "new"},
		{"files", "0", "new"},
		{"scenarios", "0", "new"},
		{"scenarios", "0", "judgement", "new"},
		{"scenarios", "0", "judgement", "expectations", "0", "new"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		AUTO_FREE char *later = changed(text, paths[i], json_integer(1));
		AUTO_STORED_RUN struct stored_run *run = read_back(later);

		cr_assert_eq(run->results.n_items, 2);
	}
}

Test(run_json, a_scenario_that_is_no_longer_valid_is_still_reported)
{
	static const char *const path[] = {"files", "0", "source", NULL};
	AUTO_MADE struct made *made = make();
	AUTO_FREE char *text = written(&made->results), *cut = changed(text, path, NULL);
	AUTO_STORED_RUN struct stored_run *run = read_back(cut);
	const struct result *result = &run->results.items[0];

	cr_assert_not(stored_run_is_readable(run, result->scenario));
	cr_assert_str_eq(result_name(result), "retries twice");
	cr_assert_str_eq(result->scenario->tags[1], "retry");
	cr_assert_eq(result_outcome(result), OUTCOME_FAIL);
	cr_assert_eq(result_line(result), 1);
	/* The broken document is the stored one. */
	cr_assert_eq(run->results.items[1].file->diags.n_items, 1);
	cr_assert_eq(run->results.items[1].broken->line, 7);
}

struct wrong {
	const char *path[7];
	json_t *value; /* NULL: taken away */
	const char *message;
};

static void assert_refused(const struct wrong *cases, size_t n)
{
	AUTO_MADE struct made *made = make();
	AUTO_FREE char *text = written(&made->results);

	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *message = NULL;
		AUTO_FREE char *wrong = changed(text, cases[i].path, cases[i].value);

		cr_assert_null(run_json_read(wrong, strlen(wrong), &message), "%s is taken", wrong);
		cr_assert_eq(strncmp(message, cases[i].message, strlen(cases[i].message)), 0,
			     "expected %s, got %s", cases[i].message, message);
	}
}

Test(run_json, errors_are_refused_with_their_place)
{
	const struct wrong cases[] = {
		{{"format"},
		 json_string("synfault-run"),
		 "the document: not written by `synfault run --json`"},
		{{"version"},
		 json_integer(1),
		 "the document: format 1 was made by an older synfault"},
		{{"version"}, NULL, "the document: \"version\" is missing"},
		{{"seed"}, json_integer(1), "the document: \"seed\" is not a whole number"},
		{{"seed"}, json_string("-1"), "the document: \"seed\" is not a whole number"},
		{{"seed"}, json_string("1x"), "the document: \"seed\" is not a whole number"},
		{{"seed"}, json_string("99999999999999999999"), "the document: \"seed\""},
		{{"duration_ns"},
		 json_integer(-1),
		 "the document: \"duration_ns\" is out of range"},
		{{"duration_ns"}, json_integer(INT64_MAX), "the document: \"duration_ns\""},
		{{"interrupted"},
		 json_integer(1),
		 "the document: \"interrupted\" is neither true nor"},
		{{"stop"}, json_string("bored"), "the document: \"stop\" is not known"},
		{{"shard"}, json_integer(1), "the document: \"shard\" is not text"},
		{{"options"}, json_array(), "options: not an object"},
		{{"options", "timing_scale"}, json_integer(0), "options: \"timing_scale\""},
		{{"options", "timing_scale"}, json_string("1"), "options: \"timing_scale\""},
		{{"options", "retries"}, json_integer(-1), "options: \"retries\""},
		{{"options", "command"}, json_string("a"), "options: \"command\" is not a list"},
		{{"options", "command"}, json_pack("[i]", 1), "options: \"command\" is not text"},
		{{"environment"}, json_true(), "environment: not an object"},
		{{"environment", "kernel"}, json_true(), "environment: \"kernel\" is not text"},
		{{"files"}, NULL, "the document: \"files\" is missing"},
		{{"files"}, json_object(), "files: not a list"},
		{{"files", "0"}, json_true(), "files[0]: not an object"},
		{{"files", "0", "path"}, NULL, "files[0]: \"path\" is missing"},
		{{"files", "0", "source"}, json_true(), "files[0]: \"source\" is not text"},
		{{"files", "0", "source"},
		 json_pack("{s:s}", "base64", "!"),
		 "files[0]: \"source\" is not base64"},
	};

	assert_refused(cases, ARRAY_SIZE(cases));
}

Test(run_json, errors_in_a_result_are_refused_with_their_place)
{
	const struct wrong cases[] = {
		{{"scenarios"}, NULL, "the document: \"scenarios\" is missing"},
		{{"scenarios", "0"}, json_true(), "scenarios[0]: not an object"},
		{{"scenarios", "0", "name"}, NULL, "scenarios[0]: \"name\" is missing"},
		{{"scenarios", "0", "file"}, NULL, "scenarios[0]: \"file\" is missing"},
		{{"scenarios", "0", "file"},
		 json_integer(1),
		 "scenarios[0]: \"file\" is 1, but there are 1"},
		{{"scenarios", "0", "number"}, json_integer(-1), "scenarios[0]: \"number\""},
		{{"scenarios", "0", "flaky"}, json_null(), "scenarios[0]: \"flaky\" is neither"},
		{{"scenarios", "0", "earlier"}, json_true(), "scenarios[0].earlier: not a list"},
		{{"scenarios", "0", "earlier"},
		 json_pack("[i]", 1),
		 "scenarios[0].earlier[0]: not an object"},
		{{"scenarios", "0", "judgement"}, NULL, "scenarios[0]: \"judgement\" is missing"},
		{{"scenarios", "0", "judgement", "outcome"},
		 json_string("good"),
		 "scenarios[0].judgement: \"outcome\" is not known"},
		{{"scenarios", "0", "judgement", "findings"},
		 json_true(),
		 "scenarios[0].judgement.findings: not a list"},
		{{"scenarios", "0", "judgement", "findings", "0"},
		 json_true(),
		 "scenarios[0].judgement.findings[0]: not an object"},
		{{"scenarios", "0", "judgement", "findings", "0", "message"},
		 NULL,
		 "scenarios[0].judgement.findings[0]: \"message\" is missing"},
		{{"scenarios", "0", "judgement", "findings", "0", "attempt"},
		 json_integer(2),
		 "scenarios[0]: a finding is about attempt 2 of 2"},
		{{"scenarios", "0", "judgement", "findings", "0", "expectation"},
		 json_integer(1),
		 "scenarios[0].judgement: findings[0]: there is no expectation 1"},
		{{"scenarios", "0", "judgement", "expectations"},
		 json_true(),
		 "scenarios[0].judgement.expectations: not a list"},
		{{"scenarios", "0", "judgement", "expectations", "0"},
		 json_true(),
		 "scenarios[0].judgement.expectations[0]: not an object"},
		{{"scenarios", "0", "judgement", "expectations", "0", "result"},
		 json_string("good"),
		 "scenarios[0].judgement.expectations[0]: \"result\" is not known"},
		{{"scenarios", "0", "judgement", "expectations", "0", "event"},
		 json_integer(1000),
		 "scenarios[0]: an expectation is about event 1000 of "},
		{{"scenarios", "0", "judgement", "expectations", "0", "subject"},
		 NULL,
		 "scenarios[0].judgement.expectations[0]: \"subject\" is missing"},
		{{"scenarios", "0", "judgement", "findings", "0", "place"},
		 json_true(),
		 "scenarios[0].judgement.findings[0].place: not an object"},
		{{"scenarios", "0", "record", "endpoints"},
		 json_array(),
		 "scenarios[0].record.attempts[0]: "},
		{{"scenarios", "0", "record", "version"}, json_integer(1), "scenarios[0].record: "},
		{{"scenarios", "1", "diagnostics"}, json_true(), "scenarios[1].diagnostics: "},
	};

	assert_refused(cases, ARRAY_SIZE(cases));
}

Test(run_json, a_record_of_another_scenario_is_refused)
{
	AUTO_MADE struct made *made = make();
	struct record *record = made->results.items[0].record;
	AUTO_FREE char *text = NULL, *message = NULL;

	record->endpoints = xrealloc(record->endpoints, 2 * sizeof(*record->endpoints));
	record->endpoints[record->n_endpoints++] =
		(struct record_endpoint){.name = xstrdup("other"), .script = xstrdup("accept")};
	text = written(&made->results);
	cr_assert_null(run_json_read(text, strlen(text), &message));
	cr_assert_str_eq(message, "scenarios[0]: its record belongs to another scenario");
}

/* Results are parsed one by one, but an error's place is that in the file. */
Test(run_json, what_is_not_json_is_refused_with_its_place)
{
	AUTO_MADE struct made *made = make();
	static const struct {
		const char *before; /* where the text is damaged */
		char damage;
	} cases[] = {
		{"{\"name\":", '!'},     {"\"name\":\"", ','}, {"\"record\":{", '}'},
		{"\"attempts\":[", ']'}, {"\"seed\":", '?'},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = written(&made->results), *message = NULL, *place = NULL;
		char *at = strstr(text, cases[i].before), *line = text;
		unsigned number = 1;

		cr_assert_not_null(at, "%s", cases[i].before);
		*at = cases[i].damage;
		for (char *end; (end = strchr(line, '\n')) && end < at; number++)
			line = end + 1;
		place = xasprintf("the document: line %u, ", number);
		cr_assert_null(run_json_read(text, strlen(text), &message));
		cr_expect_eq(strncmp(message, place, strlen(place)), 0, "%s: %s", place, message);
		cr_expect(strstr(message, "column "), "%s", message);
	}
}

/* A wrong text, however it was made, is only refused. */
Test(run_json, damaged_documents_do_no_harm)
{
	AUTO_MADE struct made *made = make();
	AUTO_FREE char *text = written(&made->results);
	size_t length = strlen(text), n_read = 0;
	uint32_t random = 1;

	for (unsigned i = 0; i < 3000; i++) {
		AUTO_FREE char *damaged = xstrdup(text), *message = NULL;
		struct stored_run *run;

		for (unsigned k = 0; k < 1 + i % 3; k++) {
			random = random * 1664525 + 1013904223;
			damaged[(random >> 8) % length] =
				"0123456789{}[],:\"aefnrtux-.\\"[(random >> 24) % 28];
		}
		run = run_json_read(damaged, i % 50 ? length : (random >> 8) % length, &message);
		cr_assert((run != NULL) == (message == NULL));
		if (run) {
			AUTO_FREE char *junit = junit_format(&run->results, NULL, &(size_t){0});

			cr_assert_not_null(junit);
			n_read++;
		}
		stored_run_free(run);
	}
	cr_assert_gt(n_read, 10);
}
