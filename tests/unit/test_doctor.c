/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `synfault doctor` says to people and to programs. */
#include <criterion/criterion.h>
#include <errno.h>
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

/* ---- what probes say ---- */

static const struct check *find_check(const struct doctor *doctor, const char *name)
{
	for (size_t i = 0; i < doctor->n_checks; i++)
		if (strcmp(doctor->checks[i].name, name) == 0)
			return &doctor->checks[i];
	cr_assert_fail("there is no check \"%s\"", name);
	return NULL;
}

/* Expects that a check is missing if there is an error, and what it says and advises. */
static void expect_check(const struct check *check, bool missing, const char *found,
			 const char *remedy)
{
	cr_expect_eq(check->missing, missing, "%s: %s", check->name, check->found);
	cr_expect(strstr(check->found, found), "%s: \"%s\", not \"%s\"", check->name, check->found,
		  found);
	if (remedy)
		cr_expect(check->remedy && strstr(check->remedy, remedy), "%s: \"%s\", not \"%s\"",
			  check->name, check->remedy ? check->remedy : "(none)", remedy);
	else
		cr_expect_null(check->remedy, "%s: \"%s\"", check->name, check->remedy);
}

Test(doctor, says_why_no_packet_can_be_queued_and_what_to_do_about_it)
{
	static const struct {
		struct probe probe;
		bool missing;
		const char *found, *remedy;
	} cases[] = {
		{{.form = NFT_RULES_QUEUE_NATIVE}, false, "(nftables queue)", NULL},
		{{.form = NFT_RULES_QUEUE_COMPAT}, false, "(xtables NFQUEUE)", NULL},
		{{.namespaces = -EPERM, .lo = -ENETDOWN},
		 true,
		 "no such namespace can be made",
		 "as for namespaces"},
		{{.lo = -ENETDOWN}, true, "lo is not up", "ip link set lo up"},
		{{.queue = -EOPNOTSUPP}, true, "not supported", "modprobe nfnetlink_queue"},
		{{.rules = -ENOENT, .message = "no such expression"},
		 true,
		 "no such expression",
		 "modprobe nfnetlink_queue"},
		{{.queue = -EPERM, .message = "not permitted"}, true, "not permitted", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct probe fine = {.form = NFT_RULES_QUEUE_NATIVE};
		AUTO_DOCTOR struct doctor doctor = {0};

		doctor_check_queues(&doctor, &cases[i].probe, &fine);
		doctor_check_queues(&doctor, &fine, &cases[i].probe);
		cr_assert_eq(doctor.n_checks, 4u);
		expect_check(&doctor.checks[0], cases[i].missing, cases[i].found, cases[i].remedy);
		expect_check(&doctor.checks[1], false, "(nftables queue)", NULL);
		expect_check(&doctor.checks[2], false, "(nftables queue)", NULL);
		expect_check(&doctor.checks[3], cases[i].missing, cases[i].found, cases[i].remedy);
	}
}

Test(doctor, lets_nothing_run_where_the_end_of_an_attempt_cannot_be_seen)
{
	const struct probe blind = {.deaths = -ENOENT}, fine = {0};
	AUTO_DOCTOR struct doctor without = {.isolation = DOCTOR_PRIVATE};
	AUTO_DOCTOR struct doctor with = {.isolation = DOCTOR_PRIVATE};

	doctor_check_network(&without, &blind);
	cr_expect_eq(without.isolation, DOCTOR_NONE);
	expect_check(find_check(&without, "socket deaths"), true, "no notices",
		     "modprobe tcp_diag");
	doctor_check_network(&with, &fine);
	cr_expect_eq(with.isolation, DOCTOR_PRIVATE);
	expect_check(find_check(&with, "socket deaths"), false, "reports", NULL);
}

Test(doctor, shows_whether_captures_lack_a_module_or_a_right)
{
	const struct probe no_module = {.captures = -ENOENT}, no_right = {.captures = -EPERM};
	AUTO_DOCTOR struct doctor module = {0}, right = {0};

	doctor_check_network(&module, &no_module);
	expect_check(find_check(&module, "captures"), true, "can't log packets",
		     "modprobe nfnetlink_log");
	doctor_check_network(&right, &no_right);
	expect_check(find_check(&right, "captures"), true, "can't log packets", NULL);
}

Test(doctor, says_how_to_switch_ipv6_on)
{
	const struct probe off = {.ipv6 = -EADDRNOTAVAIL};
	AUTO_DOCTOR struct doctor doctor = {.isolation = DOCTOR_SHARED};

	doctor_check_network(&doctor, &off);
	cr_expect_eq(doctor.isolation, DOCTOR_SHARED);
	expect_check(find_check(&doctor, "IPv6"), true, "::1 can't be used", "disable_ipv6=0");
}
