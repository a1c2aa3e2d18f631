/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that work on what a run left: compare, report, judge and merge. They run in this
 * process, on files in a directory of their own.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>

#include "runner/command/command.h"
#include "runner/command/record_dir.h"
#include "runner/report/junit.h"
#include "runner/report/run_json.h"
#include "tests/lib/record_builder.h"

static char directory[] = "/tmp/test_stored_runs.XXXXXX";

static void enter(void)
{
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void leave(void)
{
	nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(stored_runs, .init = enter, .fini = leave);

static const char source[] = "name: retries twice\n"
			     "endpoints: {api: {faults: [refuse x2, accept]}}\n"
			     "client: {command: [./client]}\n"
			     "expect: {attempts: 3}\n"
			     "---\n"
			     "name: retries once\n"
			     "endpoints: {api: {faults: [refuse x2, accept]}}\n"
			     "client: {command: [./client]}\n"
			     "expect: {attempts: 2}\n";

static void add_result(struct run_results *results, struct scenario_file *file, size_t scenario,
		       unsigned n_attempts)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = record_builder_new();
	struct result result = {.file = file, .scenario = file->scenarios[scenario], .number = 1};
	size_t api = record_builder_endpoint(builder, "api", "refuse x2, accept");

	for (unsigned i = 0; i < MIN(n_attempts, 2U); i++)
		record_builder_attempt_refused(builder, api, i * 1000);
	if (n_attempts > 2)
		record_builder_attempt_connected(builder, api, 2000);
	record_builder_client_exits(builder, 2100, 0);
	result.record = steal_pointer(&builder->record);
	result.judgement = judge(result.scenario, result.record, NULL);
	result.duration_ns = 2200 * NS_PER_MS;
	array_append(results->items, results->n_items, results->capacity, result);
}

/*
 * Writes a run as PATH.json and PATH.xml. The client of the first scenario, which expects 3
 * attempts, made @first; that of the second, which expects 2, made @second; 0: not in this run.
 */
static void write_run(const char *path, unsigned first, unsigned second)
{
	AUTO_FREE char *json = xasprintf("%s.json", path), *xml = xasprintf("%s.xml", path);
	struct scenario_file *file = scenario_file_parse("a.yaml", source, sizeof(source) - 1);
	struct run_results results = {.seed = 42, .duration_ns = NS_PER_S};
	AUTO_DIAG struct diag_list diags = {0};

	cr_assert_eq(file->n_scenarios, 2);
	if (first)
		add_result(&results, file, 0, first);
	if (second)
		add_result(&results, file, 1, second);
	cr_assert_eq(run_json_write(&results, json, &diags), 0);
	cr_assert_eq(junit_write(&results, NULL, xml, &diags), 0);
	results_free(&results);
	scenario_file_free(file);
}

struct printed {
	int status;
	char *out, *err;
};

static void printed_free(struct printed *printed)
{
	free(printed->out);
	free(printed->err);
}
#define AUTO_PRINTED CLEANUP(printed_free)

static struct printed run(const struct command *command, size_t n, const char *const *words)
{
	char **owned = xzalloc((n + 1) * sizeof(*owned));
	AUTO_FREE char **argv = NULL;
	struct printed printed = {0};
	size_t out_size, err_size;
	FILE *out = open_memstream(&printed.out, &out_size);
	FILE *err = open_memstream(&printed.err, &err_size);

	for (size_t i = 0; i < n; i++)
		owned[i] = xstrdup(words[i]);
	/* Operands move within the vector. */
	argv = xmemdup(owned, (n + 1) * sizeof(*owned));
	printed.status = command_execute(command, (int)n, argv,
					 &(struct command_context){.out = out, .err = err});
	fclose(out);
	fclose(err);
	strv_free(owned);
	return printed;
}

#define RUN(command, ...)                                                                          \
	run(&(command), ARRAY_SIZE(((const char *const[]){__VA_ARGS__})),                          \
	    (const char *const[]){__VA_ARGS__})

static void says(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

/* ---- compare ---- */

Test(stored_runs, two_runs_of_the_same_behaviour_do_not_differ)
{
	write_run("old", 3, 2);
	write_run("new", 3, 2);
	AUTO_PRINTED struct printed printed = RUN(command_compare, "old.json", "new.json");

	cr_expect_eq(printed.status, STATUS_PASSED, "%s", printed.err);
	cr_expect_str_eq(printed.out, "2 the same, 0 different, 0 added, 0 removed\n");
}

Test(stored_runs, compare_shows_what_changed_what_is_new_and_what_is_gone)
{
	write_run("three", 3, 0);
	write_run("two", 2, 2);
	AUTO_PRINTED struct printed fewer = RUN(command_compare, "three.json", "two.json");
	AUTO_PRINTED struct printed gone = RUN(command_compare, "two.json", "three.json");

	cr_expect_eq(fewer.status, STATUS_FAILED);
	says(fewer.out, "a.yaml: retries twice\n  outcome\n    old  pass\n    new  fail\n");
	says(fewer.out, "added: a.yaml: retries once (pass)\n");
	says(fewer.out, "\n0 the same, 1 different, 1 added, 0 removed\n");
	says(gone.out, "removed: a.yaml: retries once (pass)\n");
}

Test(stored_runs, compare_gives_programs_the_same_as_people)
{
	json_t *json, *scenario;

	write_run("three", 3, 2);
	write_run("two", 2, 0);
	AUTO_PRINTED struct printed printed =
		RUN(command_compare, "--format", "json", "three.json", "two.json");

	cr_expect_eq(printed.status, STATUS_FAILED);
	json = json_loads(printed.out, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(json, "%s", printed.out);
	cr_expect_eq(json_integer_value(json_object_get(json, "different")), 1);
	cr_expect_eq(json_integer_value(json_object_get(json, "removed")), 1);
	scenario = json_array_get(json_object_get(json, "scenarios"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(scenario, "result")), "different");
	scenario = json_array_get(json_object_get(scenario, "changes"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(scenario, "what")), "outcome");
	cr_expect_str_eq(json_string_value(json_object_get(scenario, "old")), "pass");
	json_decref(json);
}

Test(stored_runs, compare_names_the_file_that_it_can_not_read)
{
	write_run("one", 3, 0);
	AUTO_PRINTED struct printed printed = RUN(command_compare, "one.json", "none.json");

	cr_expect_eq(printed.status, STATUS_USAGE);
	cr_expect_str_empty(printed.out);
	says(printed.err, "synfault compare: ");
	says(printed.err, "none.json");
}

/* ---- report and judge ---- */

static char *contents(const char *path)
{
	AUTO_STRBUF struct strbuf text = {0};
	char *message = NULL;

	cr_assert(run_json_read_file(path, &text, &message), "%s", message);
	return strbuf_steal(&text);
}

Test(stored_runs, report_writes_what_the_run_would_have_written)
{
	AUTO_FREE char *first = NULL, *again = NULL;

	write_run("run", 2, 2);
	AUTO_PRINTED struct printed printed =
		RUN(command_report, "run.json", "--junit", "again.xml");

	cr_expect_eq(printed.status, STATUS_PASSED, "%s", printed.err);
	first = contents("run.xml");
	again = contents("again.xml");
	cr_expect_str_eq(again, first);
}

Test(stored_runs, report_shows_the_results_when_no_report_is_wanted)
{
	write_run("run", 2, 2);
	AUTO_PRINTED struct printed printed = RUN(command_report, "run.json", "--color=never");

	cr_expect_eq(printed.status, STATUS_PASSED);
	says(printed.out, "FAIL   2.200 s  a.yaml: retries twice\n");
	says(printed.out, "PASS   2.200 s  a.yaml: retries once\n");
}

Test(stored_runs, judge_has_the_exit_status_of_the_run)
{
	write_run("good", 3, 2);
	write_run("bad", 2, 2);
	AUTO_PRINTED struct printed good = RUN(command_judge, "good.json"),
				    bad = RUN(command_judge, "bad.json");

	cr_expect_eq(good.status, STATUS_PASSED, "%s", good.err);
	cr_expect_eq(bad.status, STATUS_FAILED);
	says(bad.out, "attempts");
}

Test(stored_runs, judge_goes_by_what_a_changed_scenario_expects)
{
	FILE *file = fopen("changed.yaml", "we");

	write_run("run", 2, 0);
	fputs("name: retries twice\n"
	      "endpoints: {api: {faults: [refuse x2, accept]}}\n"
	      "client: {command: [./client]}\n"
	      "expect: {attempts: 2}\n",
	      file);
	fclose(file);
	AUTO_PRINTED struct printed printed = RUN(command_judge, "run.json", "changed.yaml");

	cr_expect_eq(printed.status, STATUS_PASSED, "it failed when it ran: %s", printed.out);
	says(printed.out, "PASS   2.200 s  changed.yaml: retries twice\n");
}

/* ---- merge ---- */

Test(stored_runs, merge_adds_up_the_cases_of_reports)
{
	AUTO_FREE char *merged = NULL;

	write_run("first", 3, 0);
	write_run("second", 0, 2);
	AUTO_PRINTED struct printed printed =
		RUN(command_merge, "all.xml", "first.xml", "second.xml");

	cr_expect_eq(printed.status, STATUS_PASSED, "%s", printed.err);
	merged = contents("all.xml");
	says(merged, "tests=\"2\"");
	says(merged, "name=\"retries twice\"");
	says(merged, "name=\"retries once\"");
}

Test(stored_runs, merge_refuses_reports_beside_directories)
{
	write_run("first", 3, 0);
	AUTO_PRINTED struct printed printed = RUN(command_merge, "all.xml", "first.xml", ".");

	cr_expect_eq(printed.status, STATUS_USAGE);
	says(printed.err, "can't merge reports with directories of records");
	cr_expect_neq(access("all.xml", F_OK), 0);
}

/* Writes the records of one shard of two, which has one of two scenarios. */
static void write_records(const char *name, size_t number)
{
	const struct shard shard = {.number = number, .count = 2};
	struct scenario_file *file = scenario_file_parse("a.yaml", source, sizeof(source) - 1);
	struct run_results results = {.seed = UINT64_MAX};

	add_result(&results, file, number - 1, 3);
	results.items[0].number = number;
	cr_assert_eq(record_dir_make_directory(name), 0);
	cr_assert_eq(record_dir_write(name, &results, &shard, 2), 0);
	results_free(&results);
	scenario_file_free(file);
}

Test(stored_runs, merge_puts_the_records_of_all_shards_into_one_directory)
{
	AUTO_RECORDS_RUN struct record_dir_run all = {0};
	AUTO_FREE char *message = NULL, *record = NULL, *merged = NULL;

	write_records("one", 1);
	write_records("two", 2);
	AUTO_PRINTED struct printed printed = RUN(command_merge, "all", "one", "two");

	cr_expect_eq(printed.status, STATUS_PASSED, "%s", printed.err);
	cr_expect_str_eq(printed.out, "2 records of 2 directories\n");
	cr_assert(record_dir_read_run("all", &all, &message), "%s", message);
	cr_expect_eq(all.seed, UINT64_MAX);
	cr_expect_eq(all.n_scenarios, 2);
	cr_expect_eq(all.shard.count, 0);
	cr_expect_str_eq(all.names[0], "0001.json");
	cr_expect_str_eq(all.names[1], "0002.json");
	cr_expect_null(all.names[2]);
	record = contents("two/0002.json");
	merged = contents("all/0002.json");
	cr_expect_str_eq(merged, record);
}

Test(stored_runs, merge_needs_the_records_of_each_shard_once)
{
	write_records("one", 1);
	AUTO_PRINTED struct printed alone = RUN(command_merge, "all", "one");
	AUTO_PRINTED struct printed twice = RUN(command_merge, "all", "one", "one");

	cr_expect_eq(alone.status, STATUS_UNJUDGED);
	says(alone.err, "part 2 of 2 is missing");
	cr_expect_eq(twice.status, STATUS_UNJUDGED);
	says(twice.err, "0001.json is in one and in one");
	cr_expect_neq(access("all", F_OK), 0);
}

Test(stored_runs, a_directory_that_holds_no_run_is_refused)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{NULL, "it has no run.json"},
		{"{", "is not a directory of records: "},
		{"{}", "is not what `synfault run --records` writes"},
		{"{\"format\":\"synfault-run\",\"version\":1,\"seed\":\"1\",\"scenarios\":1,"
		 "\"records\":[\"../0001.json\"]}",
		 "\"../0001.json\" is not the name of a record"},
		{"{\"format\":\"synfault-run\",\"version\":1,\"seed\":\"1\",\"scenarios\":1,"
		 "\"records\":[\"0/../a.json\"]}",
		 "\"0/../a.json\" is not the name of a record"},
		{"{\"format\":\"synfault-run\",\"version\":1,\"seed\":\"1\",\"scenarios\":1,"
		 "\"records\":[\"run.json\"]}",
		 "\"run.json\" is not the name of a record"},
		{"{\"format\":\"synfault-run\",\"version\":1,\"seed\":\"1\",\"scenarios\":1,"
		 "\"records\":[],\"shard\":[3,2]}",
		 "\"shard\" is not a part of a whole"},
	};

	cr_assert_eq(record_dir_make_directory("records"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct record_dir_run run = {0};
		AUTO_FREE char *message = NULL;

		if (cases[i].text)
			cr_assert_eq(record_dir_write_file("records", "run.json", cases[i].text,
							   strlen(cases[i].text)),
				     0);
		cr_assert_not(record_dir_read_run("records", &run, &message), "case %zu", i);
		says(message, cases[i].message);
	}
}
