/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `synfault try` and `synfault record` say of their command lines and of a run. */
#include <criterion/criterion.h>

#include "runner/command/adhoc_run.h"

Test(adhoc_run, families_are_taken_in_their_order)
{
	static const struct {
		const char *text, *families[N_FAMILIES + 1];
	} cases[] = {
		{"ipv4", {"ipv4"}},
		{"ipv6", {"ipv6"}},
		{"ipv4,ipv6", {"ipv4", "ipv6"}},
		{"ipv6,ipv4", {"ipv6", "ipv4"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct adhoc_run_options options = {.families = {"left", "over"}};
		char *message = NULL;

		cr_assert(adhoc_run_parse_families(options.families, cases[i].text, &message),
			  "%s: %s", cases[i].text, message);
		for (size_t k = 0; k < ARRAY_SIZE(options.families); k++) {
			const char *expected = cases[i].families[k], *got = options.families[k];

			cr_expect_str_eq(got ? got : "", expected ? expected : "", "%s",
					 cases[i].text);
			if (!expected)
				break;
		}
	}
}

Test(adhoc_run, wrong_families_are_refused)
{
	static const char *const cases[] = {
		"", "ipv5", "IPv4", "ipv4,", ",ipv4", "ipv4,ipv4", "ipv4, ipv6", "ipv4,ipv6,ipv4",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct adhoc_run_options options = {0};
		AUTO_FREE char *message = NULL;

		cr_expect_not(adhoc_run_parse_families(options.families, cases[i], &message),
			      "\"%s\"", cases[i]);
		cr_expect_not_null(message, "\"%s\"", cases[i]);
	}
}

/* Copies words up to a NULL, at most four. */
static char **command_of(const char *const *words)
{
	char **command = xzalloc(5 * sizeof(*command));

	for (size_t i = 0; i < 4 && words[i]; i++)
		command[i] = xstrdup(words[i]);
	return command;
}

Test(adhoc_run, finds_out_whether_a_command_knows_where_to_connect_to)
{
	static const struct {
		const char *words[4];
		bool mentions;
	} cases[] = {
		{{"curl", "http://${server}/"}, true},
		{{"sh", "-c", "exec client $SYNFAULT_SERVER"}, true},
		{{"curl", "http://localhost/"}, false},
		{{"curl", "http://$server/"}, false},
		{{"curl"}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRV char **command = command_of(cases[i].words);

		cr_expect_eq(adhoc_run_mentions_endpoint(command), cases[i].mentions, "case %zu",
			     i);
	}
}

/* Expects what is printed of a client with this argument; "": nothing, since it is right. */
static void expect_complaint(const char *argument, const char *complaint)
{
	static const char *const faults[] = {"refuse", NULL};
	AUTO_STRV char **command = command_of((const char *const[]){"client", argument, NULL});
	struct scenario_file *file = adhoc_scenario_make(&(struct adhoc_scenario){
		.name = "try", .faults = faults, .timeout_ns = NS_PER_S, .command = command});
	char *text = NULL;
	size_t length = 0;
	FILE *err = open_memstream(&text, &length);
	const bool good = adhoc_run_check_command("try", file, err);

	fclose(err);
	cr_expect_eq(good, !*complaint, "%s", argument);
	cr_expect(*complaint ? strstr(text, complaint) != NULL : !*text, "%s: %s", argument, text);
	free(text);
	scenario_file_free(file);
}

Test(adhoc_run, references_of_the_client_are_checked_before_it_runs)
{
	expect_complaint("http://${server}/", "");
	expect_complaint("${server.host}:${server.port}", "");
	expect_complaint("plain", "");
	expect_complaint("http://${sever}/", "synfault try: ");
	expect_complaint("http://${sever}/", "server");
	expect_complaint("${server.prot}", "synfault try: ");
}

Test(adhoc_run, only_the_harness_keeps_a_run_from_showing_anything)
{
	static const struct {
		const char *type;
		bool obstacle;
	} cases[] = {
		{"harness", true},   {"capability", true}, {"never-fired", false},
		{"attempts", false}, {"timeout", false},
	};
	struct result never_ran = {0};
	AUTO_FREE char *why = adhoc_run_obstacle(&never_ran);

	cr_assert_str_eq(why, "it was interrupted");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char message[] = "what happened";
		AUTO_FREE char *type = xstrdup(cases[i].type), *obstacle = NULL;
		struct finding finding = {.type = type, .message = message};
		struct record record = {0};
		const struct result result = {
			.record = &record,
			.judgement = {.findings = &finding, .n_findings = 1},
		};

		obstacle = adhoc_run_obstacle(&result);
		cr_expect_str_eq(obstacle ? obstacle : "", cases[i].obstacle ? message : "", "%s",
				 cases[i].type);
	}
}
