/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the scenario language: what each key becomes, and which values are refused. What users
 * read about wrong files is in tests/scenarios/wrong, byte for byte.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>

#include "runner/scenario/load.h"
#include "runner/scenario/policy.h"
#include "runner/scenario/schema.h"

TestSuite(load);

static void file_freep(struct scenario_file **file)
{
	scenario_file_free(*file);
}
#define AUTO_FILE CLEANUP(file_freep)

static struct scenario_file *parse(const char *text)
{
	return scenario_file_parse("dir/a.yaml", text, strlen(text));
}

static const char *first_message(const struct scenario_file *file)
{
	return file->diags.n_items ? file->diags.items[0].message : "no error";
}

#define ENDPOINTS "endpoints: {api: {}, web: {families: [ipv4, ipv6]}}\n"
#define CLIENT    "client: {command: [curl]}\n"
#define EXPECT    "expect: {exit: 0}\n"

/* A document whose only scenario is given; the rest of it is as small as possible. */
static struct scenario_file *parse_endpoint(const char *endpoint)
{
	AUTO_FREE char *text = xasprintf("name: n\nendpoints: {api: %s}\n" CLIENT EXPECT, endpoint);

	return parse(text);
}

static struct scenario_file *parse_client(const char *client)
{
	AUTO_FREE char *text = xasprintf("name: n\nclient: %s\n" ENDPOINTS EXPECT, client);

	return parse(text);
}

static struct scenario_file *parse_expect(const char *expect)
{
	AUTO_FREE char *text = xasprintf("name: n\nexpect: %s\n" ENDPOINTS CLIENT, expect);

	return parse(text);
}

/* One value that is refused: with one error, in line 2 of the document, that says this. */
struct refusal {
	const char *value, *message;
};

static void expect_refusal(const struct scenario_file *file, const struct refusal *refusal)
{
	cr_expect_eq(file->n_scenarios, 0, "%s: accepted", refusal->value);
	cr_expect_eq(file->n_broken, 1, "%s", refusal->value);
	cr_expect_eq(file->diags.n_items, 1, "%s: %zu errors: %s", refusal->value,
		     file->diags.n_items, first_message(file));
	cr_expect(strstr(first_message(file), refusal->message), "%s: %s", refusal->value,
		  first_message(file));
	if (file->diags.n_items) {
		cr_expect_eq(file->diags.items[0].line, 2, "%s", refusal->value);
		cr_expect_str_eq(file->diags.items[0].path, "dir/a.yaml");
	}
}

#define EXPECT_REFUSALS(parse_part, ...)                                                           \
	do {                                                                                       \
		static const struct refusal refusals[] = {__VA_ARGS__};                            \
                                                                                                   \
		for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {                                \
			AUTO_FILE struct scenario_file *file = parse_part(refusals[i].value);      \
                                                                                                   \
			expect_refusal(file, &refusals[i]);                                        \
		}                                                                                  \
	} while (0)

Test(load, reads_the_example_of_the_documentation)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: retries a refused connection every 2 s, five times at most\n"
		      "tags: [refuse, retry]\n"
		      "timeout: 40s\n"
		      "\n"
		      "endpoints:\n"
		      "  api:\n"
		      "    serve: http\n"
		      "    faults: [refuse x3, delay 300ms, accept]\n"
		      "\n"
		      "client:\n"
		      "  command: [python3, targets/clients/fetch.py, \"http://${api}/data\"]\n"
		      "\n"
		      "expect:\n"
		      "  exit: 0\n"
		      "  attempts: 60\n"
		      "  backoff: {fixed: 2s}\n"
		      "clients: 4\n"
		      "repeat: 3\n");
	const struct scenario *scenario;
	const struct endpoint_spec *endpoint;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	cr_expect_eq(file->n_broken, 0);
	scenario = file->scenarios[0];
	cr_expect_str_eq(scenario->path, "dir/a.yaml");
	cr_expect_str_eq(scenario->name,
			 "retries a refused connection every 2 s, five times at most");
	cr_expect_eq(scenario->index, 0);
	cr_expect(scenario->place.line == 1 && scenario->place.column == 7);
	cr_expect_eq(strv_length(scenario->tags), 2);
	cr_expect_str_eq(scenario->tags[1], "retry");
	cr_expect_eq(scenario->timeout_ns, 40 * NS_PER_S);
	cr_expect_eq(scenario_n_clients(scenario), 4);
	cr_expect_eq(scenario_n_instances(scenario), 12);

	cr_assert_eq(scenario->n_endpoints, 1);
	endpoint = &scenario->endpoints[0];
	cr_expect_str_eq(endpoint->name, "api");
	cr_expect(endpoint->place.line == 6 && endpoint->place.column == 3);
	cr_assert_eq(endpoint->script.n_steps, 3);
	cr_expect_eq(endpoint->script.steps[0].repeat, 3);
	cr_expect(endpoint->step_places[1].line == 8 && endpoint->step_places[1].column == 25);

	cr_expect_str_eq(scenario->client.command[2], "http://${api}/data");
	cr_expect_null(scenario->client.command[3]);
	cr_expect_eq(scenario->client.place.line, 10);

	cr_assert_eq(scenario->n_expectations, 3);
	cr_expect_eq(scenario->expectations[0].kind, EXPECT_EXIT);
	cr_expect_eq(scenario->expectations[1].kind, EXPECT_ATTEMPTS);
	cr_expect_eq(scenario->expectations[1].place.line, 15);
	cr_expect_eq(scenario->expectations[1].place.column, 13);
	cr_expect_eq(scenario->expectations[2].kind, EXPECT_BACKOFF);
	cr_expect_str_eq(scenario->expectations[2].place.path, "dir/a.yaml");
}

Test(load, sets_the_defaults_of_missing_keys)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: n\nendpoints: {api: {}}\n" CLIENT "expect: {duration: 1s}\n");
	const struct scenario *scenario;
	const struct endpoint_spec *endpoint;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	scenario = file->scenarios[0];
	cr_expect_null(scenario->tags[0]);
	cr_expect_eq(scenario->timeout_ns, 30 * NS_PER_S);
	cr_expect_eq(scenario_n_instances(scenario), 1);
	endpoint = &scenario->endpoints[0];
	cr_expect_eq(endpoint->n_families, 1);
	cr_expect_eq(endpoint->families[0], FAMILY_IPV4);
	cr_expect_eq(endpoint->port, 0);
	cr_expect_null(endpoint->hostname);
	cr_expect_eq(endpoint->serve, SERVE_HTTP);
	cr_assert_eq(endpoint->script.n_steps, 1);
	cr_expect_eq(endpoint->script.steps[0].action, STEP_ACCEPT);
	cr_expect_eq(endpoint->step_places[0].line, 2);
	cr_expect_eq(scenario->client.n_env, 0);
	cr_expect_eq(scenario->client.n_files, 0);
	cr_expect_null(scenario->client.stdin_text);
	cr_expect_null(scenario->client.cwd);
	cr_expect_eq(scenario->expectations[0].tolerance.absolute_ns, 100 * NS_PER_MS);
	cr_expect_float_eq(scenario->expectations[0].tolerance.relative, 0.05, 1e-9);
}

Test(load, reads_endpoints)
{
	AUTO_FILE struct scenario_file *file =
		parse_endpoint("{families: [ipv6, ipv4], port: \"8080\", hostname: API-1.test, "
			       "serve: {command: [\"./s\", \"${api.port}\"], ready: 1m}, "
			       "faults: [\"refuse\", drop x2]}");
	const struct endpoint_spec *endpoint;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	endpoint = &file->scenarios[0]->endpoints[0];
	cr_expect_eq(endpoint->n_families, 2);
	cr_expect_eq(endpoint->families[0], FAMILY_IPV6);
	cr_expect_eq(endpoint->families[1], FAMILY_IPV4);
	cr_expect_eq(endpoint->port, 8080);
	cr_expect_str_eq(endpoint->hostname, "API-1.test");
	cr_expect_eq(endpoint->serve, SERVE_COMMAND);
	cr_expect_str_eq(endpoint->serve_command[1], "${api.port}");
	cr_expect_eq(endpoint->serve_ready_ns, 60 * NS_PER_S);
	cr_expect_eq(endpoint->script.n_steps, 2);
}

Test(load, reads_every_way_to_serve)
{
	static const struct {
		const char *text;
		enum serve_kind kind;
	} cases[] = {
		{"http", SERVE_HTTP},
		{"echo", SERVE_ECHO},
		{"accept", SERVE_ACCEPT},
		{"none", SERVE_NONE},
		{"{command: [x]}", SERVE_COMMAND},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *endpoint = xasprintf("{serve: %s}", cases[i].text);
		AUTO_FILE struct scenario_file *file = parse_endpoint(endpoint);

		cr_assert_eq(file->n_scenarios, 1, "%s", cases[i].text);
		cr_expect_eq(file->scenarios[0]->endpoints[0].serve, cases[i].kind);
	}
}

Test(load, gives_a_server_five_seconds)
{
	AUTO_FILE struct scenario_file *file = parse_endpoint("{serve: {command: [x]}}");

	cr_expect_eq(file->scenarios[0]->endpoints[0].serve_ready_ns, 5 * NS_PER_S);
}

Test(load, refuses_endpoints)
{
	EXPECT_REFUSALS(
		parse_endpoint, {"~", "\"api\" has no value"}, {"http", "takes a mapping"},
		{"[]", "takes a mapping"}, {"{prot: 1}", "unknown key \"prot\""},
		{"{remote: x}", "\"x\" is not a host and a port"},
		{"{remote: 'x:1', port: 2}", "exclude each other"},
		{"{families: []}", "at least one address family"},
		{"{families: ipv4}", "takes a list"},
		{"{families: [ipv4, ipv4]}", "\"ipv4\" is given twice"},
		{"{families: [ipx]}", "unknown value \"ipx\""},
		{"{families: [[]]}", "this must be a text"}, {"{port: 0}", "1 to 65535"},
		{"{port: 65536}", "1 to 65535"}, {"{port: 99999999999999999999}", "1 to 65535"},
		{"{port: -1}", "is negative"}, {"{port: 1.5}", "not a whole number"},
		{"{port: \"\"}", "not a number"}, {"{port: 8o}", "not a number"},
		{"{port: +80}", "not a number"}, {"{port: \" 80\"}", "not a number"},
		{"{port: [80]}", "takes a port number"}, {"{port: ~}", "has no value"},
		{"{hostname: \"\"}", "is empty"}, {"{hostname: a_b}", "holds a character"},
		{"{hostname: ä.test}", "holds a character"},
		{"{hostname: \"a b\"}", "holds a character"}, {"{hostname: a.}", "empty label"},
		{"{hostname: .a}", "empty label"}, {"{hostname: a..b}", "empty label"},
		{"{hostname: -a}", "hyphen"}, {"{hostname: a-.b}", "hyphen"},
		{"{hostname: 10.0.0.1}", "is an address"}, {"{hostname: \"::1\"}", "is an address"},
		{"{hostname: a.1}", "ends in a number"},
		{"{serve: htpp}", "unknown value \"htpp\""}, {"{serve: command}", "unknown value"},
		{"{serve: [http]}", "takes http, echo, accept, none"},
		{"{serve: {}}", "a server needs the key \"command\""},
		{"{serve: {ready: 5s}}", "a server needs the key \"command\""},
		{"{serve: {command: []}}", "\"command\" is empty"},
		{"{serve: {command: x}}", "takes a list"},
		{"{serve: {command: [\"\"]}}", "program's name is empty"},
		{"{serve: {command: [x], ready: 0s}}", "more than 0"},
		{"{serve: {command: [x], ready: 5}}", "has no unit"},
		{"{serve: {command: [x, \"${web}\"]}}", "no endpoint \"web\""},
		{"{faults: []}", "at least one step"}, {"{faults: refuse}", "takes a list"},
		{"{faults: [~]}", "a text is missing"},
		{"{faults: [{do: refuse}]}", "needs the key \"when\""},
		{"{faults: [[refuse]]}", "this must be a text"},
		{"{faults: [refsue]}", "unknown step"}, {"{faults: [lose 0]}", "loses nothing"},
		{"{faults: [drop x0]}", "would serve no attempt"},
		{"{faults: [refuse forever]}", "the last step serves all further attempts"},
		{"{faults: [refuse x*, accept]}", "the last step serves all further attempts"},
		{"{faults: [delay 1s always]}", "the last step serves all further attempts"},
		{"{faults: [refuse x∞]}", "the last step serves all further attempts"},
		{"{faults: [delay 3]}", "has no unit"},
		{"{families: [ipv6], faults: [unreachable protocol]}", "IPv6 has no ICMP message"},
		{"{families: [ipv4, ipv6], faults: [delay 1s then unreachable protocol]}",
		 "IPv6 has no ICMP message"},
		{"{serve: none, faults: [reset after 10 bytes]}", "this endpoint has no server"},
		{"{serve: none, faults: [backlog-full abort]}", "this endpoint has no server"},
		{"{faults: [delay 2s..1s]}", "ends before it begins"}, );
}

static struct scenario_file *parse_endpoints(const char *endpoints)
{
	AUTO_FREE char *text = xasprintf("name: n\nendpoints: %s\n" CLIENT EXPECT, endpoints);

	return parse(text);
}

static struct scenario_file *parse_kernel(const char *kernel)
{
	AUTO_FREE char *text = xasprintf("name: n\nkernel: %s\n" ENDPOINTS CLIENT EXPECT, kernel);

	return parse(text);
}

Test(load, reads_kernel_settings)
{
	AUTO_FILE struct scenario_file *file =
		parse_kernel("{tcp_syn_retries: 1, net.ipv4.tcp_rmem: 4096 87380 6291456}");
	const struct scenario *scenario;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	scenario = file->scenarios[0];
	cr_assert_eq(scenario->n_kernel, 2);
	cr_expect_str_eq(scenario->kernel[0].path, "net/ipv4/tcp_syn_retries");
	cr_expect_str_eq(scenario->kernel[0].value, "1");
	cr_expect_eq(scenario->kernel[0].place.line, 2);
	cr_expect_str_eq(scenario->kernel[1].path, "net/ipv4/tcp_rmem");
}

Test(load, refuses_kernel_settings)
{
	EXPECT_REFUSALS(parse_kernel, {"tcp_sack", "takes a mapping"},
			{"{tcp_syn_retris: 1}", "unknown kernel setting \"tcp_syn_retris\""},
			{"{kernel.hostname: x}", "unknown kernel setting \"kernel.hostname\""},
			{"{tcp_syn_retries: 0}", "takes a number from 1 to 127"},
			{"{tcp_syn_retries: ~}", "has no value"},
			{"{tcp_syn_retries: [1]}", "not a list"},
			{"{tcp_sack: 1, net.ipv4.tcp_sack: 1}", "is given twice"},
			{"{tcp_rmem: 1}", "takes 3 numbers"}, );
}

Test(load, reads_conditions)
{
	AUTO_FILE struct scenario_file *file = parse_endpoint(
		"{families: [ipv6, ipv4], faults: [{when: {attempt: [1..3, 7+], time: 0s..5s every "
		"20s, family: ipv6, chance: 30%}, do: refuse x2}, {do: down 2s, when: {family: "
		"ipv4}}, flap up 2s down 1s with drop]}");
	const struct script *script;
	AUTO_STRBUF struct strbuf text = {0};

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	script = &file->scenarios[0]->endpoints[0].script;
	cr_assert_eq(script->n_steps, 4, "and what no condition takes is accepted");
	script_format(script, &text);
	cr_expect_str_eq(strbuf_text(&text),
			 "refuse x2 when attempt 1..3 or 7+ and time 0s..5s every 20s and ipv6 and "
			 "chance 30%, refuse when time 0s..2s and ipv4, down 2s..3s every 3s with "
			 "drop, accept");
}

Test(load, reads_addresses_and_faults_of_each)
{
	AUTO_FILE struct scenario_file *file = parse_endpoint(
		"{addresses: [ipv6, ipv4, ipv6, ipv4], faults: {ipv6: [drop, {when: {attempt: 1}, "
		"do: refuse}], ipv6.2: [{when: {attempt: 2+}, do: refuse}]}}");
	static const uint32_t lists[] = {0, 2, 1, 2};
	const struct endpoint_spec *endpoint;
	AUTO_STRBUF struct strbuf text = {0};

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	endpoint = &file->scenarios[0]->endpoints[0];
	cr_assert_eq(endpoint->n_families, 4);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		cr_expect_eq(endpoint->families[i], i % 2 ? FAMILY_IPV4 : FAMILY_IPV6);
		cr_expect_eq(endpoint->lists[i], lists[i], "%zu: %u", i, endpoint->lists[i]);
	}
	script_format(&endpoint->script, &text);
	cr_expect_str_eq(strbuf_text(&text),
			 "ipv6: drop, refuse when attempt 1; ipv6.2: refuse when attempt 2+, "
			 "accept; others: accept");
}

Test(load, restarts_each_address_after_the_other)
{
	AUTO_FILE struct scenario_file *file = parse_endpoint(
		"{addresses: [ipv6, ipv4, ipv6], faults: [restart 2s each at 3s every 20s ending "
		"close, refuse x2, accept]}");
	const struct endpoint_spec *endpoint;
	AUTO_STRBUF struct strbuf text = {0};

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	endpoint = &file->scenarios[0]->endpoints[0];
	for (uint32_t i = 0; i < 3; i++)
		cr_expect_eq(endpoint->lists[i], i);
	script_format(&endpoint->script, &text);
	cr_expect_str_eq(
		strbuf_text(&text),
		"ipv6: restart 2s at 3s every 20s ending close, refuse x2, accept; ipv4: restart "
		"2s "
		"at 5s every 20s ending close, refuse x2, accept; ipv6.2: restart 2s at 7s every "
		"20s ending close, refuse x2, accept");
}

/* Returns the scripts of all endpoints, separated by " | ", owned by the caller. */
static char *scripts_of(const struct scenario_file *file)
{
	const struct scenario *scenario;
	struct strbuf text = {0};

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	scenario = file->scenarios[0];
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		strbuf_puts(&text, i > 0 ? " | " : "");
		script_format(&scenario->endpoints[i].script, &text);
	}
	return strbuf_steal(&text);
}

Test(load, restarts_endpoints_of_the_same_time_one_after_the_other)
{
	static const struct {
		const char *endpoints, *scripts;
	} cases[] = {
		{"{a: {faults: [restart 2s each at 3s]}, b: {}, c: {faults: [restart 1s each at "
		 "3s ending close, refuse, accept]}, d: {faults: [pause 2s each at 3s]}}",
		 "restart 2s at 3s, accept | accept | restart 1s at 5s ending close, refuse, "
		 "accept | pause 2s at 6s, accept"},
		{"{a: {addresses: [ipv4, ipv4], faults: [restart 1s each at 1s every 9s]}, "
		 "b: {faults: [restart 2s each at 1s every 9s]}}",
		 "ipv4: restart 1s at 1s every 9s, accept; ipv4.2: restart 1s at 2s every 9s, "
		 "accept | restart 2s at 3s every 9s, accept"},
		/* other times, and those from the first attempt, stay within their endpoint */
		{"{a: {addresses: [ipv4, ipv6], faults: [restart 1s each at 1s]}, "
		 "b: {addresses: [ipv6, ipv6], faults: [restart 1s each at 2s]}}",
		 "ipv4: restart 1s at 1s, accept; ipv6: restart 1s at 2s, accept | "
		 "ipv6: restart 1s at 2s, accept; ipv6.2: restart 1s at 3s, accept"},
		/* which endpoints take turns is up to the command */
		{"{a: {faults: [restart 9h each from command]}, "
		 "b: {addresses: [ipv4, ipv6], faults: [restart 1s each from command with drop]}}",
		 "restart 9h each from command, accept | "
		 "ipv4: restart 1s each from command with drop, accept; "
		 "ipv6: restart 1s each at 1s from command with drop, accept"},
		{"{a: {addresses: [ipv4, ipv6], faults: [pause 1s each]}, "
		 "b: {addresses: [ipv4, ipv6], faults: [pause 1s each]}}",
		 "ipv4: pause 1s, accept; ipv6: pause 1s at 2s from "
		 "first-attempt, accept | ipv4: pause 1s, accept; ipv6: "
		 "pause 1s at 2s from first-attempt, accept"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FILE struct scenario_file *file = parse_endpoints(cases[i].endpoints);
		AUTO_FREE char *scripts = scripts_of(file);

		cr_expect_str_eq(scripts, cases[i].scripts);
	}
}

Test(load, refuses_to_restart_each_of_what_it_cant_go_through)
{
	EXPECT_REFUSALS(
		parse_endpoints, {"{a: {faults: [restart 2s each]}}", "needs several addresses"},
		{"{a: {faults: [restart 2s each at 1s]}}", "needs several addresses"},
		{"{a: {faults: [restart 2s each at 1s]}, b: {addresses: [ipv4, ipv4], faults: "
		 "[restart 2s each at 2s]}}",
		 "needs several addresses"},
		{"{a: {faults: [restart 2s each at 1s]}, b: {faults: [restart 2s at 1s]}}",
		 "needs several addresses"},
		/* the right one gets no error of its own */
		{"{a: {faults: [restart 2s each at 1s]}, b: {remote: 'x:1', faults: [restart 2s "
		 "each "
		 "at 1s]}}",
		 "remote endpoint"},
		{"{a: {addresses: [ipv4, ipv4], faults: {ipv4: [restart 2s each]}}}",
		 "have faults of their own"},
		{"{a: {remote: 'x:1', faults: [restart 2s each]}}", "remote endpoint"},
		{"{a: {families: [ipv4, ipv6], faults: [{when: {family: ipv4}, do: restart 2s "
		 "each}]}}",
		 "not those of one family"},
		{"{a: {faults: [restart 2s each from command]}}", "needs several addresses"},
		{"{a: {faults: [restart 2s each from command]}, b: {faults: [restart 2s from "
		 "command]}}",
		 "needs several addresses"},
		{"{a: {families: [ipv4, ipv6], faults: [restart 2s each at 1s from command]}}",
		 "begins at once"},
		{"{a: {families: [ipv4, ipv6], faults: [restart 2s each every 9s from command]}}",
		 "begins at once"},
		{"{a: {families: [ipv4, ipv6], faults: [restart 2s each every 3s]}}",
		 "within their period"},
		{"{a: {faults: [restart 2s each at 1s every 3s]}, b: {faults: [restart 2s each at "
		 "1s every 3s]}}",
		 "within their period"},
		{"{a: {faults: [restart 2s each at 25s]}, b: {faults: [restart 6s each at 25s]}, "
		 "c: {faults: [restart 2s each at 25s]}}",
		 "after the scenario's timeout"}, );
}

Test(load, gives_each_address_a_number_of_its_own)
{
	AUTO_FILE struct scenario_file *file = parse_endpoints(
		"{a: {addresses: [ipv4, ipv6, ipv6]}, b: {families: [ipv6, ipv4]}, c: {}}");
	const struct endpoint_spec *endpoints;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	endpoints = file->scenarios[0]->endpoints;
	cr_expect_eq(endpoints[0].slot, 0);
	cr_expect_eq(endpoints[1].slot, 2);
	cr_expect_eq(endpoints[2].slot, 3);
	cr_expect_eq(scenario_n_slots(file->scenarios[0]), 4);
	cr_expect_eq(endpoint_ordinal(&endpoints[0], 2), 2);
	cr_expect_eq(endpoint_address(&endpoints[0], FAMILY_IPV6, 2), 2);
	cr_expect_eq(endpoint_address(&endpoints[0], FAMILY_IPV4, 2), SIZE_MAX);
}

Test(load, reads_literal_addresses_and_gives_no_other_endpoint_the_same)
{
	AUTO_FILE struct scenario_file *file = parse_endpoints(
		"{a: {}, b: {addresses: [127.0.0.1, \"::1\", ipv4, \"fd00::1\"], faults: "
		"{127.0.0.1: [drop], ipv6: [refuse]}}, c: {addresses: [127.0.0.2, 127.9.0.1]}}");
	static const uint32_t lists[] = {0, 1, 2, 1};
	const struct endpoint_spec *endpoints;
	char text[INET6_ADDRSTRLEN];

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	endpoints = file->scenarios[0]->endpoints;
	cr_expect_eq(endpoints[0].slot, 2, "%u", endpoints[0].slot);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		cr_expect_eq(endpoints[1].families[i], i % 2 ? FAMILY_IPV6 : FAMILY_IPV4);
		cr_expect_eq(endpoints[1].lists[i], lists[i], "%zu", i);
	}
	cr_expect_eq(endpoints[1].literals[2].family, 0);
	cr_expect_str_eq(address_format_host(&endpoints[1].literals[3], text), "fd00::1");
	cr_expect_not(endpoint_has_literal(&endpoints[0]));
	cr_expect(endpoint_has_literal(&endpoints[2]));
}

Test(load, refuses_literal_addresses_that_no_sandbox_can_have)
{
	EXPECT_REFUSALS(
		parse_endpoint, {"{addresses: [192.0.2.1]}", "is not a loopback address"},
		{"{addresses: [\"2001:db8::1\"]}", "is not a loopback address"},
		{"{addresses: [127.0.0.0]}", "is not a loopback address"},
		{"{addresses: [127.255.255.255]}", "is not a loopback address"},
		{"{addresses: [\"::ffff:127.0.0.1\"]}", "of the wrong family"},
		{"{addresses: [127.0.0]}", "is not an address"},
		{"{addresses: [127.0.0.256]}", "is not an address"},
		{"{addresses: [\"::1::\"]}", "is not an address"},
		{"{addresses: [127.0.0.2, ipv4, 127.0.0.2]}", "127.0.0.2 already"},
		{"{addresses: [\"::1\", \"0:0::1\"]}", "0:0::1 already"},
		{"{addresses: [\"fd73:796e::9\"]}", "synfault itself takes from"},
		{"{faults: {127.0.0.1: [drop]}}", "the endpoint has no address 127.0.0.1"},
		{"{addresses: [127.0.0.1], faults: {127.0.0.2: [drop]}}", "no address 127.0.0.2"},
		{"{addresses: [127.0.0.1], faults: {ipv6: [drop]}}", "no IPv6 address"}, );
	EXPECT_REFUSALS(parse_endpoints,
			{"{a: {port: 80, addresses: [127.0.0.9]}, b: {port: 80, addresses: "
			 "[ipv6, 127.0.0.9]}}",
			 "address and port in common with \"a\": 127.0.0.9"}, );
	AUTO_FILE struct scenario_file *file = parse_endpoints(
		"{a: {port: 80, addresses: [127.0.0.9]}, b: {port: 81, addresses: [127.0.0.9]}, "
		"c: {addresses: [127.0.0.9]}, d: {addresses: [127.0.0.9]}}");

	cr_expect_eq(file->n_scenarios, 1, "%s", first_message(file));
}

Test(load, refuses_names_that_further_addresses_have_as_variables)
{
	EXPECT_REFUSALS(parse_endpoints, {"{api: {}, api-ipv4-2: {}}", "in common"},
			{"{api_ipv6_16: {}, api: {}}", "in common"}, );
	AUTO_FILE struct scenario_file *file =
		parse_endpoints("{api: {}, api-ipv4-x: {}, api-ipv4-2x: {}}");

	cr_expect_eq(file->n_scenarios, 1, "%s", first_message(file));
}

Test(load, refuses_addresses)
{
	EXPECT_REFUSALS(
		parse_endpoint, {"{addresses: []}", "at least one address"},
		{"{addresses: ipv4}", "takes a list"},
		{"{addresses: [ipx]}", "unknown value \"ipx\""},
		{"{addresses: [ipv4], families: [ipv4]}", "say the same"},
		{"{addresses: [ipv4, ipv4, ipv4, ipv4, ipv4, ipv4, ipv4, ipv4, ipv4, ipv4, ipv4, "
		 "ipv4, ipv4, ipv4, ipv4, ipv4, ipv4]}",
		 "16 addresses at most"},
		{"{faults: {}}", "is empty"}, {"{faults: {ipv4: []}}", "at least one step"},
		{"{faults: {ipv4: drop}}", "takes a list"},
		{"{faults: {ipv4: [dorp]}}", "unknown step"},
		{"{faults: {ipv5: [drop]}}", "not an address of an endpoint"},
		{"{faults: {ipv4.0: [drop]}}", "not an address of an endpoint"},
		{"{faults: {ipv4.x: [drop]}}", "not an address of an endpoint"},
		{"{faults: {ipv4.1111: [drop]}}", "not an address of an endpoint"},
		{"{faults: {ip: [drop]}}", "not an address of an endpoint"},
		{"{faults: {ipv6: [drop]}}", "the endpoint has no IPv6 address"},
		{"{faults: {ipv4.2: [drop]}}", "the endpoint has 1 IPv4 address, not 2"},
		{"{faults: {ipv4: [drop], ipv4.1: [refuse]}}", "have faults of their own"},
		{"{families: [ipv4, ipv6], faults: {ipv4: [{when: {family: ipv6}, do: drop}]}}",
		 "has no IPv6 address"}, );
}

Test(load, refuses_conditions)
{
	EXPECT_REFUSALS(
		parse_endpoint, {"{faults: [{when: {attempt: 2}}]}", "needs the key \"do\""},
		{"{faults: [{when: {}, do: refuse}]}", "is empty"},
		{"{faults: [{when: refuse, do: refuse}]}", "takes a mapping"},
		{"{faults: [{when: {atempt: 2}, do: refuse}]}", "unknown key \"atempt\""},
		{"{faults: [{when: {attempt: 2}, do: refsue}]}", "unknown step"},
		{"{faults: [{when: {attempt: 2}, do: [refuse]}]}", "takes a fault step"},
		{"{faults: [{when: {attempt: 0}, do: refuse}]}", "counted from 1"},
		{"{faults: [{when: {attempt: 3..1}, do: refuse}]}", "ends before it begins"},
		{"{faults: [{when: {attempt: []}, do: refuse}]}", "is empty"},
		{"{faults: [{when: {attempt: [1, x]}, do: refuse}]}", "not a set of attempts"},
		{"{faults: [{when: {attempt: [1, 3, 5, 7, 9, 11, 13, 15, 17]}, do: drop}]}",
		 "8 ranges of attempts at most"},
		{"{faults: [{when: {time: 5s..2s}, do: refuse}]}", "ends before it begins"},
		{"{faults: [{when: {time: 5s}, do: refuse}]}", "not a window of time"},
		{"{faults: [{when: {time: 0s..5s every 2s}, do: drop}]}", "within its period"},
		{"{faults: [{when: {time: 40s..50s}, do: drop}]}", "after the scenario's timeout"},
		{"{faults: [down 40s..50s]}", "after the scenario's timeout"},
		{"{faults: [{when: {family: ipv6}, do: drop}]}", "has no IPv6 address"},
		{"{families: [ipv6], faults: [{when: {family: ipv4}, do: drop}]}",
		 "has no IPv4 address"},
		{"{faults: [{when: {family: ipx}, do: drop}]}", "unknown value \"ipx\""},
		{"{faults: [{when: {chance: 101%}, do: drop}]}", "more than 100%"},
		{"{faults: [{when: {chance: -1%}, do: drop}]}", "is negative"},
		{"{faults: [{when: {chance: 0%}, do: drop}]}", "never drawn"},
		{"{faults: [{when: {chance: 30}, do: drop}]}", "not a percentage"},
		{"{faults: [{when: {time: 0s..2s}, do: down 5s}]}", "a time of its own"},
		{"{faults: [{when: {attempt: 2+}, do: drop}, {when: {attempt: 3}, do: refuse}]}",
		 "is never reached: the one in line 2"},
		{"{faults: [down 5s, {when: {time: 1s..2s}, do: drop}]}", "is never reached"},
		{"{faults: [refuse, {when: {attempt: 1+}, do: drop}]}", "is never reached"},
		{"{faults: [down]}", "\"down\" needs a duration"},
		{"{faults: [down 5s with accept]}", "a server that is down"},
		{"{faults: [down 5s ending reset]}", "there is nothing to end"},
		{"{faults: [down 5s from first-attempt ending reset]}", "there is nothing to end"},
		{"{serve: none, faults: [restart 2s]}", "\"ending\" needs a connection"},
		{"{faults: [{when: {attempt: 2}, do: restart 2s}]}", "ends all of them"},
		{"{faults: [{when: {chance: 20%}, do: restart 2s}]}", "ends all of them"},
		{"{faults: [{when: {time: 1s..2s}, do: restart 2s}]}", "a time of its own"},
		{"{faults: [restart 2s at 40s]}", "after the scenario's timeout"},
		{"{faults: [restart 2s at 1s from command]}", "begins at once"},
		{"{faults: [down 2s every 5s from command ending reset]}", "begins at once"},
		{"{faults: [down 2s from command]}", "must say how connections end"},
		{"{faults: [{when: {time: 0s..5s, from: command}, do: drop}]}",
		 "must say how connections end"}, );
}

Test(load, bounds_host_names)
{
	AUTO_STRBUF struct strbuf label = {0}, name = {0};

	strbuf_pad(&label, 'a', 63);
	strbuf_printf(&name, "%s.%s.%s.", label.data, label.data, label.data);
	strbuf_pad(&name, 'b', 253 - name.length);
	{
		AUTO_FREE char *good = xasprintf("{hostname: %s}", name.data);
		AUTO_FREE char *long_label = xasprintf("{hostname: a%s}", label.data);
		AUTO_FREE char *long_name = xasprintf("{hostname: %s.c}", name.data);
		AUTO_FILE struct scenario_file *first = parse_endpoint(good),
					       *second = parse_endpoint(long_label),
					       *third = parse_endpoint(long_name);

		cr_expect_eq(first->n_scenarios, 1, "%s", first_message(first));
		cr_expect(strstr(first_message(second), "longer than 63"));
		cr_expect(strstr(first_message(third), "longer than 253"));
	}
}

Test(load, takes_the_same_host_name_and_port_twice)
{
	AUTO_FILE struct scenario_file *file = parse_endpoints(
		"{a: {port: 80, hostname: x.test}, b: {port: 80, hostname: x.test}}");

	cr_expect_eq(file->n_scenarios, 1, "%s", first_message(file));
	cr_expect_eq(scenario_endpoint(file->scenarios[0], "b"), 1);
	cr_expect_eq(scenario_endpoint(file->scenarios[0], "c"), SIZE_MAX);
}

Test(load, refuses_names_of_endpoints)
{
	EXPECT_REFUSALS(parse_endpoints, {"{}", "at least one endpoint"}, {"~", "has no value"},
			{"[api]", "takes a mapping"}, {"{\"\": {}}", "lower-case letter"},
			{"{Api: {}}", "lower-case letter"}, {"{1a: {}}", "lower-case letter"},
			{"{-a: {}}", "lower-case letter"}, {"{aPI: {}}", "may hold lower-case"},
			{"{a.b: {}}", "may hold lower-case"},
			{"{\"a b\": {}}", "may hold lower-case"}, {"{ä: {}}", "lower-case letter"},
			{"{tmp: {}}", "is reserved"}, {"{dir: {}}", "is reserved"},
			{"{matrix: {}}", "is reserved"}, {"{fixed: {}}", "is reserved"},
			{"{linear: {}}", "is reserved"}, {"{exponential: {}}", "is reserved"},
			{"{list: {}}", "is reserved"}, {"{tolerance: {}}", "is reserved"},
			{"{a: {}, a: {}}", "given twice"},
			{"{a-b: {}, a_b: {}}", "variable in common"},
			{"{a: {}, a-port: {}}", "variable in common"},
			{"{a_ipv4: {}, a: {}}", "variable in common"},
			{"{a: {}, b: {}, a-ipv6-12: {}}", "\"a\" and \"a-ipv6-12\" would"},
			{"{a_ipv4-2: {}, b: {}, a: {}}", "\"a_ipv4-2\" and \"a\" would"},
			{"{a-b_host: {}, a_b: {}}", "\"a-b_host\" and \"a_b\" would"}, );
}

Test(load, checking_counts_scenarios_and_keeps_none)
{
	static const char good[] =
		"name: ${matrix.a}\nmatrix: {a: [x, y]}\n" ENDPOINTS CLIENT EXPECT
		"---\nname: z\n" ENDPOINTS CLIENT EXPECT;
	static const char again[] = "---\nname: x\n" ENDPOINTS CLIENT EXPECT;
	char path[] = "/tmp/test_load.XXXXXX";
	int fd = mkstemp(path);
	struct scenario_file *file;

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, good, strlen(good)), (ssize_t)strlen(good));
	file = scenario_file_check(path);
	cr_expect_eq(file->n_checked, 3, "%s", first_message(file));
	cr_expect_eq(file->n_scenarios, 0);
	cr_expect_eq(file->n_broken, 0);
	scenario_file_free(file);
	/* The name of a scenario that was not kept is taken, too. */
	cr_assert_eq(write(fd, again, strlen(again)), (ssize_t)strlen(again));
	file = scenario_file_check(path);
	cr_expect_eq(file->n_checked, 3);
	cr_expect_eq(file->n_broken, 1);
	cr_expect(strstr(first_message(file), "used twice"), "%s", first_message(file));
	scenario_file_free(file);
	close(fd);
	unlink(path);
}

Test(load, takes_names_of_endpoints)
{
	AUTO_FILE struct scenario_file *file = parse_endpoints(
		"{a: {}, a-b_c9: {}, a-porter: {}, a-b: {}, tmpdir: {}, b-: {}, "
		"b-ipv4-x: {}, b-ipv4-: {}, c-port: {}, c-host: {}, d-1: {}, d: {}}");

	cr_expect_eq(file->n_scenarios, 1, "%s", first_message(file));
}

Test(load, reads_the_client)
{
	AUTO_FILE struct scenario_file *file =
		parse_client("{command: [sh, -c, \"\", 5, \"$${x}\"], env: {A: \"\", B: 1.50}, "
			     "stdin: \"${api}\", cwd: ../x, files: {a/b: text, "
			     "c: {content: \"\", executable: true}, d: {content: x, executable: "
			     "false}}}");
	const struct client_spec *client;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	client = &file->scenarios[0]->client;
	cr_expect_eq(strv_length(client->command), 5);
	cr_expect_str_eq(client->command[2], "");
	cr_expect_str_eq(client->command[3], "5");
	cr_expect_str_eq(client->command[4], "$${x}", "replaced when it runs");
	cr_assert_eq(client->n_env, 2);
	cr_expect_str_eq(client->env[0].name, "A");
	cr_expect_str_eq(client->env[0].value, "");
	cr_expect_str_eq(client->env[1].value, "1.50", "a text as written");
	cr_expect_str_eq(client->stdin_text, "${api}");
	cr_expect_str_eq(client->cwd, "../x");
	cr_assert_eq(client->n_files, 3);
	cr_expect_str_eq(client->files[0].name, "a/b");
	cr_expect_str_eq(client->files[0].content, "text");
	cr_expect_not(client->files[0].executable);
	cr_expect_eq(client->files[0].place.line, 2);
	cr_expect_str_eq(client->files[1].content, "");
	cr_expect(client->files[1].executable);
	cr_expect_not(client->files[2].executable);
}

Test(load, refuses_clients)
{
	EXPECT_REFUSALS(
		parse_client, {"~", "has no value"}, {"curl", "takes a mapping"},
		{"{}", "a client needs the key \"command\""},
		{"{command: [a], x: b}", "unknown key \"x\""}, {"{command: curl}", "takes a list"},
		{"{command: []}", "\"command\" is empty"}, {"{command: ~}", "has no value"},
		{"{command: [\"\"]}", "program's name is empty"},
		{"{command: [a, ~]}", "a text is missing"},
		{"{command: [a, [b]]}", "this must be a text, not a list"},
		{"{command: [a, {b: c}]}", "this must be a text, not a mapping"},
		{"{command: [\"${x}\"]}", "no endpoint \"x\""},
		{"{command: [a, \"${api.ipv6}\"]}", "no IPv6 address"},
		{"{command: [a], env: [B=1]}", "takes a mapping"},
		{"{command: [a], env: {\"\": b}}", "variable is empty"},
		{"{command: [a], env: {b=c: d}}", "can't hold \"=\""},
		{"{command: [a], env: {b: ~}}", "\"b\" has no value"},
		{"{command: [a], env: {b: [c]}}", "takes a text"},
		{"{command: [a], env: {b: \"${x}\"}}", "no endpoint \"x\""},
		{"{command: [a], stdin: [b]}", "takes a text"},
		{"{command: [a], stdin: ~}", "has no value"},
		{"{command: [a], stdin: \"${x}\"}", "no endpoint \"x\""},
		{"{command: [a], cwd: \"\"}", "name is empty"},
		{"{command: [a], cwd: \"${tmp}\"}", "not replaced in \"cwd\""},
		{"{command: [a], files: [b]}", "takes a mapping"},
		{"{command: [a], files: {\"\": b}}", "is empty"},
		{"{command: [a], files: {/b: c}}", "must be relative"},
		{"{command: [a], files: {..: c}}", "\"..\" as a part"},
		{"{command: [a], files: {b/../../c: c}}", "\"..\" as a part"},
		{"{command: [a], files: {./b: c}}", "\".\" as a part"},
		{"{command: [a], files: {b/: c}}", "empty part"},
		{"{command: [a], files: {b//c: c}}", "empty part"},
		{"{command: [a], files: {b: ~}}", "has no value"},
		{"{command: [a], files: {b: [c]}}", "takes a text"},
		{"{command: [a], files: {b: {}}}", "needs the key \"content\""},
		{"{command: [a], files: {b: {content: c, mode: d}}}", "unknown key \"mode\""},
		{"{command: [a], files: {b: {content: c, executable: yes}}}", "unknown value"},
		{"{command: [a], files: {b: \"${x}\"}}", "no endpoint \"x\""},
		{"{command: [a], files: {b: {content: \"${x}\"}}}", "no endpoint \"x\""},
		{"{command: [a], files: {b: c, b/d: e, b-c: f}}",
		 "\"b/d\" can't be below \"b\""}, );
}

/* Finds the expectations of a value, of a given number. */
static const struct expectation *expectations(const struct scenario_file *file, size_t n,
					      const char *what)
{
	cr_assert_eq(file->n_scenarios, 1, "%s: %s", what, first_message(file));
	cr_assert_eq(file->scenarios[0]->n_expectations, n, "%s: %zu", what,
		     file->scenarios[0]->n_expectations);
	return file->scenarios[0]->expectations;
}

Test(load, reads_exits)
{
	static const struct {
		const char *text;
		int codes[3];
		size_t n_codes;
		bool nonzero;
		int signal;
	} cases[] = {
		{"{exit: 0}", {0}, 1, false, 0},
		{"{exit: \"255\"}", {255}, 1, false, 0},
		{"{exit: [1, 0, 7]}", {1, 0, 7}, 3, false, 0},
		{"{exit: nonzero}", {0}, 0, true, 0},
		{"{exit: {signal: TERM}}", {0}, 0, false, SIGTERM},
		{"{exit: {signal: SIGKILL}}", {0}, 0, false, SIGKILL},
		{"{exit: {signal: USR1}}", {0}, 0, false, SIGUSR1},
		{"{exit: {signal: WINCH}}", {0}, 0, false, SIGWINCH},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FILE struct scenario_file *file = parse_expect(cases[i].text);
		const struct expectation *exit = expectations(file, 1, cases[i].text);

		cr_expect_eq(exit->kind, EXPECT_EXIT);
		cr_assert_eq(exit->value.exit.n_codes, cases[i].n_codes, "%s", cases[i].text);
		for (size_t k = 0; k < cases[i].n_codes; k++)
			cr_expect_eq(exit->value.exit.codes[k], cases[i].codes[k], "%s",
				     cases[i].text);
		cr_expect_eq(exit->value.exit.nonzero, cases[i].nonzero, "%s", cases[i].text);
		cr_expect_eq(exit->value.exit.signal, cases[i].signal, "%s", cases[i].text);
	}
}

Test(load, reads_counts_and_ranges)
{
	static const struct {
		const char *text;
		int64_t low, high;
		bool exact;
	} cases[] = {
		{"0", 0, 0, true},
		{"\"5\"", 5, 5, true},
		{"1..3", 1, 3, false},
		{"3..3", 3, 3, false},
		{"2..", 2, INT64_MAX, false},
		{"..2", 0, 2, false},
		{"\"1 .. 3\"", 1, 3, false},
		{"1000000000", 1000000000, 1000000000, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (enum expectation_kind kind = EXPECT_ATTEMPTS; kind <= EXPECT_RETRANSMISSIONS;
		     kind++) {
			AUTO_FREE char *text =
				xasprintf("{%s: %s}", expectation_kind_name(kind), cases[i].text);
			AUTO_FILE struct scenario_file *file = parse_expect(text);
			const struct expectation *count = expectations(file, 1, text);

			cr_expect_eq(count->kind, kind);
			cr_expect_eq(count->endpoint, ALL_ENDPOINTS);
			cr_expect_eq(count->value.range.range.low, cases[i].low, "%s", text);
			cr_expect_eq(count->value.range.range.high, cases[i].high, "%s", text);
			cr_expect_eq(count->value.range.exact, cases[i].exact, "%s", text);
		}
	}
}

Test(load, reads_expectations_of_single_endpoints)
{
	AUTO_FILE struct scenario_file *file = parse_expect(
		"{attempts: {web: 1.., api: 3}, retransmissions: {api: 0}, backoff: {web: "
		"[1s], api: {fixed: 1s}}, attempt-delay: {api: {fixed: 2s}}}");
	const struct expectation *all = expectations(file, 6, "all");
	static const size_t endpoints[] = {1, 0, 0, 1, 0, 0};

	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++)
		cr_expect_eq(all[i].endpoint, endpoints[i], "expectation %zu", i);
	cr_expect_eq(all[1].value.range.range.low, 3);
	cr_expect_eq(all[3].value.policy.kind, POLICY_LIST);
	cr_expect_eq(all[5].kind, EXPECT_ATTEMPT_DELAY);
}

/* What was written is what policy_write() writes: both ways agree. */
Test(load, reads_policies_as_they_are_written)
{
	static const struct {
		const char *text, *description;
	} cases[] = {
		{"backoff: {fixed: 2s}", "fixed, 2.00 s"},
		{"backoff: {fixed: 1s, jitter: 20%}", "fixed, 1.00 s, jitter 20 %"},
		{"backoff: {fixed: 100ms..2s}", "range, 100 ms to 2.00 s"},
		{"backoff: {fixed: 2s, max-attempts: 5}", "fixed, 2.00 s"},
		{"backoff: [1s, 2s..3s]", "list of 2"},
		{"backoff: {linear: {base: 1s, step: 500ms, cap: 5s}}",
		 "linear, base 1.00 s, step 500 ms, cap 5.00 s"},
		{"backoff: {exponential: {base: 500ms, factor: 1.6, jitter: full}}",
		 "exponential, base 500 ms, factor 1.6, no cap, full jitter"},
		{"backoff: {exponential: {base: 100ms, factor: 3, cap: 10s, jitter: decorrelated}}",
		 "exponential, base 100 ms, cap 10.0 s, decorrelated jitter"},
		{"backoff: {fixed: 1s, jitter: {plus: 200ms}}",
		 "fixed, 1.00 s, jitter plus 200 ms"},
		{"backoff: {first: at-once, exponential: {base: 1s, factor: 2, cap: 32s}}",
		 "at once, then exponential, base 1.00 s, factor 2, cap 32.0 s"},
		{"backoff: {linear: {base: 1s, step: 1s}, per: round}",
		 "linear, base 1.00 s, step 1.00 s, no cap, per round"},
		{"backoff: {fixed: 2s, max-attempts: 5, resets-on: success}",
		 "fixed, 2.00 s, starting again after a success"},
		{"backoff: {first: at-once, list: [1s, 2s..3s], per: round}",
		 "at once, then list of 2, per round"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = xasprintf("{%s}", cases[i].text);
		AUTO_FILE struct scenario_file *file = parse_expect(text);
		const struct expectation *waits = expectations(file, 1, text);
		AUTO_STRBUF struct strbuf written = {0}, described = {0};

		strbuf_puts(&written, "backoff: ");
		policy_write(&waits->value.policy, &written);
		policy_describe(&waits->value.policy, &described);
		cr_expect_str_eq(strbuf_text(&written), cases[i].text);
		cr_expect_str_eq(strbuf_text(&described), cases[i].description);
	}
}

Test(load, reads_policies_that_have_a_name)
{
	static const struct {
		const char *text, *description;
	} cases[] = {
		{"attempt-delay: grpc",
		 "grpc: exponential, base 1.00 s, factor 1.6, cap 2 m 0.0 s, jitter 20 %"},
		{"attempt-delay: {policy: grpc, base: 200ms, factor: 2, cap: 1s, jitter: none}",
		 "grpc: exponential, base 200 ms, factor 2, cap 1.00 s"},
		{"backoff: curl-retry",
		 "curl-retry: exponential, base 1.00 s, factor 2, cap 10 m 0.0 s, per round"},
		{"backoff: {policy: aws-full-jitter, base: 100ms, cap: 10s}",
		 "aws-full-jitter: exponential, base 100 ms, factor 2, cap 10.0 s, full jitter"},
		{"backoff: {policy: aws-decorrelated-jitter, base: 100ms}",
		 "aws-decorrelated-jitter: exponential, base 100 ms, no cap, decorrelated jitter"},
		{"attempt-delay: rfc8305", "rfc8305: range, 100 ms to 2.00 s"},
		{"attempt-delay: {policy: rfc8305, base: 250ms}", "rfc8305: fixed, 250 ms"},
		{"backoff: {policy: curl-retry, per: attempt, cap: 8s}",
		 "curl-retry: exponential, base 1.00 s, factor 2, cap 8.00 s"},
		{"attempt-delay: {policy: grpc, resets-on: success}",
		 "grpc: exponential, base 1.00 s, factor 1.6, cap 2 m 0.0 s, jitter 20 %, starting "
		 "again after a success"},
		{"backoff: fixed-loop", "fixed-loop: fixed, 1.00 s"},
		{"backoff: {api: {policy: fixed-loop, base: 3s}}", "fixed-loop: fixed, 3.00 s"},
		{"backoff: {api: curl-retry}",
		 "curl-retry: exponential, base 1.00 s, factor 2, cap 10 m 0.0 s, per round"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = xasprintf("{%s}", cases[i].text);
		AUTO_FILE struct scenario_file *file = parse_expect(text);
		const struct expectation *waits = expectations(file, 1, text);
		AUTO_STRBUF struct strbuf described = {0};

		policy_describe(&waits->value.policy, &described);
		cr_expect_str_eq(strbuf_text(&described), cases[i].description);
	}
	for (size_t i = 0; i < n_named_policies; i++)
		cr_expect_str_eq(named_policies[i].name, named_policy_names[i]);
}

Test(load, reads_durations_and_ranges)
{
	static const struct {
		const char *text;
		int64_t low, high;
		bool exact;
	} cases[] = {
		{"2s", 2 * NS_PER_S, 2 * NS_PER_S, true},
		{"0s", 0, 0, true},
		{"29s500ms", 29500 * NS_PER_MS, 29500 * NS_PER_MS, true},
		{"1.5s..2s", 1500 * NS_PER_MS, 2 * NS_PER_S, false},
		{"1s..", NS_PER_S, INT64_MAX, false},
		{"..300ms", 0, 300 * NS_PER_MS, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = xasprintf("{duration: %s}", cases[i].text);
		AUTO_FILE struct scenario_file *file = parse_expect(text);
		const struct expectation *duration = expectations(file, 1, text);

		cr_expect_eq(duration->kind, EXPECT_DURATION);
		cr_expect_eq(duration->value.range.range.low, cases[i].low, "%s", text);
		cr_expect_eq(duration->value.range.range.high, cases[i].high, "%s", text);
		cr_expect_eq(duration->value.range.exact, cases[i].exact, "%s", text);
	}
}

Test(load, reads_policies)
{
	static const struct {
		const char *text;
		struct policy policy;
	} cases[] = {
		{"{fixed: 2s}",
		 {.kind = POLICY_FIXED, .base_ns = 2 * NS_PER_S, .factor = 2, .cap_ns = INT64_MAX}},
		{"{exponential: {base: 1s}}",
		 {POLICY_EXPONENTIAL, NS_PER_S, 2, INT64_MAX, JITTER_NONE}},
		{"{exponential: {cap: 1s, base: 1s, factor: 1}}",
		 {POLICY_EXPONENTIAL, NS_PER_S, 1, NS_PER_S, JITTER_NONE}},
		{"{exponential: {base: 1s, factor: \"1.25\", cap: 10s, jitter: full}}",
		 {POLICY_EXPONENTIAL, NS_PER_S, 1.25, 10 * NS_PER_S, JITTER_FULL}},
		{"{exponential: {base: 1s, jitter: equal}}",
		 {POLICY_EXPONENTIAL, NS_PER_S, 2, INT64_MAX, JITTER_EQUAL}},
		{"{exponential: {base: 1s, jitter: none}}",
		 {POLICY_EXPONENTIAL, NS_PER_S, 2, INT64_MAX, JITTER_NONE}},
		{"{exponential: {base: 1s, jitter: 12.5%}}",
		 {POLICY_EXPONENTIAL, NS_PER_S, 2, INT64_MAX, JITTER_PERCENT, 12.5}},
		{"[1s, 2s..3s, 500ms..]",
		 {.kind = POLICY_LIST, .n_list = 3, .factor = 2, .cap_ns = INT64_MAX}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = xasprintf("{backoff: %s}", cases[i].text);
		AUTO_FILE struct scenario_file *file = parse_expect(text);
		const struct policy *policy = &expectations(file, 1, text)->value.policy;
		const struct policy *expected = &cases[i].policy;

		cr_expect_eq(policy->kind, expected->kind, "%s", text);
		cr_expect_eq(policy->base_ns, expected->base_ns, "%s", text);
		cr_expect_eq(policy->cap_ns, expected->cap_ns, "%s", text);
		cr_expect_eq(policy->jitter, expected->jitter, "%s", text);
		cr_expect_float_eq(policy->factor, expected->factor, 1e-9, "%s", text);
		cr_expect_float_eq(policy->jitter_percent, expected->jitter_percent, 1e-9, "%s",
				   text);
		cr_expect_eq(policy->n_list, expected->n_list, "%s", text);
		if (policy->n_list == 3) {
			cr_expect_eq(policy->list[0].low, NS_PER_S);
			cr_expect_eq(policy->list[0].high, NS_PER_S);
			cr_expect_eq(policy->list[1].high, 3 * NS_PER_S);
			cr_expect_eq(policy->list[2].high, INT64_MAX);
		}
	}
}

Test(load, reads_tolerances)
{
	static const struct {
		const char *text;
		struct tolerance tolerance;
	} cases[] = {
		{"{backoff: {fixed: 2s}}", {100 * NS_PER_MS, 0.05}},
		{"{backoff: {fixed: 2s}, tolerance: 200ms}", {200 * NS_PER_MS, 0}},
		{"{backoff: {fixed: 2s}, tolerance: 10%}", {0, 0.1}},
		{"{backoff: {fixed: 2s}, tolerance: 100%}", {0, 1}},
		{"{backoff: {fixed: 2s}, tolerance: {absolute: 1s, relative: 2.5%}}",
		 {NS_PER_S, 0.025}},
		{"{tolerance: {absolute: 1s}, backoff: {fixed: 2s}}", {NS_PER_S, 0}},
		{"{backoff: {fixed: 2s}, tolerance: {relative: 5%}}", {0, 0.05}},
		{"{backoff: {fixed: 2s, tolerance: 300ms}, tolerance: 10%}", {300 * NS_PER_MS, 0}},
		{"{backoff: {api: {tolerance: 1%, fixed: 2s}}}", {0, 0.01}},
		{"{duration: 2s, tolerance: 1s}", {NS_PER_S, 0}},
		{"{attempt-delay: [1s], tolerance: 1s}", {NS_PER_S, 0}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FILE struct scenario_file *file = parse_expect(cases[i].text);
		const struct tolerance *tolerance =
			&expectations(file, 1, cases[i].text)->tolerance;

		cr_expect_eq(tolerance->absolute_ns, cases[i].tolerance.absolute_ns, "%s",
			     cases[i].text);
		cr_expect_float_eq(tolerance->relative, cases[i].tolerance.relative, 1e-9, "%s",
				   cases[i].text);
	}
}

Test(load, makes_an_expectation_of_each_text)
{
	AUTO_FILE struct scenario_file *file =
		parse_expect("{stdout: {contains: [a, b], matches: \"c+\", not: d}, stderr: {not: "
			     "{contains: e, matches: [f, \"g\"]}}}");
	const struct expectation *all = expectations(file, 7, "all");
	static const struct {
		enum expectation_kind kind;
		enum text_match_kind match;
		bool negated;
		const char *text;
		unsigned column;
	} expected[] = {
		{EXPECT_STDOUT, TEXT_CONTAINS, false, "a", 30},
		{EXPECT_STDOUT, TEXT_CONTAINS, false, "b", 33},
		{EXPECT_STDOUT, TEXT_MATCHES, false, "c+", 46},
		{EXPECT_STDOUT, TEXT_CONTAINS, true, "d", 57},
		{EXPECT_STDERR, TEXT_CONTAINS, true, "e", 86},
		{EXPECT_STDERR, TEXT_MATCHES, true, "f", 99},
		{EXPECT_STDERR, TEXT_MATCHES, true, "g", 102},
	};

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		cr_expect_eq(all[i].kind, expected[i].kind, "text %zu", i);
		cr_expect_eq(all[i].value.text.match, expected[i].match, "text %zu", i);
		cr_expect_eq(all[i].value.text.negated, expected[i].negated, "text %zu", i);
		cr_expect_str_eq(all[i].value.text.text, expected[i].text);
		cr_expect_eq(all[i].place.column, expected[i].column, "text %zu: %u", i,
			     all[i].place.column);
	}
}

Test(load, refuses_expectations_of_exits_and_counts)
{
	EXPECT_REFUSALS(
		parse_expect, {"~", "has no value"}, {"0", "takes a mapping"},
		{"{}", "at least one expectation"}, {"{tolerance: 5%}", "at least one expectation"},
		{"{exits: 0}", "unknown key \"exits\""}, {"{exit: ~}", "has no value"},
		{"{exit: 256}", "0 to 255"}, {"{exit: -1}", "is negative"},
		{"{exit: zero}", "not a number"}, {"{exit: \"\"}", "not a number"},
		{"{exit: 1.0}", "not a whole number"}, {"{exit: []}", "is empty"},
		{"{exit: [0, 256]}", "0 to 255"}, {"{exit: [0, ~]}", "a text is missing"},
		{"{exit: [0, 0]}", "given twice"},
		{"{exit: [0, nonzero]}", "can't be an item of a list"},
		{"{exit: [{signal: TERM}]}", "can't hold a signal"},
		{"{exit: {}}", "needs the key \"signal\""},
		{"{exit: {signal: FOO}}", "unknown signal \"FOO\""},
		{"{exit: {signal: term}}", "unknown signal \"term\""},
		{"{exit: {signal: 15}}", "unknown signal \"15\""},
		{"{exit: {signal: TERM, code: 1}}", "unknown key \"code\""},
		{"{attempts: -1}", "is negative"}, {"{attempts: many}", "not a number"},
		{"{attempts: 1.5}", "not a whole number"}, {"{attempts: 3..1}", "before it begins"},
		{"{attempts: \"..\"}", "at least one end"}, {"{attempts: 1...3}", "not a number"},
		{"{attempts: -3..1}", "is negative"}, {"{attempts: 1000000001}", "too large"},
		{"{attempts: []}", "takes a number"}, {"{attempts: {}}", "names no endpoint"},
		{"{attempts: {apj: 1}}", "no endpoint \"apj\""},
		{"{attempts: {api: ~}}", "\"api\" has no value"},
		{"{attempts: {api: x}}", "not a number"},
		{"{attempts: {api: {a: 1}}}", "takes a number"},
		{"{retransmissions: x}", "not a number"},
		{"{retransmissions: {x: 1}}", "no endpoint \"x\""}, );
}

Test(load, refuses_expectations_of_times)
{
	EXPECT_REFUSALS(
		parse_expect, {"{duration: 5}", "has no unit"}, {"{duration: -5s}", "is negative"},
		{"{duration: 5s..1s}", "before it begins"}, {"{duration: 5s..6}", "has no unit"},
		{"{duration: 25h}", "longer than 24h"}, {"{duration: [1s]}", "takes a duration"},
		{"{backoff: 2s}", "unknown policy \"2s\""}, {"{backoff: []}", "is empty"},
		{"{backoff: {}}", "says nothing"}, {"{backoff: [1]}", "has no unit"},
		{"{backoff: [2s..1s]}", "before it begins"},
		{"{backoff: [~]}", "a text is missing"},
		{"{backoff: [[1s]]}", "this must be a text"},
		{"{backoff: {fixed: 2}}", "has no unit"}, {"{backoff: {fixed: ~}}", "has no value"},
		{"{backoff: {fixed: [2s]}}", "takes a duration"},
		{"{backoff: {fixed: 1s, exponential: {base: 1s}}}", "both fixed and exponential"},
		{"{backoff: {tolerance: 5%}}", "says nothing"},
		{"{backoff: {linear: {step: 1s}}}", "needs the key \"base\""},
		{"{backoff: {linear: {base: 1s, step: 0s}}}", "more than 0"},
		{"{backoff: {linear: {base: 1s, cap: 999ms}}}", "cap is below the base"},
		{"{backoff: {linear: {base: 1s, factor: 2}}}", "unknown key \"factor\""},
		{"{backoff: {linear: {base: 1s, jitter: decorrelated}}}",
		 "exponential policy only"},
		{"{backoff: {fixed: 1s, jitter: decorrelated}}", "exponential policy only"},
		{"{backoff: {fixed: 1s..2s, jitter: full}}", "a range already says"},
		{"{backoff: {fixed: 2s..1s}}", "before it begins"},
		{"{backoff: {fixed: 2s, max-attempts: 0}}", "a number of attempts is 1 to"},
		{"{backoff: {fixed: 2s, factor: 2}}", "beside the name of a policy only"},
		{"{backoff: {exponential: {base: 1s}, jitter: full}}", "beside the name"},
		{"{backoff: {policy: grcp}}", "unknown policy \"grcp\""},
		{"{backoff: {policy: [grpc]}}", "takes the name"},
		{"{backoff: grpc}", "counts from the start"},
		{"{attempt-delay: {policy: curl-retry}}", "counts from the end"},
		{"{backoff: aws-full-jitter}", "needs a base"},
		{"{backoff: {policy: aws-full-jitter, cap: 10s}}", "needs a base"},
		{"{backoff: {policy: aws-full-jitter, base: 1s, cap: 999ms}}",
		 "cap is below the base"},
		{"{backoff: {policy: aws-full-jitter, base: 1s, factor: 3}}", "takes no factor"},
		{"{backoff: {policy: curl-retry, base: 20m}}", "above the cap of the policy"},
		{"{attempt-delay: {policy: rfc8305, base: 9ms}}", "10ms to 2s only"},
		{"{attempt-delay: {policy: rfc8305, base: 3s}}", "10ms to 2s only"},
		{"{backoff: {policy: curl-retry, fixed: 1s}}", "both fixed and one with a name"},
		{"{backoff: {list: 1s}}", "takes a list"},
		{"{backoff: {fixed: 1s, cap: 2s}}", "\"cap\" goes beside the name"},
		{"{backoff: {fxied: 1s}}", "neither an endpoint nor a policy"},
		{"{backoff: {api: 1s}}", "unknown policy \"1s\""},
		{"{backoff: {api: ~}}", "has no value"}, {"{backoff: {api: []}}", "is empty"},
		{"{backoff: {exponential: 1s}}", "takes a mapping"},
		{"{backoff: {exponential: {}}}", "needs the key \"base\""},
		{"{backoff: {exponential: {base: 0s}}}", "more than 0"},
		{"{backoff: {exponential: {base: 1}}}", "has no unit"},
		{"{backoff: {exponential: {base: 1s, factor: 0.99}}}", "out of range"},
		{"{backoff: {exponential: {base: 1s, factor: 1001}}}", "out of range"},
		{"{backoff: {exponential: {base: 1s, factor: -2}}}", "is negative"},
		{"{backoff: {exponential: {base: 1s, factor: 1e1}}}", "not a number"},
		{"{backoff: {exponential: {base: 1s, factor: 1.}}}", "not a number"},
		{"{backoff: {exponential: {base: 1s, factor: nan}}}", "not a number"},
		{"{backoff: {exponential: {base: 1s, cap: 999ms}}}", "cap is below the base"},
		{"{backoff: {exponential: {base: 1s, cap: 5}}}", "has no unit"},
		{"{backoff: {exponential: {base: 1s, jitter: half}}}", "unknown value"},
		{"{backoff: {exponential: {base: 1s, jitter: 50}}}", "not a percentage"},
		{"{backoff: {exponential: {base: 1s, jitter: 101%}}}", "more than 100%"},
		{"{backoff: {exponential: {base: 1s, jitter: -1%}}}", "is negative"},
		{"{backoff: {exponential: {base: 1s, max: 5s}}}", "unknown key \"max\""},
		{"{attempt-delay: {x: {fixed: 1s}}}", "neither an endpoint nor a policy"},
		{"{exit: 0, tolerance: 5}", "has no unit"},
		{"{exit: 0, tolerance: 101%}", "more than"},
		{"{exit: 0, tolerance: -5%}", "is negative"},
		{"{exit: 0, tolerance: 5%%}", "percentage"},
		{"{exit: 0, tolerance: {}}", "is empty"}, {"{exit: 0, tolerance: [1s]}", "takes a"},
		{"{exit: 0, tolerance: {absolute: 5}}", "has no unit"},
		{"{exit: 0, tolerance: {relative: 5}}", "not a percentage"},
		{"{exit: 0, tolerance: {relative: 1s}}", "not a percentage"},
		{"{exit: 0, tolerance: {absolut: 5s}}", "unknown key"},
		{"{backoff: {fixed: 1s, tolerance: 200%}}", "more than 100%"}, );
}

Test(load, reads_expectations_of_behaviour)
{
	AUTO_FILE struct scenario_file *file = parse_expect(
		"{connect-timeout: {web: 5s}, total-backoff: ..10s, gives-up: {after: 10s, "
		"attempts: "
		"3}, retry-on: [refused, reset], order: {web: {after: api}}, fallback: {from: "
		"api, to: web, within: 300ms}, concurrent-attempts: 2, leaks: 0}");
	const struct expectation *all;

	/* Something that may time out must exist. */
	cr_expect_eq(file->n_broken, 1);
	cr_expect(strstr(first_message(file), "none can time out"), "%s", first_message(file));
	AUTO_FILE struct scenario_file *good = parse_expect(
		"{total-backoff: ..10s, gives-up: {after: 10s, attempts: 3}, retry-on: [refused, "
		"reset], order: {web: {after: api}}, fallback: {from: api, to: web, within: "
		"300ms}, concurrent-attempts: 2, leaks: {api: 0}, read-timeout: {web: 3s}, "
		"connecting: ..15s}");
	all = expectations(good, 9, "behaviour");
	cr_expect_eq(all[0].kind, EXPECT_READ_TIMEOUT);
	cr_expect_eq(all[0].endpoint, 1);
	cr_expect_eq(all[0].value.range.range.low, 3 * NS_PER_S);
	cr_expect(all[0].value.range.exact);
	cr_expect_eq(all[1].kind, EXPECT_CONNECTING);
	cr_expect_eq(all[1].value.range.range.high, 15 * NS_PER_S);
	cr_expect_eq(all[2].kind, EXPECT_TOTAL_BACKOFF);
	cr_expect_eq(all[2].value.range.range.high, 10 * NS_PER_S);
	cr_expect_eq(all[3].value.gives_up.after_ns, 10 * NS_PER_S);
	cr_expect_eq(all[3].value.gives_up.attempts, 3);
	cr_expect_eq(all[4].value.endings, 1u << ENDING_REFUSED | 1u << ENDING_RESET);
	cr_assert_eq(all[5].value.order.n_targets, 2);
	cr_expect(all[5].value.order.after_failure);
	cr_expect_eq(all[5].value.order.targets[0].endpoint, 0);
	cr_expect_eq(all[5].value.order.targets[1].endpoint, 1);
	cr_expect_eq(all[6].value.fallback.within.low, 0);
	cr_expect_eq(all[6].value.fallback.within.high, 300 * NS_PER_MS);
	cr_expect_eq(all[7].value.range.range.low, 0);
	cr_expect_eq(all[7].value.range.range.high, 2);
	cr_expect_eq(all[8].endpoint, 0);
}

Test(load, orders_and_fallbacks_name_addresses)
{
	AUTO_FILE struct scenario_file *file = parse(
		"name: n\nendpoints: {api: {addresses: [ipv4, ipv6, ipv4]}}\n" CLIENT
		"expect: {order: [api.ipv4.2, api.ipv6, api.ipv4.1], fallback: {from: api.ipv4.1, "
		"to: api.ipv4.2, within: 1s}}\n");
	const struct expectation *all = expectations(file, 2, "addresses");
	static const struct target targets[] = {
		{0, FAMILY_IPV4, 2}, {0, FAMILY_IPV6, 0}, {0, FAMILY_IPV4, 1}};

	cr_assert_eq(all[0].value.order.n_targets, ARRAY_SIZE(targets));
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		const struct target *target = &all[0].value.order.targets[i];

		cr_expect_eq(target->endpoint, targets[i].endpoint, "%zu", i);
		cr_expect_eq(target->family, targets[i].family, "%zu", i);
		cr_expect_eq(target->ordinal, targets[i].ordinal, "%zu", i);
	}
	cr_expect_eq(all[1].value.fallback.from.ordinal, 1);
	cr_expect_eq(all[1].value.fallback.to.ordinal, 2);
}

Test(load, reads_how_a_daemon_is_stopped)
{
	AUTO_FILE struct scenario_file *daemon =
		parse("name: n\nrun-for: 10s\nstop-timeout: 2500ms\n" ENDPOINTS CLIENT EXPECT);
	AUTO_FILE struct scenario_file *plain = parse("name: n\n" ENDPOINTS CLIENT EXPECT);

	cr_assert_eq(daemon->n_scenarios, 1, "%s", first_message(daemon));
	cr_expect_eq(daemon->scenarios[0]->run_for_ns, 10 * NS_PER_S);
	cr_expect_eq(daemon->scenarios[0]->stop_timeout_ns, 2500 * NS_PER_MS);
	cr_expect_eq(plain->scenarios[0]->run_for_ns, 0);
	cr_expect_eq(plain->scenarios[0]->stop_timeout_ns, NS_PER_S);
}

static struct scenario_file *parse_line(const char *line);

Test(load, leftovers_are_watched_when_an_expectation_needs_it)
{
	AUTO_FILE struct scenario_file *not_asked = parse_expect("{exit: 0}");
	AUTO_FILE struct scenario_file *leaks = parse_expect("{leaks: 0}");
	AUTO_FILE struct scenario_file *gives_up = parse_expect("{gives-up: {attempts: 3}}");
	AUTO_FILE struct scenario_file *given = parse_line("leftover-timeout: 250ms");

	cr_expect_eq(scenario_leftover_timeout_ns(not_asked->scenarios[0]), 0);
	cr_expect_eq(scenario_leftover_timeout_ns(leaks->scenarios[0]), NS_PER_S);
	cr_expect_eq(scenario_leftover_timeout_ns(gives_up->scenarios[0]), NS_PER_S);
	cr_expect_eq(scenario_leftover_timeout_ns(given->scenarios[0]), 250 * NS_PER_MS);
}

Test(load, refuses_expectations_of_output)
{
	EXPECT_REFUSALS(
		parse_expect, {"{stdout: a}", "takes a mapping"}, {"{stdout: {}}", "is empty"},
		{"{stderr: ~}", "has no value"}, {"{stderr: {has: a}}", "unknown key \"has\""},
		{"{stdout: {contains: \"\"}}", "empty text"},
		{"{stdout: {contains: []}}", "is empty"},
		{"{stdout: {contains: [a, \"\"]}}", "empty text"},
		{"{stdout: {contains: [~]}}", "a text is missing"},
		{"{stdout: {contains: {a: b}}}", "takes a text"},
		{"{stdout: {matches: \"(\"}}", "wrong at offset 1"},
		{"{stdout: {matches: [a, \"b[\"]}}", "wrong at offset 2"},
		{"{stdout: {matches: \"a{2,1}\"}}", "wrong at offset"},
		{"{stdout: {matches: \"\"}}", "empty text"},
		{"{stdout: {not: \"\"}}", "empty text"}, {"{stdout: {not: []}}", "is empty"},
		{"{stdout: {not: {}}}", "is empty"},
		{"{stdout: {not: {matches: \"*\"}}}", "wrong at offset 0"},
		{"{stdout: {not: {not: a}}}", "unknown key \"not\""},
		{"{herd: 5}", "takes a mapping"}, {"{herd: {max: 5}}", "needs the key \"within\""},
		{"{herd: {within: 1s}}", "needs the key \"max\""},
		{"{herd: {max: 0, within: 1s}}", "a number of attempts is 1 to"},
		{"{herd: {max: 1, within: 0s}}", "more than 0"},
		{"{herd: {max: 1, within: 1}}", "has no unit"},
		{"{herd: {max: 1, within: 1s, of: all}}", "\"all\""},
		{"{herd: {ipa: {max: 1, within: 1s}}}", "there is no endpoint \"ipa\""}, );
}

static struct scenario_file *parse_name(const char *name)
{
	AUTO_FREE char *text = xasprintf("tags: []\nname: %s\n" ENDPOINTS CLIENT EXPECT, name);

	return parse(text);
}

static struct scenario_file *parse_line(const char *line)
{
	AUTO_FREE char *text = xasprintf("name: n\n%s\n" ENDPOINTS CLIENT EXPECT, line);

	return parse(text);
}

Test(load, refuses_a_documents_own_keys)
{
	EXPECT_REFUSALS(parse_name, {"~", "\"name\" has no value"}, {"\"\"", "name is empty"},
			{"\"  \"", "name is empty"}, {"[a]", "takes a text"},
			{"\"a\\nb\"", "one line"}, {"\"a\\tb\"", "one line"},
			{"\"a\\x1bb\"", "control characters"},
			{"\"a\\x9bb\"", "control characters"}, );
	EXPECT_REFUSALS(
		parse_line, {"tags: a", "takes a list"}, {"tags: [~]", "a text is missing"},
		{"tags: [\"a b\"]", "a tag is one word"}, {"tags: [\"a,b\"]", "a tag is one word"},
		{"tags: [\"\"]", "a tag is one word"}, {"tags: [\"a\\x1b\"]", "a tag is one word"},
		{"tags: [[a]]", "this must be a text"}, {"timeout: 30", "has no unit"},
		{"timeout: 0s", "more than 0"}, {"timeout: 25h", "longer than 24h"},
		{"run-for: 0s", "more than 0"}, {"stop-timeout: 0s", "more than 0"},
		{"run-for: forever", "does not start with a number"},
		{"leftover-timeout: 5", "has no unit"}, {"leftover-timeout: -1s", "is negative"},
		{"requires: {}", "\"requires\" is empty"}, {"requires: [a]", "takes a mapping"},
		{"requires: {programs: []}", "list of programs is empty"},
		{"requires: {programs: ['']}", "name of a program is empty"},
		{"requires: {programs: wget}", "takes a list"},
		{"requires: {command: []}", "\"command\" is empty"},
		{"requires: {modules: [a]}", "unknown key \"modules\""},
		{"clients: 0", "a number of instances is 1 to 1000"},
		{"clients: 1001", "a number of instances is 1 to 1000"},
		{"clients: 2..3", "is not a number"}, {"clients: [2]", "takes a number"},
		{"repeat: 0", "a number of runs is 1 to 10000"},
		{"repeat: 1.5", "not a whole number"}, {"timeout: [1s]", "takes a duration"},
		{"timeout: ~", "has no value"}, {"name: m", "\"name\" is given twice"},
		{"endpoint: {}", "unknown key \"endpoint\""},
		{"defaults: {timeout: 1s}", "alone in its document"}, );
}

Test(load, needs_each_required_key)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ENDPOINTS CLIENT EXPECT, "needs the key \"name\""},
		{"name: n\n" CLIENT EXPECT, "needs the key \"endpoints\""},
		{"name: n\n" ENDPOINTS EXPECT, "needs the key \"client\""},
		{"name: n\n" ENDPOINTS CLIENT, "needs the key \"expect\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FILE struct scenario_file *file = parse(cases[i].text);

		cr_assert_eq(file->diags.n_items, 1, "case %zu", i);
		cr_expect(strstr(first_message(file), cases[i].message), "%s", first_message(file));
		cr_expect_eq(file->diags.items[0].line, 1);
	}
}

#define GOOD(name) "name: " name "\n" ENDPOINTS CLIENT EXPECT

Test(load, loads_the_other_documents_of_a_file_with_a_broken_one)
{
	static const char *const broken[] = {
		"name: broken\nclient: [\n", "name: broken\n\tx: y\n",
		"name: broken\nx: \"\n",     "name: broken\n",
		"name: broken\nx: \xFF\n",   "name: broken\nx: [}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		AUTO_STRBUF struct strbuf text = {0};

		for (size_t k = 0; k < 50; k++) {
			if (k == 20)
				strbuf_printf(&text, "%s---\n", broken[i]);
			else
				strbuf_printf(&text, GOOD("scenario %zu") "---\n", k);
		}
		AUTO_FILE struct scenario_file *file = parse(strbuf_text(&text));

		cr_assert_eq(file->n_scenarios, 49, "case %zu: %zu", i, file->n_scenarios);
		cr_assert_eq(file->n_broken, 1, "case %zu", i);
		cr_expect_str_eq(file->scenarios[20]->name, "scenario 21");
		cr_expect_eq(file->scenarios[20]->index, 20);
		cr_expect_str_eq(file->broken[0].name, "broken", "case %zu: %s", i,
				 file->broken[0].name);
		/* 20 documents of 4 lines and a border each. */
		cr_expect(file->broken[0].line == 101, "case %zu: %u", i, file->broken[0].line);
		cr_expect_eq(file->scenarios[48]->place.line,
			     file->scenarios[19]->place.line + 29 * 5 +
				     (unsigned)(strchr(broken[i], '\n')[1] ? 3 : 2),
			     "case %zu: %u", i, file->scenarios[48]->place.line);
	}
}

Test(load, lists_diagnostics_document_by_document)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: a\nx: 1\ny: 2\n" ENDPOINTS CLIENT EXPECT
		      "---\n" GOOD("b") "---\n"
					"z: 1\n" ENDPOINTS CLIENT EXPECT "---\n"
					"- a\n");

	cr_expect_eq(file->n_scenarios, 1);
	cr_assert_eq(file->n_broken, 3);
	cr_expect_str_eq(file->broken[0].name, "a");
	cr_expect_eq(file->broken[0].line, 1);
	cr_expect_eq(file->broken[0].first_diag, 0);
	cr_expect_eq(file->broken[0].n_diags, 2);
	cr_expect_str_eq(file->broken[1].name, "document 3");
	cr_expect_eq(file->broken[1].line, 13);
	cr_expect_eq(file->broken[1].first_diag, 2);
	cr_expect_eq(file->broken[1].n_diags, 2);
	cr_expect_str_eq(file->broken[2].name, "document 4");
	cr_expect_eq(file->broken[2].n_diags, 1);
	cr_expect_eq(file->diags.n_items, 5);
	for (size_t i = 1; i < file->diags.n_items; i++)
		cr_expect_leq(file->diags.items[i - 1].line, file->diags.items[i].line);
}

Test(load, refuses_an_empty_file)
{
	static const char *const cases[] = {"", "\n", "# comment\n", "---\n---\n...\n",
					    "\xEF\xBB\xBF"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FILE struct scenario_file *file = parse(cases[i]);

		cr_assert_eq(file->n_broken, 1, "case %zu", i);
		cr_expect_str_eq(file->broken[0].name, "document 1");
		cr_expect_eq(file->broken[0].n_diags, 1);
		cr_expect_str_eq(first_message(file), "the file is empty");
	}
}

Test(load, refuses_a_file_with_only_defaults)
{
	AUTO_FILE struct scenario_file *file = parse("defaults: {timeout: 1s}\n");

	cr_expect_eq(file->n_scenarios, 0);
	cr_expect_eq(file->n_broken, 1);
	cr_expect_str_eq(first_message(file), "the file has defaults and no scenario");
}

Test(load, skips_empty_documents_and_a_byte_order_mark)
{
	AUTO_FILE struct scenario_file *file =
		parse("\xEF\xBB\xBF---\n---\n" GOOD("a") "---\n# nothing\n---\n" GOOD("b") "...\n");

	cr_expect_eq(file->n_scenarios, 2, "%s", first_message(file));
	cr_expect_eq(file->n_broken, 0);
	cr_expect_eq(file->scenarios[0]->place.line, 3);
	cr_expect_eq(file->source[0], '-');
}

Test(load, reads_files_with_crlf_line_endings)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: a\r\nendpoints: {api: {}}\r\nclient: {command: [x]}\r\n"
		      "expect: {exit: 0}\r\n---\r\nname: b\r\n");

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	cr_expect_str_eq(file->scenarios[0]->name, "a");
	cr_expect_eq(file->broken[0].line, 6);
}

Test(load, refuses_a_name_that_is_taken)
{
	AUTO_FILE struct scenario_file *file = parse(
		GOOD("a") "---\n" GOOD("b") "---\n" GOOD("\"a\"") "---\n"
								  "name: c\nx: y\n---\n" GOOD("c"));

	cr_expect_eq(file->n_scenarios, 2);
	cr_assert_eq(file->n_broken, 3, "names of broken documents are taken too");
	cr_expect_str_eq(first_message(file), "the name \"a\" is used twice in this file");
	cr_expect_str_eq(file->diags.items[0].hint, "the first is in line 1");
	cr_expect_eq(file->diags.items[0].line, 11);
	cr_expect(strstr(file->diags.items[file->diags.n_items - 1].message, "\"c\" is used"));
}

Test(load, merges_defaults_into_the_documents_after_them)
{
	AUTO_FILE struct scenario_file *file = parse(GOOD(
		"before") "---\n"
			  "defaults:\n"
			  "  timeout: 10s\n"
			  "  tags: [a]\n"
			  "  endpoints: {api: {port: 80, faults: [refuse]}, db: {serve: echo}}\n"
			  "  client: {command: [x, \"${web}\"], env: {A: \"1\", B: \"2\"}}\n"
			  "  expect: {exit: 0, tolerance: {absolute: 1s}}\n"
			  "---\n"
			  "name: first\n"
			  "endpoints: {web: {}, api: {port: 81}}\n"
			  "client: {env: {B: \"3\", C: \"4\"}}\n"
			  "expect: {exit: 1, duration: 2s, tolerance: {relative: 1%}}\n"
			  "---\n"
			  "defaults: {timeout: 20s}\n"
			  "---\n"
			  "name: second\n"
			  "tags: [b, c]\n"
			  "endpoints: {web: {}, db: {serve: {command: [y]}}}\n");
	const struct scenario *first, *second;

	cr_assert_eq(file->n_scenarios, 3, "%s", first_message(file));
	cr_expect_eq(file->n_broken, 0);
	cr_expect_eq(file->scenarios[0]->timeout_ns, 30 * NS_PER_S);
	first = file->scenarios[1];
	second = file->scenarios[2];
	cr_expect_eq(first->timeout_ns, 10 * NS_PER_S);
	cr_expect_str_eq(first->tags[0], "a");
	cr_assert_eq(first->n_endpoints, 3);
	cr_expect_str_eq(first->endpoints[0].name, "api");
	cr_expect_str_eq(first->endpoints[1].name, "db");
	cr_expect_str_eq(first->endpoints[2].name, "web");
	cr_expect_eq(first->endpoints[0].port, 81);
	cr_expect_eq(first->endpoints[0].script.steps[0].action, STEP_REFUSE);
	cr_assert_eq(first->client.n_env, 3);
	cr_expect_str_eq(first->client.env[1].value, "3");
	cr_expect_str_eq(first->client.env[2].name, "C");
	cr_assert_eq(first->n_expectations, 2);
	cr_expect_eq(first->expectations[0].value.exit.codes[0], 1);
	cr_expect_eq(first->expectations[1].tolerance.absolute_ns, NS_PER_S);
	cr_expect_float_eq(first->expectations[1].tolerance.relative, 0.01, 1e-9);
	cr_expect_eq(second->timeout_ns, 20 * NS_PER_S);
	cr_expect_eq(strv_length(second->tags), 2, "lists are replaced");
	cr_expect_eq(second->endpoints[0].port, 80);
	cr_expect_eq(second->endpoints[1].serve, SERVE_COMMAND);
	cr_expect_eq(second->expectations[0].value.exit.codes[0], 0);
}

Test(load, replaces_policies_of_defaults_as_a_whole)
{
	AUTO_FILE struct scenario_file *file =
		parse("defaults:\n"
		      "  expect:\n"
		      "    backoff: {fixed: 2s, tolerance: 1s}\n"
		      "    attempt-delay: {api: {fixed: 1s}, web: {fixed: 1s}}\n"
		      "---\nname: n\n" ENDPOINTS CLIENT "expect:\n"
		      "  backoff: {exponential: {base: 1s}}\n"
		      "  attempt-delay: {api: {exponential: {base: 3s}}}\n");
	const struct expectation *all = expectations(file, 3, "all");

	cr_expect_eq(all[0].value.policy.kind, POLICY_EXPONENTIAL);
	cr_expect_eq(all[0].tolerance.absolute_ns, 100 * NS_PER_MS);
	cr_expect_eq(all[1].endpoint, 0);
	cr_expect_eq(all[1].value.policy.kind, POLICY_EXPONENTIAL);
	cr_expect_eq(all[2].endpoint, 1);
	cr_expect_eq(all[2].value.policy.kind, POLICY_FIXED);
}

Test(load, merges_large_mappings)
{
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_puts(&text, "defaults:\n  client:\n    command: [x]\n    env:\n");
	for (unsigned i = 0; i < 500; i++)
		strbuf_printf(&text, "      V%u: default\n", i);
	strbuf_puts(&text, "---\nname: n\n" ENDPOINTS EXPECT "client:\n  env:\n");
	for (unsigned i = 900; i >= 100; i--)
		strbuf_printf(&text, "    V%u: own\n", i);
	AUTO_FILE struct scenario_file *file = parse(strbuf_text(&text));
	const struct client_spec *client;

	cr_assert_eq(file->n_scenarios, 1, "%s", first_message(file));
	client = &file->scenarios[0]->client;
	cr_assert_eq(client->n_env, 901);
	for (size_t i = 0; i < 500; i++)
		cr_expect_str_eq(client->env[i].value, i < 100 ? "default" : "own", "V%zu", i);
	cr_expect_str_eq(client->env[500].name, "V900");
}

Test(load, errors_of_defaults_are_reported_once)
{
	AUTO_FILE struct scenario_file *file = parse("defaults: {timeout: 5, tgas: []}\n---\n" GOOD(
		"a") "---\n"
		     "name: b\nx: y\n" ENDPOINTS CLIENT EXPECT);

	cr_expect_eq(file->n_scenarios, 0);
	cr_assert_eq(file->n_broken, 3);
	cr_expect_str_eq(file->broken[0].name, "defaults");
	cr_expect_eq(file->broken[0].n_diags, 2);
	cr_expect_eq(file->broken[1].n_diags, 1);
	cr_expect(strstr(file->diags.items[2].message, "the defaults in line 1"));
	cr_expect_eq(file->diags.items[2].line, 3);
	cr_expect_eq(file->broken[2].n_diags, 1);
	cr_expect(strstr(file->diags.items[3].message, "unknown key \"x\""));
}

Test(load, names_the_document_that_defaults_do_not_fit)
{
	AUTO_FILE struct scenario_file *file =
		parse("defaults:\n  expect: {attempts: {db: 1}}\n---\n" GOOD(
			"a") "---\n"
			     "name: b\nendpoints: {db: {}}\n" CLIENT);

	cr_expect_eq(file->n_scenarios, 1);
	cr_assert_eq(file->n_broken, 1);
	cr_expect_str_eq(first_message(file),
			 "there is no endpoint \"db\" (in the scenario of line 4)");
	cr_expect_eq(file->diags.items[0].line, 2);
}

Test(load, refuses_defaults_of_the_wrong_form)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"defaults: ~\n", "\"defaults\" has no value"},
		{"defaults: [a]\n", "takes a mapping"},
		{"defaults: {defaults: {timeout: 1s}}\n", "can't hold \"defaults\""},
		{"defaults: {expect: {backoff: {fixed: 2}}}\n", "has no unit"},
		{"defaults: {endpoints: {Api: {}}}\n", "lower-case letter"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FILE struct scenario_file *file = parse(cases[i].text);

		cr_expect_eq(file->diags.n_items, 1, "%s", cases[i].text);
		cr_expect(strstr(first_message(file), cases[i].message), "%s: %s", cases[i].text,
			  first_message(file));
	}
}

Test(load, lets_defaults_hold_a_matrix_and_references_to_it)
{
	AUTO_FILE struct scenario_file *file = parse(
		"defaults: {timeout: \"${matrix.t}\", matrix: {t: [1s, 2s]}}\n---\n" GOOD("a"));

	cr_assert_eq(file->n_scenarios, 2, "%s", first_message(file));
	cr_expect_eq(file->scenarios[1]->timeout_ns, 2 * NS_PER_S);
	cr_expect_str_eq(file->scenarios[1]->name, "a [t=2s]");
}

Test(load, follows_aliases)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: n\nendpoints: {api: &e {faults: [refuse]}, web: *e}\n" CLIENT
		      "expect: {stdout: &o {contains: a}, stderr: *o}\n");
	const struct expectation *all = expectations(file, 2, "all");

	cr_expect_eq(file->scenarios[0]->endpoints[1].script.steps[0].action, STEP_REFUSE);
	cr_expect_eq(all[1].kind, EXPECT_STDERR);
}

Test(load, does_not_call_endpoints_missing_that_could_not_be_read)
{
	AUTO_FILE struct scenario_file *file =
		parse("name: n\nendpoints: [api]\nclient: {command: [x, \"${api}\"]}\n"
		      "expect: {attempts: {api: 1}}\n");

	cr_expect_eq(file->diags.n_items, 1, "%zu", file->diags.n_items);
}

Test(load, says_why_a_file_can_not_be_read)
{
	AUTO_FILE struct scenario_file *missing = scenario_file_load("/nonexistent/a.yaml");
	AUTO_FILE struct scenario_file *directory = scenario_file_load("/");

	cr_assert_eq(missing->n_broken, 1);
	cr_expect_eq(missing->n_scenarios, 0);
	cr_expect_eq(missing->broken[0].n_diags, 1);
	cr_expect(strstr(first_message(missing), "No such file"), "%s", first_message(missing));
	cr_expect_eq(missing->diags.items[0].line, 0);
	cr_expect(strstr(first_message(directory), "Is a directory"), "%s",
		  first_message(directory));
}

Test(load, reads_a_file_as_it_reads_a_text)
{
	char path[] = "/tmp/test_load.XXXXXX";
	AUTO_CLOSE int fd = mkstemp(path);
	AUTO_STRBUF struct strbuf text = {0};

	for (unsigned i = 0; i < 1000; i++)
		strbuf_printf(&text, GOOD("scenario %u") "---\n", i);
	cr_assert_eq(write(fd, text.data, text.length), (ssize_t)text.length);
	AUTO_FILE struct scenario_file *file = scenario_file_load(path);

	unlink(path);
	cr_expect_eq(file->n_scenarios, 1000, "%s", first_message(file));
	cr_expect_str_eq(file->path, path);
	cr_expect_eq(file->source_length, text.length);
	cr_expect_str_eq(file->scenarios[999]->name, "scenario 999");
}

/* Each block of YAML in docs/scenario.md is a file of its own. */
Test(load, loads_every_example_of_the_documentation)
{
	static const char start[] = "```yaml\n";
	const char *source = getenv("SYNFAULT_SOURCE");
	size_t n_examples = 0;

	cr_assert_not_null(source, "SYNFAULT_SOURCE is not set");
	AUTO_FREE char *path = xasprintf("%s/docs/scenario.md", source);
	/* Not a scenario file, but its text is in memory then. */
	AUTO_FILE struct scenario_file *page = scenario_file_load(path);

	for (const char *at = page->source; (at = strstr(at, start)); n_examples++) {
		const char *end = strstr(at + strlen(start), "\n```");

		at += strlen(start);
		AUTO_FILE struct scenario_file *file =
			scenario_file_parse("example", at, (size_t)(end - at));

		cr_expect_eq(file->diags.n_items, 0, "%s in\n%.*s", first_message(file),
			     (int)(end - at), at);
		cr_expect_geq(file->n_scenarios, 1);
	}
	cr_expect_geq(n_examples, 3, "%zu", n_examples);
}

/* ---- the tables ---- */

static void check_table(const struct schema *schema);

static void check_key(const struct schema_key *key)
{
	cr_expect(key->name && key->value && key->description && key->example, "%s", key->name);
	cr_expect_eq(key->description[strlen(key->description) - 1], '.', "%s", key->name);
	cr_expect_eq(schema_forms(key) & SCHEMA_MAPPING ? 1 : 0, key->mapping || key->named ? 1 : 0,
		     "%s", key->name);
	cr_expect_eq(key->type == SCHEMA_CHOICE, key->choices != NULL, "%s", key->name);
	cr_expect_not_null(schema_type_info(key->type)->name);
	if (key->mapping && key->mapping != &schema_document)
		check_table(key->mapping);
	if (key->named)
		check_key(key->named);
}

static void check_table(const struct schema *schema)
{
	cr_expect_not_null(schema->name);
	for (size_t i = 0; i < schema->n_keys; i++)
		check_key(&schema->keys[i]);
}

Test(load, describes_each_key_in_the_tables)
{
	check_table(&schema_document);
}

/* ---- names ---- */

Test(load, names_the_values_of_enums)
{
	cr_expect_str_eq(family_name(FAMILY_IPV6), "ipv6");
	cr_expect_str_eq(expectation_kind_name(EXPECT_RETRANSMISSIONS), "retransmissions");
	scenario_free(NULL);
	scenario_file_free(NULL);
}

/* Each is 1 attempt (or second) away from an error. */
Test(load, takes_waits_that_can_just_fit_into_the_timeout)
{
	static const char *const fitting[] = {
		"timeout: 10s\nexpect: {attempts: 4, backoff: {exponential: {base: 1s}}}",
		"timeout: 10s\nexpect: {attempts: 5.., backoff: {fixed: 2500ms}}",
		"timeout: 10s\nexpect: {attempts: 1.., backoff: {fixed: 9s}}",
		"timeout: 10s\nexpect: {attempts: 5, backoff: {exponential: {base: 1h, jitter: "
		"full}}}",
		"timeout: 10s\nexpect: {attempts: 5, attempt-delay: {policy: rfc8305, base: 2s}}",
		"timeout: 13s\nexpect: {attempt-delay: [1s, 4s, 8s]}",
		"timeout: 10s\nclients: 9\nexpect: {attempts: 25, backoff: {fixed: 6s}}",
		"timeout: 10s\nrepeat: 2\nexpect: {attempts: 6, backoff: {fixed: 2s}}",
		"timeout: 10s\nexpect: {attempts: 4, duration: 6s, backoff: {linear: {base: 1s}}}",
		"expect: {attempts: 4, gives-up: {after: 6s}, backoff: {fixed: 2s}}",
		"expect: {attempts: 4, total-backoff: 6s, backoff: {fixed: 2s}}",
		"expect: {attempts: 4, total-backoff: ..1s, attempt-delay: {fixed: 2s}}",
		"timeout: 24h\nexpect: {attempts: 1000000000, backoff: {exponential: {base: 1us, "
		"factor: 1, jitter: full}}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(fitting); i++) {
		AUTO_FREE char *text = xasprintf("name: n\n" ENDPOINTS CLIENT "%s\n", fitting[i]);
		AUTO_FILE struct scenario_file *file = parse(text);

		cr_expect_eq(file->n_broken, 0, "%s: %s", fitting[i],
			     file->n_broken ? first_message(file) : "");
	}
}
