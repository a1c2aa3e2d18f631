/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the control socket's requests: which are read, and what is answered to the others. */
#include <criterion/criterion.h>

#include "runner/inject/control.h"

Test(control, requests_are_parsed)
{
	static const char *const lines[] = {
		"{\"command\": \"status\"}",
		"{\"id\": 7, \"command\": \"next\", \"scenario\": \"a\"}",
		"{\"id\": \"x\", \"command\": \"unknown to the parser, too\"}",
		"{\"id\": null, \"command\": \"stop\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		json_t *error = NULL;
		json_t *request = control_parse(lines[i], strlen(lines[i]), &error);

		cr_expect_not_null(request, "%s", lines[i]);
		cr_expect_null(error, "%s", lines[i]);
		json_decref(request);
	}
}

Test(control, invalid_requests_are_answered_with_an_error)
{
	static const struct {
		const char *line, *reply; /* of the error: its start */
	} cases[] = {
		{"", "{\"id\":null,\"ok\":false,\"error\":\"not JSON: "},
		{"{", "{\"id\":null,\"ok\":false,\"error\":\"not JSON: "},
		{"{\"command\": \"stop\", \"command\": \"next\"}",
		 "{\"id\":null,\"ok\":false,\"error\":\"not JSON: duplicate object key"},
		{"[]", "{\"id\":null,\"ok\":false,\"error\":\"a request is an object\"}"},
		{"{}", "{\"id\":null,\"ok\":false,\"error\":\"\\\"command\\\" is missing: status, "
		       "next, reset or stop\"}"},
		{"{\"id\": 7}", "{\"id\":7,\"ok\":false,\"error\":\"\\\"command\\\" is missing"},
		{"{\"id\": [], \"command\": \"stop\"}",
		 "{\"id\":null,\"ok\":false,\"error\":\"\\\"id\\\" has to be a text or a whole "
		 "number\"}"},
		{"{\"id\": 1.5, \"command\": \"stop\"}", "{\"id\":null,\"ok\":false,"},
		{"{\"id\": 1, \"command\": 2}",
		 "{\"id\":1,\"ok\":false,\"error\":\"\\\"command\\\" has to be a text\"}"},
		{"{\"id\": 1, \"command\": \"next\", \"scenario\": null}",
		 "{\"id\":1,\"ok\":false,\"error\":\"\\\"scenario\\\" has to be a text\"}"},
		{"{\"id\": \"x\", \"command\": \"stop\", \"when\": \"now\"}",
		 "{\"id\":\"x\",\"ok\":false,\"error\":\"unknown key \\\"when\\\"\"}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *error = NULL;
		json_t *request = control_parse(cases[i].line, strlen(cases[i].line), &error);
		char *text = error ? json_dumps(error, JSON_COMPACT) : NULL;

		cr_expect_null(request, "%s", cases[i].line);
		cr_assert_not_null(text, "%s", cases[i].line);
		cr_expect_eq(strncmp(text, cases[i].reply, strlen(cases[i].reply)), 0, "%s: %s",
			     cases[i].line, text);
		free(text);
		json_decref(error);
	}
}

Test(control, a_line_may_hold_any_bytes)
{
	static const char line[] = "{\"command\": \"a\0b\"}";
	json_t *error = NULL;

	cr_expect_null(control_parse(line, sizeof(line) - 1, &error));
	cr_expect_not_null(error);
	json_decref(error);
}
