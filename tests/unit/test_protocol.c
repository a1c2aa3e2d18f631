/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the arguments of commands about sessions: what their tables take, and what they refuse.
 */
#include <criterion/criterion.h>

#include "runner/session/protocol.h"

/* Reads arguments; returns the message if they are refused, owned by the caller. */
static char *read_arguments(const struct json_type *type, const char *text, void *ret)
{
	struct json_reader reader = {.document = "the request"};
	json_t *json = json_loads(text, 0, NULL);
	bool good;

	cr_assert_not_null(json, "%s", text);
	good = json_fields_read(&reader, type, json, ret);
	json_decref(json);
	cr_expect_eq(good, reader.message == NULL, "%s", text);
	return reader.message;
}

Test(protocol, open_takes_exactly_one_source_of_faults)
{
	static const struct {
		const char *text, *complaint; /* NULL: it is right */
	} cases[] = {
		{"{\"endpoints\": [{\"name\": \"api\", \"faults\": \"drop\", \"port\": 80}]}",
		 NULL},
		{"{\"source\": \"name: x\", \"scenario\": \"x\", \"name\": \"y\"}", NULL},
		{"{\"file\": \"a.yaml\"}", NULL},
		{"{}", "exactly one of endpoints, source and file"},
		{"{\"endpoints\": []}", "exactly one of endpoints, source and file"},
		{"{\"file\": \"a.yaml\", \"source\": \"name: x\"}", "exactly one"},
		{"{\"endpoints\": [{\"name\": \"api\", \"faults\": \"drop\"}], "
		 "\"scenario\": \"x\"}",
		 "\"scenario\" goes with source or file"},
		{"{\"endpoints\": [{\"name\": \"api\"}]}", "faults"},
		{"{\"endpoints\": [{\"name\": \"api\", \"faults\": \"drop\", \"port\": 65536}]}",
		 "out of range"},
		{"{\"file\": \"a.yaml\", \"x\": 1}", "\"x\" is not a known key"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct open_arguments arguments = {0};
		AUTO_FREE char *message = read_arguments(&open_type, cases[i].text, &arguments);

		if (cases[i].complaint)
			cr_expect(message && strstr(message, cases[i].complaint), "%s: %s",
				  cases[i].text, message ? message : "taken");
		else
			cr_expect_null(message, "%s: %s", cases[i].text, message);
		json_fields_clear(&open_type, &arguments);
	}
}

Test(protocol, arguments_of_commands_about_sessions_are_checked)
{
	static const struct {
		const struct json_type *type;
		const char *text, *complaint; /* NULL: it is right */
	} cases[] = {
		{&restart_type, "{\"session\": 1}", NULL},
		{&restart_type, "{\"session\": 1, \"endpoint\": \"api\", \"for_ns\": 5}", NULL},
		{&restart_type, "{\"endpoint\": \"api\"}", "session"},
		{&restart_type, "{\"session\": 1, \"for_ns\": -1}", "out of range"},
		{&restart_type, "{\"session\": 1, \"for_ns\": \"5s\"}", "for_ns"},
		{&events_type, "{\"session\": 1, \"since\": 4, \"follow\": true}", NULL},
		{&events_type, "{\"session\": 1, \"follow\": 1}", "follow"},
		{&events_type, "{\"session\": 1, \"since\": -1}", "out of range"},
		{&hold_type, "{\"session\": 1, \"attempt\": 0}", "out of range"},
		{&release_type, "{\"session\": 1}", "attempt"},
		{&faults_type, "{\"session\": 1}", "steps"},
		{&artefacts_type, "{\"session\": 0, \"directory\": \".\"}", "out of range"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *arguments = xzalloc(cases[i].type->size);
		AUTO_FREE char *message = read_arguments(cases[i].type, cases[i].text, arguments);

		if (cases[i].complaint)
			cr_expect(message && strstr(message, cases[i].complaint), "%s: %s",
				  cases[i].text, message ? message : "taken");
		else
			cr_expect_null(message, "%s: %s", cases[i].text, message);
		json_fields_clear(cases[i].type, arguments);
		free(arguments);
	}
}

Test(protocol, waits_are_for_events_of_attempts)
{
	struct wait_arguments arguments = {0};
	AUTO_FREE char *wrong = NULL, *missing = NULL, *right = NULL;

	wrong = read_arguments(&wait_type, "{\"session\": 1, \"event\": \"exit\"}", &arguments);
	cr_expect_not_null(wrong);
	missing = read_arguments(&wait_type, "{\"event\": \"syn\"}", &arguments);
	cr_expect_not_null(missing);
	right = read_arguments(&wait_type,
			       "{\"session\": 3, \"attempt\": 2, \"event\": \"established\", "
			       "\"timeout_ns\": 5}",
			       &arguments);
	cr_expect_null(right, "%s", right);
	cr_expect_eq(arguments.session, 3);
	cr_expect_eq(arguments.attempt, 2);
	cr_expect_eq(arguments.event, EVENT_ESTABLISHED);
	cr_expect_eq(arguments.timeout_ns, 5);
	json_fields_clear(&wait_type, &arguments);
}
