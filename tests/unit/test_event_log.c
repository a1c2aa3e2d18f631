/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `synfault inject` prints while faults are injected. */
#include <criterion/criterion.h>
#include <jansson.h>

#include "runner/inject/event_log.h"
#include "tests/lib/report_fixture.h"

TestSuite(event_log);

/* Prints all events of a record; the text is the caller's. */
static char *printed(const struct record_builder *builder, bool json, bool quiet)
{
	char *text = NULL;
	size_t length;
	const struct event_log events = {open_memstream(&text, &length), json, quiet};

	for (size_t i = 0; i < builder->record->n_events; i++)
		event_log_event(&events, builder->scenario, builder->record,
				&builder->record->events[i]);
	fclose(events.out);
	return text;
}

static struct record_builder *refused_then_connected(void)
{
	struct record_builder *builder = record_builder_new();
	size_t api = record_builder_endpoint(builder, "api", "refuse, accept");

	record_builder_attempt_refused(builder, api, 0);
	record_builder_attempt_connected(builder, api, 1000);
	return builder;
}

static void says(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

Test(event_log, lines_say_which_attempt_it_is_and_which_step_decided)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = refused_then_connected();
	AUTO_FREE char *text = printed(builder, false, false);

	says(text, "    0.000 s  api #1  SYN from ");
	says(text, "api #1  refused (step 1: refuse)\n");
	says(text, "    1.000 s  api #2  let through (step 2: accept)\n");
	says(text, "api #2  connected\n");
	cr_expect_null(strstr(text, "client"), "only the network is shown: %s", text);
}

Test(event_log, a_repeated_syn_is_called_a_retransmission)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = record_builder_new();
	size_t api = record_builder_endpoint(builder, "api", "drop");
	AUTO_FREE char *text = NULL;

	record_builder_attempt_dropped(builder, api, 0, 2500);
	text = printed(builder, false, false);
	says(text, ", retransmission 2\n");
	says(text, "api #1  dropped (step 1: drop)\n");
}

Test(event_log, quiet_prints_no_event)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = refused_then_connected();
	AUTO_FREE char *text = printed(builder, false, true), *json = printed(builder, true, true);

	cr_expect_str_empty(text);
	cr_expect_str_empty(json);
}

Test(event_log, each_line_of_json_is_an_object_with_its_attempt)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = refused_then_connected();
	AUTO_FREE char *text = printed(builder, true, false);
	json_int_t n_syns = 0;

	for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line;) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		cr_assert(json, "%s", line);
		if (strcmp(json_string_value(json_object_get(json, "kind")), "syn") == 0) {
			n_syns++;
			cr_expect_str_eq(json_string_value(json_object_get(json, "endpoint")),
					 "api");
			cr_expect_eq(json_integer_value(json_object_get(json, "number")), n_syns);
			cr_expect_eq(json_integer_value(json_object_get(json, "step")), n_syns,
				     "steps count from 1: %s", line);
		}
		json_decref(json);
	}
	cr_expect_eq(n_syns, 2);
}

static char *armed(const struct record_builder *builder, bool json, bool whole)
{
	char *text = NULL;
	size_t length;
	const struct event_log events = {open_memstream(&text, &length), json, false};

	event_log_armed(&events, builder->scenario, builder->record, "/run/x.sock", whole);
	fclose(events.out);
	return text;
}

Test(event_log, armed_says_where_to_connect_and_what_is_not_judged)
{
	AUTO_RECORD_BUILDER struct record_builder *builder = refused_then_connected();
	AUTO_FREE char *first = NULL, *again = NULL, *text = NULL;
	json_t *json, *addresses;

	record_builder_expect_exit(builder, 0);
	first = armed(builder, false, true);
	again = armed(builder, false, false);
	text = armed(builder, true, true);
	says(first, ": api 127.0.0.2:8080; commands at /run/x.sock\n");
	says(first, "not judged, since synfault did not start the client: exit\n");
	cr_expect_null(strstr(again, "not judged"), "it was said before: %s", again);
	json = json_loads(text, 0, NULL);
	cr_assert(json, "%s", text);
	cr_expect_str_eq(json_string_value(json_object_get(json, "event")), "armed");
	cr_expect_str_eq(json_string_value(json_object_get(json, "not_judged")), "exit");
	addresses = json_object_get(json_object_get(json, "endpoints"), "api");
	cr_expect_str_eq(json_string_value(json_array_get(addresses, 0)), "127.0.0.2:8080");
	json_decref(json);
}

Test(event_log, a_result_has_its_outcome_and_findings)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	const struct result *result =
		report_fixture_result(fixture, report_fixture_file(fixture, "a.yaml", ""),
				      "tries once", 1, report_fixture_failing(1), NULL);
	char *text = NULL;
	size_t length;
	const struct event_log events = {open_memstream(&text, &length), true, false};
	json_t *json;

	event_log_result(&events, result);
	fclose(events.out);
	json = json_loads(text, 0, NULL);
	cr_assert(json, "%s", text);
	cr_expect_str_eq(json_string_value(json_object_get(json, "event")), "result");
	cr_expect_str_eq(json_string_value(json_object_get(json, "scenario")), "tries once");
	cr_expect_str_eq(json_string_value(json_object_get(json, "outcome")), "fail");
	cr_expect_eq(json_array_size(json_object_get(json, "findings")),
		     result->judgement.n_findings);
	json_decref(json);
	free(text);
}
