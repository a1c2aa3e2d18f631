/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the command `restart`: how it is refused. What it does is in tests/integration. */
#include <criterion/criterion.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "runner/sandbox/supervisor.h"
#include "runner/session/restart.h"

static void on_restart(void *userdata, struct control_request *request, const void *arguments)
{
	char name[] = "api";
	struct endpoint_spec endpoint = {.name = name};
	const struct scenario scenario = {.endpoints = &endpoint, .n_endpoints = 1};

	restart_outages(request, userdata, &scenario, arguments, NULL, NULL);
}

static const struct control_command items[] = {{"restart", &restart_here_type, on_restart}};

static void expect_reply(struct supervisor *supervisor, const char *request, const char *code,
			 const char *text)
{
	const struct control_config config = {
		.base = event_base_new(),
		.fd = -1,
		.commands = {items, ARRAY_SIZE(items)},
		.max_peers = 1,
		.userdata = supervisor,
	};
	const int64_t until_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	struct control *control = control_new(&config);
	const json_t *error;
	json_t *reply;
	char line[1000];
	ssize_t n = -1;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	control_add_peer(control, pair[0]);
	cr_assert_gt(send(pair[1], request, strlen(request), 0), 0);
	while (n < 0 && clock_monotonic_ns() < until_ns) {
		(void)event_base_loop(config.base, EVLOOP_NONBLOCK);
		n = recv(pair[1], line, sizeof(line), MSG_DONTWAIT);
	}
	cr_assert_gt(n, 0);
	reply = json_loadb(line, (size_t)n, JSON_DISABLE_EOF_CHECK, NULL);
	error = json_object_get(reply, "error");
	cr_assert_not_null(error, "%.*s", (int)n, line);
	cr_expect_str_eq(json_string_value(json_object_get(error, "code")), code);
	cr_expect_str_eq(json_string_value(json_object_get(error, "text")), text);
	json_decref(reply);
	control_free(control);
	event_base_free(config.base);
	close(pair[1]);
}

Test(restart, while_the_scenario_ends_it_is_refused_as_ended)
{
	struct supervisor supervisor = {.phase = PHASE_ENDING};
	static const char ending[] = "the scenario is ending: its faults are not armed any more";

	expect_reply(&supervisor, "{\"command\": \"restart\"}\n", "ended", ending);
	expect_reply(&supervisor, "{\"command\": \"restart\", \"endpoint\": \"api\"}\n", "ended",
		     ending);
	expect_reply(&supervisor, "{\"command\": \"restart\", \"endpoint\": \"db\"}\n", "not-found",
		     "there is no endpoint \"db\"");
}
