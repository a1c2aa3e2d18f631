/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the control socket's requests: which are read, and what is answered to the others. */
#include <criterion/criterion.h>

#include "runner/session/control.h"

struct arguments {
	char *scenario;
	uint32_t session;
};
static const struct json_field argument_fields[] = {
	{"scenario", JSON_TEXT(struct arguments, scenario), .optional = true},
	{"session", JSON_U32(struct arguments, session), .min = 1, .max = 9, .optional = true},
};
static const struct json_type arguments_type = {
	JSON_TYPE(struct arguments, argument_fields),
	.is_closed = true,
};

/* Requests that are only parsed are freed by an answer to no peer. */
static void never(void *userdata, struct control_request *request, const void *arguments)
{
	cr_assert_fail("nothing is carried out");
}

static const struct control_command items[] = {
	{"status", &control_no_arguments, never},
	{"next", &arguments_type, never},
};
static const struct control_commands commands = {items, ARRAY_SIZE(items)};

Test(control, requests_are_parsed)
{
	static const struct {
		const char *line, *command, *scenario;
	} cases[] = {
		{"{\"command\": \"status\"}", "status", NULL},
		{"{\"id\": 7, \"command\": \"next\", \"scenario\": \"a\"}", "next", "a"},
		{"{\"id\": null, \"command\": \"next\", \"session\": 9}", "next", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *error = NULL;
		struct control_request *request =
			control_parse(&commands, cases[i].line, strlen(cases[i].line), &error);

		cr_assert_not_null(request, "%s", cases[i].line);
		cr_expect_null(error, "%s", cases[i].line);
		cr_expect_str_eq(control_command(request), cases[i].command);
		if (cases[i].scenario) {
			const struct arguments *arguments = control_arguments(request);

			cr_expect_str_eq(arguments->scenario, cases[i].scenario);
		}
		cr_expect_null(control_peer(request));
		control_reply(request, json_null());
	}
}

Test(control, invalid_requests_are_answered_with_an_error)
{
#define REPLY(id, code, text)                                                                      \
	"{\"id\":" id ",\"ok\":false,\"error\":{\"code\":\"" code "\",\"text\":\"" text
	static const struct {
		const char *line, *reply; /* of the error: its start */
	} cases[] = {
		{"", REPLY("null", "bad-request", "not JSON: ")},
		{"{", REPLY("null", "bad-request", "not JSON: ")},
		{"{\"command\": \"stop\", \"command\": \"next\"}",
		 REPLY("null", "bad-request", "not JSON: duplicate object key")},
		{"[]", REPLY("null", "bad-request", "a request is an object\"}}")},
		{"{}", REPLY("null", "bad-request",
			     "\\\"command\\\" is missing; commands are status and next\"}}")},
		{"{\"id\": 7}", REPLY("7", "bad-request", "\\\"command\\\" is missing")},
		{"{\"id\": [], \"command\": \"next\"}",
		 REPLY("null", "bad-request", "\\\"id\\\" has to be a text or a whole number\"}}")},
		{"{\"id\": 1.5, \"command\": \"next\"}", REPLY("null", "bad-request", "")},
		{"{\"id\": 1, \"command\": 2}",
		 REPLY("1", "bad-request", "\\\"command\\\" has to be a text\"}}")},
		{"{\"id\": 2, \"command\": \"dance\"}",
		 REPLY("2", "unknown-command",
		       "unknown command \\\"dance\\\"; commands are status and next\"}}")},
		{"{\"id\": 1, \"command\": \"next\", \"scenario\": null}",
		 REPLY("1", "bad-request", "the request: \\\"scenario\\\" is not")},
		{"{\"id\": 1, \"command\": \"next\", \"session\": 10}",
		 REPLY("1", "bad-request",
		       "the request: \\\"session\\\" is out of range: 10 is not from 1 to 9")},
		{"{\"id\": \"x\", \"command\": \"next\", \"when\": \"now\"}",
		 REPLY("\"x\"", "bad-request", "the request: \\\"when\\\" is not a known key\"}}")},
		{"{\"command\": \"status\", \"scenario\": \"a\"}",
		 REPLY("null", "bad-request",
		       "the request: \\\"scenario\\\" is not a known key\"}}")},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *error = NULL;
		struct control_request *request =
			control_parse(&commands, cases[i].line, strlen(cases[i].line), &error);
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

	cr_expect_null(control_parse(&commands, line, sizeof(line) - 1, &error));
	cr_expect_not_null(error);
	json_decref(error);
}
