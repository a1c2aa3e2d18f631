/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The servers of a scenario's endpoints: see servers.h. */
#include "runner/sandbox/servers.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "runner/sandbox/network.h"

void servers_init(struct servers *servers)
{
	const size_t n = servers->scenario->n_endpoints;

	servers->built_in = xzalloc(n * sizeof(*servers->built_in));
	servers->pids = xzalloc((n + 1) * sizeof(*servers->pids));
}

void servers_deinit(struct servers *servers)
{
	for (size_t i = 0; i < servers->scenario->n_endpoints; i++)
		endpoint_server_free(servers->built_in[i]);
	free(servers->built_in);
	free(servers->pids);
}

/* ---- starting ---- */

static int start_command(struct servers *servers, size_t index)
{
	const struct sandbox *sandbox = servers->sandbox;
	const struct endpoint_spec *spec = &sandbox->scenario->endpoints[index];
	AUTO_STRV char **command = substitute_strv(&sandbox->substitution, spec->serve_command);
	AUTO_STRV char **environment = sandbox_environment(sandbox, false, 0);
	AUTO_CLOSE int stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *message = NULL;
	const struct process_config process = {
		.command = command, .environment = environment, .stdin_fd = stdin_fd};
	pid_t pid = launcher_start_server(servers->launcher, &process, spec->name, &message);

	if (pid < 0) {
		record_add_problem(servers->recorder->record, false,
				   "the server of %s can't be started: %s", spec->name, message);
		return pid;
	}
	servers->pids[index] = pid;
	return 0;
}

static int start_built_in(struct servers *servers, size_t index)
{
	const struct sandbox_endpoint *endpoint = &servers->sandbox->endpoints[index];
	AUTO_DIAG struct diag_list diags = {0};
	int status = endpoint_server_new(servers->launcher->base,
					 &servers->scenario->endpoints[index], endpoint->addresses,
					 endpoint->n_addresses, &diags, &servers->built_in[index]);

	recorder_diags(servers->recorder, &diags);
	return status;
}

int servers_start(struct servers *servers)
{
	const struct scenario *scenario = servers->scenario;
	int64_t longest_ns = 0;

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];
		int status = spec->serve == SERVE_NONE      ? 0
			     : spec->serve == SERVE_COMMAND ? start_command(servers, i)
							    : start_built_in(servers, i);

		if (status < 0)
			return status;
		longest_ns = MAX(longest_ns, spec->serve_ready_ns);
	}
	servers->ready_by_ns = clock_monotonic_ns() + longest_ns;
	return 0;
}

/* Returns whether another endpoint has a server at the same port. */
static bool shares_port(const struct sandbox *sandbox, size_t index)
{
	for (size_t i = 0; i < sandbox->scenario->n_endpoints; i++)
		if (i != index && sandbox->scenario->endpoints[i].serve != SERVE_NONE &&
		    sandbox->endpoints[i].port == sandbox->endpoints[index].port)
			return true;
	return false;
}

/*
 * Returns the first endpoint whose server command does not listen yet, or n_endpoints. When two
 * share a port, a server on all addresses does not count for the other endpoint, whose own server
 * would find its port taken.
 */
static size_t find_silent(const struct servers *servers)
{
	const struct sandbox *sandbox = servers->sandbox;
	size_t i;

	for (i = 0; i < sandbox->scenario->n_endpoints; i++) {
		const struct sandbox_endpoint *endpoint = &sandbox->endpoints[i];

		if (sandbox->scenario->endpoints[i].serve == SERVE_COMMAND &&
		    network_listens(endpoint->addresses, endpoint->n_addresses,
				    shares_port(sandbox, i)) != 1)
			break;
	}
	return i;
}

enum servers_state servers_poll(struct servers *servers)
{
	const struct scenario *scenario = servers->scenario;
	const struct endpoint_values *values;
	const size_t silent = find_silent(servers);

	if (silent == scenario->n_endpoints)
		return SERVERS_LISTEN;
	if (clock_monotonic_ns() < servers->ready_by_ns)
		return SERVERS_START;
	values = &servers->sandbox->values[silent];
	record_add_problem(servers->recorder->record, false,
			   "the server of %s did not listen on %s:%u within %.1f s; does it use "
			   "the right address and port, or need a longer 'ready'?",
			   scenario->endpoints[silent].name, values->host, values->port,
			   (double)scenario->endpoints[silent].serve_ready_ns / (double)NS_PER_S);
	return SERVERS_FAILED;
}

/* ---- foreign servers ---- */

/* Returns whether no foreign server answers for the endpoint. A private sandbox has none. */
static bool is_free(struct servers *servers, size_t index)
{
	const struct sandbox_endpoint *endpoint = &servers->sandbox->endpoints[index];
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < endpoint->n_addresses; i++) {
		if (network_listens(&endpoint->addresses[i], 1, false) != 1)
			continue;
		record_add_problem(servers->recorder->record, true,
				   "another program listens on all addresses and so on %s of "
				   "endpoint %s: end it, leave out the endpoint's 'port', or "
				   "use private isolation (CAP_SYS_ADMIN)",
				   address_format(&endpoint->addresses[i], text),
				   servers->scenario->endpoints[index].name);
		return false;
	}
	return true;
}

bool servers_fixed_ports_are_free(struct servers *servers)
{
	const struct sandbox *sandbox = servers->sandbox;

	for (size_t i = 0; sandbox->shared && i < sandbox->scenario->n_endpoints; i++)
		if (sandbox->scenario->endpoints[i].port != 0 && !sandbox->endpoints[i].remote &&
		    !is_free(servers, i))
			return false;
	return true;
}

bool servers_none_is_foreign(struct servers *servers)
{
	const struct sandbox *sandbox = servers->sandbox;

	for (size_t i = 0; sandbox->shared && i < sandbox->scenario->n_endpoints; i++)
		if (sandbox->scenario->endpoints[i].serve == SERVE_NONE &&
		    !sandbox->endpoints[i].remote && !is_free(servers, i))
			return false;
	return true;
}

/* ---- ends ---- */

size_t servers_find(const struct servers *servers, pid_t pid)
{
	for (size_t i = 0; i < servers->scenario->n_endpoints; i++)
		if (servers->pids[i] == pid)
			return i;
	return SIZE_MAX;
}

void servers_take_end(struct servers *servers, size_t index, int wait_status, bool client_runs)
{
	const char *name = servers->scenario->endpoints[index].name;
	const char *when = client_runs ? "while the client ran" : "before it listened";
	const struct event event = {
		.kind = EVENT_SERVER_EXIT,
		.at_ns = recorder_now_ns(servers->recorder),
		.u.server = {.endpoint = (uint32_t)index, .wait_status = wait_status},
	};

	if (client_runs)
		recorder_event(servers->recorder, &event);
	if (WIFSIGNALED(wait_status))
		record_add_problem(servers->recorder->record, false,
				   "the server of %s was killed by signal %d %s", name,
				   WTERMSIG(wait_status), when);
	else
		record_add_problem(servers->recorder->record, false,
				   "the server of %s ended with status %d %s", name,
				   WEXITSTATUS(wait_status), when);
}
