/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes that people bring from curl, pytest, Docker Compose, Envoy, GitHub Actions or an older
 * version, and the message for each: the remedy has to lead to a right file at the first try.
 */
#include <criterion/criterion.h>

#include "runner/scenario/load.h"

#define ENDPOINTS "{api: {faults: [refuse, accept]}}"
#define CLIENT    "{command: [curl, \"${api}\"]}"

struct mistake {
	const char *written, *message, *remedy;
};

/* The first error that a file has. @format: the file around what was written. */
static void expect_remedies(const char *format, const struct mistake *mistakes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *text = NULL;
		struct scenario_file *file;
		const char *hole = strstr(format, "%s");

		text = xasprintf("%.*s%s%s", (int)(hole - format), format, mistakes[i].written,
				 hole + 2);
		file = scenario_file_parse("a.yaml", text, strlen(text));
		cr_expect_eq(file->n_scenarios, 0, "%s: accepted", mistakes[i].written);
		cr_expect_geq(file->diags.n_items, 1, "%s", mistakes[i].written);
		if (file->diags.n_items > 0) {
			cr_expect_str_eq(file->diags.items[0].message, mistakes[i].message, "%s",
					 mistakes[i].written);
			cr_expect_str_eq(file->diags.items[0].hint ? file->diags.items[0].hint : "",
					 mistakes[i].remedy, "%s", mistakes[i].written);
		}
		scenario_file_free(file);
	}
}

Test(messages, remedies_for_mistakes_in_expectations)
{
	static const struct mistake mistakes[] = {
		{"{backoff: {exponential: {base: 1s, jitter: 0.2}}}", "\"0.2\" is not a percentage",
		 "did you mean \"20%\"?"},
		{"{duration: \"<5s\"}", "\"<5s\" does not start with a number",
		 "did you mean \"..5s\"?"},
		{"{duration: \"< 5s\"}", "\"< 5s\" does not start with a number",
		 "did you mean \"..5s\"?"},
		{"{duration: \">=1s\"}", "\">=1s\" does not start with a number",
		 "did you mean \"1s..\"?"},
		{"{exit: failure}", "\"failure\" is not a number: an exit status is 0 to 255",
		 "did you mean \"nonzero\"?"},
		{"{exit: success}", "\"success\" is not a number: an exit status is 0 to 255",
		 "did you mean \"0\"?"},
		{"{exit: \"!= 0\"}", "\"!= 0\" is not a number: an exit status is 0 to 255",
		 "did you mean \"nonzero\"?"},
		{"{exit: SIGTERM}", "\"SIGTERM\" is not a number: an exit status is 0 to 255",
		 "for a signal, write {signal: SIGTERM}"},
		{"{exit: -15}", "\"-15\" is negative: an exit status is 0 to 255",
		 "a client that a signal ends has no status: write {signal: TERM}"},
		{"{attempts: at least 3}", "\"at least 3\" is not a number",
		 "did you mean \"3..\"?"},
		{"{attempts: \">=3\"}", "\">=3\" is not a number", "did you mean \"3..\"?"},
		{"{attempts: 3+}", "\"3+\" is not a number", "did you mean \"3..\"?"},
		{"{attempts: {min: 1, max: 3}}", "there is no endpoint \"min\"",
		 "a range is written LOW..HIGH, LOW.. or ..HIGH"},
		{"{backoff: {base: 1s, factor: 2}}", "these values belong to no policy",
		 "did you mean {exponential: {base: 1s, factor: 2}}?"},
		{"{backoff: exponential}", "unknown policy \"exponential\"",
		 "say where it starts: {exponential: {base: 100ms, factor: 2}}"},
		{"{backoff: fixed}", "unknown policy \"fixed\"", "say how long: {fixed: 2s}"},
		{"{backoff: 2s}", "unknown policy \"2s\"", "for a fixed wait, write {fixed: 2s}"},
		{"{backoff: {exponential: {base: 1s, multiplier: 2}}}",
		 "unknown key \"multiplier\"", "did you mean \"factor\"?"},
		{"{backoff: {exponential: {base: 1s, max: 10s}}}", "unknown key \"max\"",
		 "did you mean \"cap\"?"},
		{"{max-retries: 3}", "unknown key \"max-retries\"",
		 "did you mean \"attempts\"? The first try is one, too: 3 retries are attempts: 4"},
		{"{retries: 3}", "unknown key \"retries\"",
		 "did you mean \"attempts\"? The first try is one, too: 3 retries are attempts: 4"},
		{"{stdout: {regex: \"a\"}}", "unknown key \"regex\"", "did you mean \"matches\"?"},
		{"{exit_code: 0}", "unknown key \"exit_code\"", "did you mean \"exit\"?"},
		{"{status: 0}", "unknown key \"status\"", "did you mean \"exit\"?"},
		{"{waits: {fixed: 1s}}", "unknown key \"waits\"", "did you mean \"backoff\"?"},
		{"{intervals: {fixed: 1s}}", "unknown key \"intervals\"",
		 "did you mean \"attempt-delay\"?"},
		{"{total-wait: 1s}", "unknown key \"total-wait\"",
		 "did you mean \"total-backoff\"?"},
		{"{in-flight: 1}", "unknown key \"in-flight\"",
		 "did you mean \"concurrent-attempts\"?"},
		{"{retries-only: [refused]}", "unknown key \"retries-only\"",
		 "did you mean \"retry-on\"?"},
		{"{connect_timeout: 5s}", "unknown key \"connect_timeout\"",
		 "did you mean \"connect-timeout\"?"},
		{"{retry_on: [refused]}", "unknown key \"retry_on\"", "did you mean \"retry-on\"?"},
		{"{retry-on: [5xx, connect-failure]}", "unknown value \"5xx\"",
		 "an attempt that gets any HTTP answer is \"connected\""},
		{"{retry-on: [timeout]}", "unknown value \"timeout\"",
		 "did you mean \"unanswered\"?"},
		{"{retry-on: [ECONNREFUSED]}", "unknown value \"ECONNREFUSED\"",
		 "did you mean \"refused\"?"},
		{"{ended: timeout}", "unknown value \"timeout\"", "did you mean \"unanswered\"?"},
		{"{order: ipv6}",
		 "\"order\" takes a list of endpoints, families and addresses, or a mapping of "
		 "them to {after: …}, not a text",
		 "did you mean [ipv6]?"},
	};

	expect_remedies("name: n\nendpoints: " ENDPOINTS "\nclient: " CLIENT "\nexpect: %s\n",
			mistakes, ARRAY_SIZE(mistakes));
}

Test(messages, remedies_for_mistakes_in_fault_steps)
{
	static const struct mistake mistakes[] = {
		{"{when: {chance: 0.3}, do: refuse}", "\"0.3\" is not a percentage",
		 "did you mean \"30%\"?"},
		{"slow 1 Mbit/s", "\"1\" is not a rate", "did you mean \"slow 125 KB/s\"?"},
		{"slow 10kb", "\"10kb\" is not a rate", "did you mean \"slow 10 KB/s\"?"},
		{"slow 10 MB", "\"10\" is not a rate", "did you mean \"slow 10 MB/s\"?"},
		{"slow 100kbps", "\"100kbps\" is not a rate",
		 "did you mean \"slow 12500 bytes/s\"?"},
		{"reset after 10kb",
		 "the duration \"10kb\" has an unknown unit (known are us, ms, s, m, h)",
		 "did you mean \"reset after 10 KB\"?"},
		{"reset after 10k",
		 "the duration \"10k\" has an unknown unit (known are us, ms, s, m, h)",
		 "did you mean \"reset after 10 KB\"?"},
		{"reject", "unknown step \"reject\"", "did you mean \"refuse\"?"},
		{"rst", "unknown step \"rst\"", "did you mean \"refuse\"?"},
		{"blackhole", "unknown step \"blackhole\"", "did you mean \"drop\"?"},
		{"deny", "unknown step \"deny\"", "did you mean \"refuse\"?"},
		{"ok", "unknown step \"ok\"", "did you mean \"accept\"?"},
		{"delay 300", "the duration \"300\" has no unit (us, ms, s, m, h)",
		 "did you mean \"300ms\"?"},
		{"refuse 3", "unexpected \"3\" after \"refuse\"", "did you mean \"refuse x3\"?"},
		{"refuse *3", "unexpected \"*3\" after \"refuse\"", "did you mean \"refuse x3\"?"},
		{"3x refuse", "\"3x\" comes before the step", "did you mean \"refuse x3\"?"},
		{"{refuse: 3}", "a step without a condition is a text",
		 "did you mean \"refuse x3\"?"},
		{"{delay: 300ms}", "a step without a condition is a text",
		 "did you mean \"delay 300ms\"?"},
		{"503", "unknown step \"503\"",
		 "faults are those of a TCP connection; for another answer use your own server: "
		 "serve: {command: [...]}"},
		{"http 503", "unknown step \"http\"",
		 "faults are those of a TCP connection; for another answer use your own server: "
		 "serve: {command: [...]}"},
		{"dns-fail", "unknown step \"dns-fail\"",
		 "faults are those of a TCP connection; for another answer use your own server: "
		 "serve: {command: [...]}"},
		{"abort", "unknown step \"abort\"", "did you mean \"reset after accept\"?"},
	};

	expect_remedies("name: n\nendpoints: {api: {faults: [%s]}}\nclient: " CLIENT
			"\nexpect: {exit: 0}\n",
			mistakes, ARRAY_SIZE(mistakes));
}

Test(messages, remedies_for_mistakes_in_endpoints)
{
	static const struct mistake mistakes[] = {
		{"{serve: https}", "unknown value \"https\"",
		 "synfault's servers don't speak TLS: use your own server, serve: {command: "
		 "[...]}, or \"http\""},
		{"{serve: tcp}", "unknown value \"tcp\"", "did you mean \"accept\"?"},
		{"{serve: nginx}", "unknown value \"nginx\"",
		 "give the server's command: serve: {command: [nginx, -c, ...]}"},
		{"{family: ipv6}", "unknown key \"family\"", "write families: [ipv6, ipv4]"},
		{"{faults: refuse}",
		 "\"faults\" takes a list of fault steps, or a mapping of addresses to such lists, "
		 "not a text",
		 "did you mean [refuse]?"},
		{"{faults: \"refuse, accept\"}",
		 "\"faults\" takes a list of fault steps, or a mapping of addresses to such lists, "
		 "not a text",
		 "did you mean [refuse, accept]?"},
		{"{fault: [refuse]}", "unknown key \"fault\"", "did you mean \"faults\"?"},
		{"{host: a.test}", "unknown key \"host\"", "did you mean \"hostname\"?"},
		{"{url: http://a}", "unknown key \"url\"", "did you mean \"remote\"?"},
		{"{families: [v4, v6]}", "unknown value \"v4\"", "did you mean \"ipv4\"?"},
		{"{families: [4, 6]}", "unknown value \"4\"", "did you mean \"ipv4\"?"},
		{"{ipv6: true}", "unknown key \"ipv6\"", "write families: [ipv6, ipv4]"},
	};

	expect_remedies("name: n\nendpoints: {api: %s}\nclient: " CLIENT "\nexpect: {exit: 0}\n",
			mistakes, ARRAY_SIZE(mistakes));
}

Test(messages, remedies_for_mistakes_in_clients)
{
	static const struct mistake mistakes[] = {
		{"{command: [curl, \"${api}\"], environment: {A: b}}",
		 "unknown key \"environment\"", "did you mean \"env\"?"},
		{"{command: [curl, \"${api}\"], entrypoint: [a]}", "unknown key \"entrypoint\"",
		 "program and arguments are one list: command: [curl, \"http://${api}/\"]"},
		{"{command: [curl, \"${api}\"], working_dir: /tmp}", "unknown key \"working_dir\"",
		 "did you mean \"cwd\"?"},
		{"{command: [\"python3 client.py ${api}\"]}",
		 "this is the name of a program, which has blanks",
		 "write [\"python3\", \"client.py\", \"${api}\"]"},
		{"{command: [\"sh -c 'curl ${api.port}'\"]}",
		 "this is the name of a program, which has blanks",
		 "write each argument as an item of its own"},
		{"{command: curl http://x}",
		 "\"command\" takes a list of program and arguments, not a text",
		 "did you mean [curl, http://x]?"},
		{"{command: [curl, \"http://localhost:8080/\"]}",
		 "this leads to no endpoint of the scenario",
		 "write ${api} for its host and port, ${api.port} for the port alone"},
		{"{command: [curl, \"$api\"]}", "this leads to no endpoint of the scenario",
		 "write ${api} for its host and port, ${api.port} for the port alone"},
		{"{command: [curl, \"{{api}}\"]}", "this leads to no endpoint of the scenario",
		 "write ${api} for its host and port, ${api.port} for the port alone"},
		{"{command: [curl, \"${api}\", \"${HOME}\"]}", "there is no endpoint \"HOME\"",
		 "for a literal ${HOME} write $${HOME}; variables of the environment are not "
		 "replaced"},
		{"{command: [curl, \"${{ matrix.x }}\"]}", "there is no endpoint \"{ matrix\"",
		 "a reference has one pair of braces: ${matrix}"},
		{"{command: [curl, \"${api_host}\"]}", "there is no endpoint \"api_host\"",
		 "did you mean \"${api.host}\"?"},
		{"{command: [curl, \"${API}\"]}", "there is no endpoint \"API\"",
		 "did you mean \"${api}\"?"},
		{"{command: [curl, \"${api:port}\"]}", "there is no endpoint \"api:port\"",
		 "did you mean \"${api.port}\"?"},
	};

	expect_remedies("name: n\nendpoints: " ENDPOINTS "\nclient: %s\nexpect: {exit: 0}\n",
			mistakes, ARRAY_SIZE(mistakes));
}

Test(messages, remedies_for_mistakes_in_keys_of_a_scenario)
{
	static const struct mistake mistakes[] = {
		{"timeout: 5", "\"5\" has no unit (us, ms, s, m, h)",
		 "did you mean \"5s\" or \"5ms\"?"},
		{"timeout: 5 seconds", "\"5 seconds\" has a blank in it", "did you mean \"5s\"?"},
		{"timeout: 5sec", "\"5sec\" has an unknown unit (known are us, ms, s, m, h)",
		 "did you mean \"5s\"?"},
		{"timeout-minutes: 5", "unknown key \"timeout-minutes\"",
		 "did you mean \"timeout\"?"},
		{"linger: 1s", "unknown key \"linger\"", "did you mean \"leftover-timeout\"?"},
		{"copies: 3", "unknown key \"copies\"", "did you mean \"clients\"?"},
		{"replicas: 3", "unknown key \"replicas\"", "did you mean \"clients\"?"},
		{"depends_on: [a]", "unknown key \"depends_on\"", "did you mean \"requires\"?"},
		{"tags: a, b", "\"tags\" takes a list of words, not a text",
		 "did you mean [a, b]?"},
		{"skip: true", "unknown key \"skip\"", "did you mean \"requires\"?"},
	};

	expect_remedies("name: n\nendpoints: " ENDPOINTS "\nclient: " CLIENT
			"\nexpect: {exit: 0}\n%s\n",
			mistakes, ARRAY_SIZE(mistakes));
}

Test(messages, remedies_for_mistakes_in_files_of_other_programs)
{
	static const struct mistake mistakes[] = {
		{"services:\n  web:\n    image: nginx\n    ports: [\"80:80\"]\n",
		 "this is a Docker Compose file, not a scenario",
		 "keep scenarios in a directory of their own, or name the files; a scenario has "
		 "the keys name, endpoints, client and expect"},
		{"name: ci\non: push\njobs:\n  t:\n    runs-on: ubuntu-latest\n",
		 "this is a GitHub Actions workflow, not a scenario",
		 "keep scenarios in a directory of their own, or name the files; a scenario has "
		 "the keys name, endpoints, client and expect"},
		{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
		 "this is a Kubernetes manifest, not a scenario",
		 "keep scenarios in a directory of their own, or name the files; a scenario has "
		 "the keys name, endpoints, client and expect"},
	};

	expect_remedies("%s", mistakes, ARRAY_SIZE(mistakes));
}
