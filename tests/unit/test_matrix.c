/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of matrices: which rows they make, what is replaced, how scenarios are named, limits. */
#include <criterion/criterion.h>

#include "runner/scenario/load.h"
#include "runner/scenario/matrix.h"

TestSuite(matrix);

static void file_freep(struct scenario_file **file)
{
	scenario_file_free(*file);
}
#define AUTO_FILE CLEANUP(file_freep)

#define REST                                                                                       \
	"endpoints: {api: {}}\n"                                                                   \
	"client: {command: [curl]}\n"                                                              \
	"expect: {exit: 0}\n"

static struct scenario_file *parse(const char *text)
{
	return scenario_file_parse("a.yaml", text, strlen(text));
}

static const char *first_message(const struct scenario_file *file)
{
	return file->diags.n_items ? file->diags.items[0].message : "no error";
}

/* Returns the names of all scenarios, one a line. */
static char *names(const struct scenario_file *file)
{
	struct strbuf out = {0};

	for (size_t i = 0; i < file->n_scenarios; i++)
		strbuf_printf(&out, "%s%s", i ? "\n" : "", file->scenarios[i]->name);
	return strbuf_steal(&out);
}

Test(matrix, makes_a_scenario_of_each_combination)
{
	static const struct {
		const char *matrix, *names;
	} cases[] = {
		{"{a: [1, 2]}", "n [a=1]\nn [a=2]"},
		{"{a: [1, 2], b: [x, y]}",
		 "n [a=1, b=x]\nn [a=1, b=y]\nn [a=2, b=x]\nn [a=2, b=y]"},
		{"{a: [1, 2], b: [x, y], exclude: [{a: 1}]}", "n [a=2, b=x]\nn [a=2, b=y]"},
		{"{a: [1, 2], b: [x, y], exclude: [{a: 1, b: x}, {b: y}]}", "n [a=2, b=x]"},
		{"{a: [1, 2], b: [x, y], exclude: [{a: \"1\"}, {a: 2, b: y}, {b: y}]}",
		 "n [a=2, b=x]"},
		{"{a: [1], include: [{a: 2}, {a: 3}]}", "n [a=1]\nn [a=2]\nn [a=3]"},
		{"{include: [{a: 2, b: 3}, {b: 4, a: 5}]}", "n [a=2, b=3]\nn [a=5, b=4]"},
		{"{a: [[x, y], {z: [w]}]}", "n [a=[x, y]]\nn [a={z: [w]}]"},
		{"{a: [[x, y], z], exclude: [{a: [x, y]}]}", "n [a=z]"},
		{"{a: [1, 2], exclude: []}", "n [a=1]\nn [a=2]"},
		{"{a-b_C9: [1]}", "n [a-b_C9=1]"},
		{"{a: [1], exclude: [{a: 1}], include: [{a: 2}]}", "n [a=2]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = xasprintf("name: n\nmatrix: %s\n" REST, cases[i].matrix);
		AUTO_FILE struct scenario_file *file = parse(text);
		AUTO_FREE char *found = names(file);

		cr_expect_str_eq(found, cases[i].names, "%s: %s: %s", cases[i].matrix, found,
				 first_message(file));
		for (size_t k = 0; k < file->n_scenarios; k++)
			cr_expect_eq(file->scenarios[k]->index, k);
	}
}

Test(matrix, names_rows_by_the_name_itself_when_it_refers_to_each_key)
{
	static const struct {
		const char *name, *expected;
	} cases[] = {
		{"\"${matrix.a} and ${matrix.b}\"", "1 and x"},
		{"\"${matrix.b}${matrix.a}${matrix.b}\"", "x1x"},
		{"\"only ${matrix.a}\"", "only 1 [a=1, b=x]"},
		{"none", "none [a=1, b=x]"},
		{"\"$${matrix.a} and ${matrix.b}\"", "$${matrix.a} and x [a=1, b=x]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text =
			xasprintf("name: %s\nmatrix: {a: [1], b: [x]}\n" REST, cases[i].name);
		AUTO_FILE struct scenario_file *file = parse(text);

		cr_assert_eq(file->n_scenarios, 1, "%s: %s", cases[i].name, first_message(file));
		cr_expect_str_eq(file->scenarios[0]->name, cases[i].expected);
		cr_expect_eq(file->scenarios[0]->place.line, 1);
	}
}

Test(matrix, replaces_whole_values_and_parts_of_texts)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: n\n"
		      "matrix:\n"
		      "  faults: [[refuse x2, accept]]\n"
		      "  n: [3]\n"
		      "  expect: [{exit: 0, attempts: 3}]\n"
		      "  text: [\"${api}\"]\n"
		      "endpoints: {api: {faults: \"${matrix.faults}\", port: \"${matrix.n}\"}}\n"
		      "client:\n"
		      "  command: [x, \"${matrix.n}\", \"-${matrix.n}-${matrix.n}\", "
		      "\"${matrix.text}/$${matrix.n}\"]\n"
		      "expect: ${matrix.expect}\n");
	const struct scenario *scenario;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	scenario = file->scenarios[0];
	cr_expect_eq(scenario->endpoints[0].script.n_steps, 2);
	cr_expect_eq(scenario->endpoints[0].port, 3);
	cr_expect_str_eq(scenario->client.command[1], "3");
	cr_expect_str_eq(scenario->client.command[2], "-3-3");
	cr_expect_str_eq(scenario->client.command[3], "${api}/$${matrix.n}");
	cr_expect_eq(scenario->n_expectations, 2);
	/* A value's place is where it is written. */
	cr_expect_eq(scenario->expectations[0].place.line, 5);
}

Test(matrix, loads_the_example_of_the_documentation)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: gives up after ${matrix.tries} tries\n"
		      "matrix:\n"
		      "  fault: [refuse, drop]\n"
		      "  tries: [1, 3]\n"
		      "  exclude: [{fault: drop, tries: 3}]\n"
		      "  include: [{fault: delay 1s, tries: 2}]\n"
		      "endpoints: {api: {faults: [\"${matrix.fault}\"]}}\n"
		      "client: {command: [./client, --tries, \"${matrix.tries}\", \"${api}\"]}\n"
		      "expect: {attempts: \"${matrix.tries}\"}\n");
	AUTO_FREE char *found = names(file);

	cr_expect_str_eq(found, "gives up after 1 tries [fault=refuse, tries=1]\n"
				"gives up after 3 tries [fault=refuse, tries=3]\n"
				"gives up after 1 tries [fault=drop, tries=1]\n"
				"gives up after 2 tries [fault=delay 1s, tries=2]");
	cr_assert_eq(file->n_scenarios, 4);
	cr_expect_eq(file->scenarios[3]->endpoints[0].script.steps[0].action, STEP_DELAY);
	cr_expect_eq(file->scenarios[1]->expectations[0].value.range.range.low, 3);
}

Test(matrix, refuses_matrices_without_rows)
{
	static const struct {
		const char *matrix, *message;
		size_t n_errors;
	} cases[] = {
		{"{}", "the matrix has no keys", 1},
		{"[a]", "takes a mapping", 1},
		{"text", "takes a mapping", 1},
		{"~", "\"matrix\" has no value", 1},
		{"{exclude: []}", "the matrix has no keys", 1},
		{"{a: 1}", "takes a list of values, not a text", 1},
		{"{a: ~}", "\"a\" has no value", 1},
		{"{a: []}", "the list of values is empty", 1},
		{"{a: [~, 1, ~]}", "a value is missing here", 2},
		{"{\"a b\": [1]}", "\"a b\" can't be a key", 1},
		{"{1a: [1]}", "\"1a\" can't be a key", 1},
		{"{\"\": [1]}", "\"\" can't be a key", 1},
		{"{include: [{a.b: 1}]}", "\"a.b\" can't be a key", 1},
		{"{a: [1], exclude: {a: 1}}", "\"exclude\" takes a list of mappings", 1},
		{"{a: [1], include: x}", "\"include\" takes a list of mappings", 1},
		{"{a: [1], exclude: [1]}", "a mapping of keys to values", 1},
		{"{a: [1], exclude: [{}]}", "the mapping is empty", 1},
		{"{a: [1, 2], exclude: [{b: 1}]}", "the matrix has no key \"b\"", 1},
		{"{a: [1], include: [{a: 1, b: 1}]}", "the matrix has no key \"b\"", 1},
		{"{a: [1], b: [1], include: [{a: 1}]}", "the row lacks the key \"b\"", 1},
		{"{include: [{a: 1}, {b: 1}]}", "the matrix has no key \"b\"", 1},
		{"{a: [1], include: [{a: ~}]}", "a value is missing here", 1},
		{"{a: [1, 2], exclude: [{a: 3}]}", "no combination has these values", 1},
		{"{a: [1, 2], exclude: [{a: 1}, {a: 2}]}", "excludes every combination", 1},
		{"{a: [1, 1]}", "the name \"n [a=1]\" is used twice", 1},
		{"{a: [1], include: [{a: 1}]}", "the name \"n [a=1]\" is used twice", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = xasprintf("name: n\nmatrix: %s\n" REST, cases[i].matrix);
		AUTO_FILE struct scenario_file *file = parse(text);

		cr_expect_eq(file->n_scenarios, 0, "%s", cases[i].matrix);
		cr_expect_eq(file->n_broken, 1, "%s", cases[i].matrix);
		cr_expect_eq(file->diags.n_items, cases[i].n_errors, "%s: %zu errors",
			     cases[i].matrix, file->diags.n_items);
		cr_expect(strstr(first_message(file), cases[i].message), "%s: %s", cases[i].matrix,
			  first_message(file));
	}
}

Test(matrix, refuses_invalid_references)
{
	static const struct {
		const char *matrix, *command, *message, *hint;
		unsigned column;
	} cases[] = {
		{"{tries: [1]}", "\"${matrix.trise}\"", "the matrix has no key \"trise\"",
		 "did you mean \"tries\"?", 21},
		{"{tries: [1]}", "\"a ${matrix.x} b\"", "the matrix has no key \"x\"",
		 "its keys are: tries", 23},
		{"{a: [1]}", "\"${matrix.a\"", "no closing \"}\"", NULL, 21},
		{"{a: [[1]]}", "\"x${matrix.a}\"", "a list can't be part of a text", NULL, 22},
		{"{a: [{b: c}]}", "\"${matrix.a}x\"", "a mapping can't be part of a text", NULL,
		 21},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = xasprintf("name: n\nmatrix: %s\nclient: {command: [%s]}\n"
						 "endpoints: {api: {}}\nexpect: {exit: 0}\n",
						 cases[i].matrix, cases[i].command);
		AUTO_FILE struct scenario_file *file = parse(text);
		const struct diag *diag = file->diags.items;

		cr_assert_eq(file->diags.n_items, 1, "%s: %zu", cases[i].command,
			     file->diags.n_items);
		cr_expect(strstr(diag->message, cases[i].message), "%s", diag->message);
		cr_expect_eq(diag->line, 3);
		cr_expect_eq(diag->column, cases[i].column, "%s: %u", cases[i].command,
			     diag->column);
		if (cases[i].hint)
			cr_expect_str_eq(diag->hint, cases[i].hint);
	}
}

Test(matrix, refuses_references_without_a_matrix_and_in_keys)
{
	static const char *const cases[] = {
		"name: n\nendpoints: {api: {}}\nclient: {command: [\"${matrix.a}\"]}\n"
		"expect: {exit: 0}\n",
		"name: n\nendpoints: {api: {}}\nclient: {command: [a]}\n"
		"expect: {stdout: {contains: \"${matrix.a}\"}}\n",
		"name: n\nmatrix: {a: [1]}\nendpoints: {api: {}}\n"
		"client: {command: [a], env: {\"${matrix.a}\": b}}\nexpect: {exit: 0}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FILE struct scenario_file *file = parse(cases[i]);

		cr_expect_eq(file->diags.n_items, 1, "case %zu", i);
	}
}

Test(matrix, error_of_many_rows_is_reported_once)
{
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_puts(&text, "name: n\nmatrix: {a: [");
	for (unsigned i = 1; i < 500; i++)
		strbuf_printf(&text, "%u, ", i);
	strbuf_puts(&text, "none]}\nendpoints: {api: {}}\nclient: {command: [\"${nobody}\"]}\n"
			   "expect: {attempts: \"${matrix.a}\"}\n");
	{
		AUTO_FILE struct scenario_file *file = parse(strbuf_text(&text));

		cr_expect_eq(file->diags.n_items, 2, "%zu", file->diags.n_items);
		cr_expect_str_eq(file->diags.items[0].message, "\"none\" is not a number");
		cr_expect_str_eq(file->diags.items[1].message, "there is no endpoint \"nobody\"");
	}
}

/* A matrix of two keys, with @a and @b values. */
static char *large(size_t a, size_t b, const char *rest)
{
	struct strbuf text = {0};

	strbuf_puts(&text, "name: n\nmatrix:\n  a: [");
	for (size_t i = 0; i < a; i++)
		strbuf_printf(&text, "%s%zu", i ? ", " : "", i);
	strbuf_puts(&text, "]\n  b: [");
	for (size_t i = 0; i < b; i++)
		strbuf_printf(&text, "%s%zu", i ? ", " : "", i);
	strbuf_printf(&text, "]\n%s", rest);
	return strbuf_steal(&text);
}

Test(matrix, makes_at_most_10000_scenarios)
{
	AUTO_FREE char *good = large(100, 100, REST),
		       *bad = large(100, 100, "  include: [{a: x, b: y}]\n" REST);
	AUTO_FREE char *huge = large(5000, 5000, REST);
	AUTO_FILE struct scenario_file *first = parse(good), *second = parse(bad),
				       *third = parse(huge);

	cr_expect_eq(first->n_scenarios, 10000, "%s", first_message(first));
	cr_expect(strstr(first_message(second), "more than 10000 scenarios"));
	cr_expect(strstr(first_message(third), "more than 10000 scenarios"));
	cr_expect_eq(third->n_scenarios, 0);
}

Test(matrix, bounds_the_size_of_all_scenarios_together)
{
	AUTO_STRBUF struct strbuf nodes = {0}, bytes = {0}, grown = {0};

	/* 1,000 rows of 10,000 values; 1,000 rows of 1 MB; one text of 20 MB. */
	strbuf_puts(&nodes, "endpoints: {api: {}}\nexpect: {exit: 0}\nclient: {command: [");
	for (size_t i = 0; i < 10000; i++)
		strbuf_puts(&nodes, "x, ");
	strbuf_puts(&nodes, "x]}\n");
	strbuf_puts(&bytes, "endpoints: {api: {}}\nexpect: {exit: 0}\nclient: {command: [");
	strbuf_pad(&bytes, 'x', 1000000);
	strbuf_puts(&bytes, "]}\n");
	strbuf_puts(&grown, "name: n\nmatrix: {a: [");
	strbuf_pad(&grown, 'x', 1000000);
	strbuf_puts(&grown, "]}\nendpoints: {api: {}}\nexpect: {exit: 0}\nclient: {command: [\"");
	for (size_t i = 0; i < 20; i++)
		strbuf_puts(&grown, "${matrix.a}");
	strbuf_puts(&grown, "\"]}\n");
	{
		AUTO_FREE char *first = large(100, 10, strbuf_text(&nodes));
		AUTO_FREE char *second = large(100, 10, strbuf_text(&bytes));
		AUTO_FILE struct scenario_file *too_many = parse(first), *too_long = parse(second),
					       *too_grown = parse(strbuf_text(&grown));

		cr_expect_eq(too_many->diags.n_items, 1);
		cr_expect(strstr(first_message(too_many), "too large"), "%s",
			  first_message(too_many));
		cr_expect_eq(too_long->diags.n_items, 1);
		cr_expect(strstr(first_message(too_long), "too large"), "%s",
			  first_message(too_long));
		cr_expect(strstr(first_message(too_grown), "the text grows beyond"), "%s",
			  first_message(too_grown));
	}
}
