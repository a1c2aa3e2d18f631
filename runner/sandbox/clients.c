/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instances of a scenario's client: see clients.h. */
#include "runner/sandbox/clients.h"

#include <errno.h>

void clients_init(struct clients *clients)
{
	clients->n_instances = scenario_n_instances(clients->scenario);
	clients->pids = xzalloc(clients->n_instances * sizeof(*clients->pids));
}

void clients_deinit(struct clients *clients)
{
	socket_owners_free(clients->owners);
	free(clients->pids);
}

/* What the owners of followed clients are. */
enum { OWNER_FOLLOWED, OWNER_INSIDE, N_OWNERS };

void clients_follow(struct clients *clients, pid_t pid, pid_t ancestor)
{
	clients->follows = true;
	clients->owners = socket_owners_new(N_OWNERS);
	if (pid != 0)
		socket_owners_add(clients->owners, OWNER_FOLLOWED, pid);
	socket_owners_add(clients->owners, OWNER_INSIDE, ancestor);
}

void clients_begin(struct clients *clients)
{
	const struct scenario *scenario = clients->scenario;

	/* What an instance leaves behind keeps running while the next ones run. */
	if (scenario_n_clients(scenario) > 1 ||
	    (clients->n_instances > 1 && scenario_leftover_timeout_ns(scenario) > 0))
		clients->owners = socket_owners_new(clients->n_instances);
}

/* Returns the client's directory, owned by the caller, or NULL for synfault's own. */
static char *working_directory(const struct sandbox *sandbox)
{
	const char *cwd = sandbox->scenario->client.cwd;

	if (!cwd)
		return NULL;
	return cwd[0] == '/' ? xstrdup(cwd) : xasprintf("%s/%s", sandbox->directory, cwd);
}

int clients_start_next(struct clients *clients)
{
	const struct sandbox *sandbox = clients->sandbox;
	const uint32_t instance = clients->n_started;
	char *const *own = clients->command ? clients->command : clients->scenario->client.command;
	AUTO_STRV char **command = substitute_strv(&sandbox->substitution, own);
	AUTO_STRV char **environment = sandbox_environment(sandbox, true, instance);
	AUTO_CLOSE int stdin_fd = sandbox_open_stdin(sandbox);
	AUTO_FREE char *message = NULL, *cwd = working_directory(sandbox);
	struct recorder *recorder = clients->recorder;
	struct event event = {.kind = EVENT_START, .u.start.instance = instance};
	const struct process_config process = {
		.command = command, .environment = environment, .cwd = cwd, .stdin_fd = stdin_fd};
	pid_t pid;

	if (stdin_fd < 0) {
		record_add_problem(recorder->record, false, "can't open the client's stdin: %s",
				   strerror(-stdin_fd));
		return stdin_fd;
	}
	if (instance == 0)
		recorder_start(recorder);
	event.at_ns = recorder_now_ns(recorder);
	pid = launcher_start_client(clients->launcher, &process, instance, &message);
	if (pid < 0) {
		record_add_problem(recorder->record, false, "the client can't be started: %s",
				   message);
		return pid;
	}
	clients->pids[instance] = pid;
	clients->n_started++;
	clients->n_running++;
	recorder->record->client_started = true;
	recorder_event(recorder, &event);
	if (clients->owners)
		socket_owners_add(clients->owners, instance, pid);
	return 0;
}

bool clients_are_started(const struct clients *clients)
{
	return clients->n_started == clients->n_instances;
}

bool clients_round_is_started(const struct clients *clients)
{
	return clients->n_started % scenario_n_clients(clients->scenario) == 0;
}

bool clients_round_is_over(const struct clients *clients)
{
	return clients->n_running == 0 && clients_round_is_started(clients);
}

bool clients_are_over(const struct clients *clients)
{
	return clients->n_running == 0 && clients_are_started(clients);
}

/* Returns the running instance that has this first process, or n_instances. */
static uint32_t find(const struct clients *clients, pid_t pid)
{
	for (uint32_t instance = 0; instance < clients->n_started; instance++)
		if (clients->pids[instance] == pid)
			return instance;
	return clients->n_instances;
}

bool clients_take_end(struct clients *clients, pid_t pid, int wait_status, int64_t early_ns)
{
	const uint32_t instance = find(clients, pid);
	const struct event event = {
		.kind = EVENT_EXIT,
		.at_ns = recorder_now_ns(clients->recorder),
		.early_ns = early_ns,
		.u.exit = {.instance = instance, .wait_status = wait_status},
	};

	if (instance == clients->n_instances)
		return false;
	clients->pids[instance] = 0;
	clients->n_running--;
	recorder_event(clients->recorder, &event);
	return true;
}

uint32_t clients_instance_of(const struct clients *clients, const struct attempt_info *attempt)
{
	uint32_t owner;

	if (!clients->owners)
		return clients->n_started - 1;
	/* While the SYN is held, its socket exists. */
	owner = socket_owners_find(clients->owners, &attempt->key.client, &attempt->key.server);
	if (!clients->follows)
		return owner;
	if (owner != OWNER_FOLLOWED && owner != OWNER_INSIDE)
		clients->recorder->record->outside = true;
	return owner == OWNER_FOLLOWED ? 0 : INSTANCE_UNKNOWN;
}
