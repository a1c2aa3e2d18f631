/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of scenarios without a file: lists of steps, and endpoints from the command line. */
#include <criterion/criterion.h>

#include "runner/scenario/inline_scenario.h"
#include "runner/scenario/step_list.h"

static const struct inline_options plain = {.path = INLINE_SCENARIO_PATH};
static const struct inline_options proving = {
	.path = "session", .name = "a black hole", .proves = true};

Test(inline_scenario, steps_are_split_at_commas_outside_of_brackets)
{
	static const struct {
		const char *text;
		const char *steps[4];
	} cases[] = {
		{"refuse x3, accept", {"refuse x3", "accept"}},
		{"  refuse  ", {"refuse"}},
		{"", {NULL}},
		{" , ,", {NULL}},
		{"{when: {attempt: 1, time: 0s..1s}, do: drop}, accept",
		 {"{when: {attempt: 1, time: 0s..1s}, do: drop}", "accept"}},
		{"}, a", {"}", "a"}},
		{"{a, b", {"{a, b"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRV char **steps = step_list_split(cases[i].text);

		for (size_t k = 0; cases[i].steps[k]; k++) {
			cr_assert_not_null(steps[k], "%s", cases[i].text);
			cr_expect_str_eq(steps[k], cases[i].steps[k]);
		}
		for (size_t k = 0; steps[k]; k++)
			cr_assert_not_null(cases[i].steps[k], "%s: %s", cases[i].text, steps[k]);
	}
}

Test(inline_scenario, first_wrong_step_is_named)
{
	static const struct {
		const char *steps, *fault; /* fault: its start; NULL: none */
	} cases[] = {
		{"refuse x2, accept", NULL},
		{"{when: {attempt: 1}, do: drop}, accept", NULL},
		{"", "a step is needed"},
		{"refuse, acept, refuze", "step \"acept\": unknown step \"acept\"; did you mean"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRV char **steps = step_list_split(cases[i].steps);
		AUTO_FREE char *fault = step_list_fault(steps);

		if (cases[i].fault)
			cr_expect(fault && !strncmp(fault, cases[i].fault, strlen(cases[i].fault)),
				  "%s: %s", cases[i].steps, fault ? fault : "no fault");
		else
			cr_expect_null(fault, "%s: %s", cases[i].steps, fault);
	}
}

Test(inline_scenario, endpoints_become_a_scenario_that_expects_nothing)
{
	struct inline_endpoints endpoints = {0};
	char *message = NULL;
	struct scenario_file *file;

	cr_assert(inline_endpoints_parse(&endpoints, "api=refuse x2, accept", &message));
	cr_assert(inline_endpoints_parse(&endpoints, "db={do: drop, when: {attempt: 1}}, accept",
					 &message));
	endpoints.items[1].port = 5432;
	file = inline_scenario_load(&endpoints, &plain, &message);
	cr_assert_not_null(file, "%s", message);
	cr_assert_eq(file->n_scenarios, 1);
	const struct scenario *scenario = file->scenarios[0];

	cr_expect_str_eq(scenario->name,
			 "api: refuse x2, accept; db: {do: drop, when: {attempt: 1}}, accept");
	cr_expect_eq(scenario->n_expectations, 0);
	cr_assert_eq(scenario->n_endpoints, 2);
	cr_expect_str_eq(scenario->endpoints[0].name, "api");
	cr_expect_eq(scenario->endpoints[0].script.n_steps, 2);
	cr_expect_eq(scenario->endpoints[0].port, 0);
	cr_expect_str_eq(scenario->endpoints[1].name, "db");
	cr_expect_eq(scenario->endpoints[1].port, 5432);
	scenario_file_free(file);
	inline_endpoints_free(&endpoints);
}

Test(inline_scenario, single_endpoint_names_its_scenario_by_the_steps)
{
	struct inline_endpoints endpoints = {0};
	char *message = NULL;
	struct scenario_file *file, *named;

	inline_endpoints_add(&endpoints, INLINE_ENDPOINT, "drop", 8080);
	file = inline_scenario_load(&endpoints, &plain, &message);
	named = inline_scenario_load(&endpoints, &proving, &message);
	cr_assert(file && named, "%s", message);
	cr_expect_str_eq(file->scenarios[0]->name, "drop");
	cr_expect_str_eq(named->scenarios[0]->name, "a black hole");
	cr_expect_eq(file->scenarios[0]->n_expectations, 0);
	cr_expect_eq(named->scenarios[0]->n_expectations, 1);
	scenario_file_free(file);
	scenario_file_free(named);
	inline_endpoints_free(&endpoints);
}

Test(inline_scenario, step_may_begin_as_late_as_it_likes)
{
	static const char *const steps[] = {"down 60s..70s", "stall after 100ms for 1h"};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct inline_endpoints endpoints = {0};
		char *message = NULL;
		struct scenario_file *file;

		inline_endpoints_add(&endpoints, INLINE_ENDPOINT, steps[i], 8080);
		file = inline_scenario_load(&endpoints, &plain, &message);
		cr_assert_not_null(file, "%s: %s", steps[i], message);
		scenario_file_free(file);
		inline_endpoints_free(&endpoints);
	}
}

Test(inline_scenario, wrong_endpoints_are_explained)
{
	static const struct {
		const char *text, *message; /* message: its start */
	} cases[] = {
		{"api", "a name and steps are expected"},
		{"=drop", "a name and steps are expected"},
		{"api=", "a step is needed"},
		{"api=refuze", "step \"refuze\": unknown step"},
		{"db=accept", "the endpoint db is given twice"},
	};
	struct inline_endpoints endpoints = {0};

	inline_endpoints_add(&endpoints, "db", "drop", 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = NULL;

		cr_expect_not(inline_endpoints_parse(&endpoints, cases[i].text, &message));
		cr_assert_not_null(message, "%s", cases[i].text);
		cr_expect_eq(strncmp(message, cases[i].message, strlen(cases[i].message)), 0,
			     "%s: %s", cases[i].text, message);
	}
	cr_expect_eq(endpoints.n_items, 1);
	inline_endpoints_free(&endpoints);
}

Test(inline_scenario, names_that_a_file_could_not_have_are_refused)
{
	static const char *const names[] = {"a b", "API", "\xff", "x: y", "-"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct inline_endpoints endpoints = {0};
		AUTO_FREE char *message = NULL;

		inline_endpoints_add(&endpoints, names[i], "drop", 0);
		cr_expect_null(inline_scenario_load(&endpoints, &plain, &message), "%s", names[i]);
		cr_expect_not_null(message, "%s", names[i]);
		inline_endpoints_free(&endpoints);
	}
}
