/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `synfault doctor` says to people and to programs. */
#include <criterion/criterion.h>
#include <jansson.h>

#include "runner/doctor/check.h"

TestSuite(doctor);

/* A machine with one capability and without another, and without a kernel module. */
static struct check checks[] = {
	{.name = "NET_ADMIN",
	 .found = (char[]){"held"},
	 .consequence = "nothing can be queued",
	 .capability = "NET_ADMIN"},
	{.name = "SYS_ADMIN",
	 .missing = true,
	 .found = (char[]){"not held"},
	 .consequence = "scenarios get no namespaces of their own",
	 .capability = "SYS_ADMIN",
	 .grant = CAPABILITY_HINT_CONTAINER},
	{.name = "queue",
	 .missing = true,
	 .found = (char[]){"the kernel has no queue"},
	 .consequence = "no scenario can run",
	 .remedy = (char[]){"modprobe nfnetlink_queue"}},
};

static const struct doctor machine = {
	.checks = checks,
	.n_checks = ARRAY_SIZE(checks),
	.isolation = DOCTOR_SHARED,
	.schedule = {.retransmissions_ns = {NS_PER_S, 3 * NS_PER_S},
		     .n_retransmissions = 2,
		     .timeout_ns = 7 * NS_PER_S},
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

Test(doctor, text_says_what_is_missing_without_what_and_how_to_get_it)
{
	static const char *const lines[] = {
		"ok       NET_ADMIN      held\n",
		"missing  SYS_ADMIN      not held\n",
		"without: scenarios get no namespaces of their own\n",
		"remedy: the capability SYS_ADMIN, as said below\n",
		"remedy: modprobe nfnetlink_queue\n",
		"\nTo give a container SYS_ADMIN:\n",
		"\nrun works: scenarios share the network namespace that is given\n",
	};
	AUTO_STRBUF struct strbuf text = {0};

	doctor_format_text(&machine, &text);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		cr_expect(strstr(strbuf_text(&text), lines[i]), "\"%s\" is not in:\n%s", lines[i],
			  strbuf_text(&text));
	cr_expect_null(strstr(strbuf_text(&text), "nothing can be queued"), "it is not missing");
}

Test(doctor, text_of_a_machine_where_run_cannot_work_says_so)
{
	const struct doctor none = {.isolation = DOCTOR_NONE};
	AUTO_STRBUF struct strbuf text = {0};

	doctor_format_text(&none, &text);
	cr_expect(strstr(strbuf_text(&text), "run can't work here"), "%s", strbuf_text(&text));
}

Test(doctor, json_has_remedies_only_for_what_is_missing)
{
	AUTO_STRBUF struct strbuf text = {0};
	json_t *json, *list, *check;

	doctor_format_json(&machine, &text);
	json = json_loads(strbuf_text(&text), JSON_REJECT_DUPLICATES, NULL);
	cr_assert(json, "%s", strbuf_text(&text));
	cr_expect(json_is_true(json_object_get(json, "can_run")));
	cr_expect_str_eq(text_of(json, "isolation"), "shared");
	list = json_object_get(json, "checks");
	cr_assert_eq(json_array_size(list), 3);
	check = json_array_get(list, 0);
	cr_expect_str_eq(text_of(check, "state"), "ok");
	cr_expect_eq(json_object_size(check), 3, "name, state and found are all: %s",
		     strbuf_text(&text));
	check = json_array_get(list, 1);
	cr_expect_str_eq(text_of(check, "state"), "missing");
	cr_expect_str_eq(text_of(check, "without"), "scenarios get no namespaces of their own");
	cr_expect_str_eq(text_of(check, "capability"), "SYS_ADMIN");
	check = json_array_get(json_object_get(check, "remedies"), 0);
	cr_expect_str_eq(text_of(check, "platform"), "docker");
	cr_expect(strstr(text_of(check, "remedy"), "SYS_ADMIN"), "%s", text_of(check, "remedy"));
	check = json_array_get(list, 2);
	cr_expect_str_eq(text_of(check, "remedy"), "modprobe nfnetlink_queue");
	cr_expect_null(json_object_get(check, "remedies"));
	json_decref(json);
}

Test(doctor, json_has_the_kernels_schedule_in_nanoseconds)
{
	AUTO_STRBUF struct strbuf text = {0};
	json_t *json, *schedule, *times;

	doctor_format_json(&machine, &text);
	json = json_loads(strbuf_text(&text), 0, NULL);
	schedule = json_object_get(json, "syn_schedule");
	times = json_object_get(schedule, "retransmissions_ns");
	cr_assert_eq(json_array_size(times), 2);
	cr_expect_eq(json_integer_value(json_array_get(times, 1)), 3 * NS_PER_S);
	cr_expect_eq(json_integer_value(json_object_get(schedule, "timeout_ns")), 7 * NS_PER_S);
	json_decref(json);
}
