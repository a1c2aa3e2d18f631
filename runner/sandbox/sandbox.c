/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts a sandbox together: see sandbox.h. */
#include "runner/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/files.h"
#include "runner/sandbox/mounts.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/network.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/remote.h"

/* The first port that a private sandbox chooses: no other program uses ports there. */
enum { FIRST_FREE_PORT = 8080 };

static bool port_is_named(const struct scenario *scenario, uint16_t port)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		if (scenario->endpoints[i].port == port)
			return true;
	return false;
}

static void plan_endpoint(struct sandbox *sandbox, size_t index, uint16_t port)
{
	const struct endpoint_spec *spec = &sandbox->scenario->endpoints[index];
	struct sandbox_endpoint *endpoint = &sandbox->endpoints[index];
	struct endpoint_values *values = &sandbox->values[index];

	endpoint->port = port;
	endpoint->n_addresses = spec->n_families;
	values->port = port;
	for (size_t f = 0; f < spec->n_families; f++) {
		endpoint->addresses[f] =
			sandbox->shared ? shared_sandbox_endpoint_address(sandbox->shared->number,
									  spec, f, port)
					: network_endpoint_address(spec, f, port);
		values->addresses[f] =
			address_format_host(&endpoint->addresses[f], endpoint->texts[f]);
	}
	values->host = spec->hostname ? spec->hostname : values->addresses[0];
}

/* Claims the table for all its remote endpoints. */
static int claim_table(struct sandbox *sandbox, struct diag_list *diags)
{
	int claim;

	if (sandbox->n_claims > 0)
		return 0;
	claim = remote_claim_table(&sandbox->remote_table);
	if (claim >= 0)
		array_append(sandbox->claims, sandbox->n_claims, sandbox->claims_capacity, claim);
	else
		diag_add(diags, NULL, "no table is free for remote endpoints: %s",
			 claim == -EADDRINUSE ? "too many running scenarios have remote endpoints"
					      : strerror(-claim));
	return MIN(claim, 0);
}

/* Looks up a remote endpoint, and makes sure that no other scenario injects there. */
static int plan_remote(struct sandbox *sandbox, size_t index, struct diag_list *diags)
{
	const struct endpoint_spec *spec = &sandbox->scenario->endpoints[index];
	struct sandbox_endpoint *endpoint = &sandbox->endpoints[index];
	struct endpoint_values *values = &sandbox->values[index];
	int status = claim_table(sandbox, diags);

	if (!status)
		status = remote_resolve(spec, endpoint->addresses, ENDPOINT_MAX_ADDRESSES,
					&endpoint->n_addresses, diags);
	endpoint->remote = true;
	endpoint->port = values->port = spec->port;
	values->host = spec->remote;
	for (size_t i = 0; !status && i < endpoint->n_addresses; i++) {
		const struct address *address = &endpoint->addresses[i];
		char text[ADDRESS_TEXT_SIZE];
		int claim = remote_claim(address);

		values->addresses[i] = address_format_host(address, endpoint->texts[i]);
		if (claim >= 0) {
			array_append(sandbox->claims, sandbox->n_claims, sandbox->claims_capacity,
				     claim);
			continue;
		}
		status = claim;
		diag_add(diags, &spec->place, "the remote endpoint %s: %s: %s", spec->name,
			 address_format(address, text),
			 claim == -EADDRINUSE
				 ? "another scenario, or another endpoint, injects there already"
				 : strerror(-claim));
	}
	return status;
}

/* Chooses a port for an endpoint that names none, from @from on; 0: from the sandbox's first. */
static uint16_t find_port(const struct sandbox *sandbox, uint16_t from)
{
	uint16_t port = from ? from : FIRST_FREE_PORT;

	if (sandbox->shared)
		port = shared_sandbox_free_port(sandbox->shared, from);
	while (port_is_named(sandbox->scenario, port)) {
		port++;
		if (sandbox->shared)
			port = shared_sandbox_free_port(sandbox->shared, port);
	}
	return port;
}

int sandbox_plan(struct sandbox *sandbox, const struct scenario *scenario,
		 struct shared_sandbox *shared, struct diag_list *diags)
{
	int status = 0;
	AUTO_FREE char *path = xstrdup(scenario->path);
	char resolved[PATH_MAX];
	uint16_t next_port = 0;

	*sandbox = (struct sandbox){
		.scenario = scenario,
		.shared = shared,
		.tmp = shared ? shared->directory : MOUNTS_TMP,
	};
	sandbox->endpoints = xzalloc(scenario->n_endpoints * sizeof(*sandbox->endpoints));
	sandbox->values = xzalloc(scenario->n_endpoints * sizeof(*sandbox->values));
	for (size_t i = 0; !status && i < scenario->n_endpoints; i++) {
		uint16_t port = scenario->endpoints[i].port;

		if (scenario->endpoints[i].remote) {
			status = plan_remote(sandbox, i, diags);
			continue;
		}
		if (!port) {
			port = find_port(sandbox, next_port);
			next_port = (uint16_t)(port + 1);
		}
		plan_endpoint(sandbox, i, port);
	}
	sandbox->directory = xstrdup(realpath(dirname(path), resolved) ? resolved : ".");
	sandbox->substitution = (struct substitution){
		.scenario = scenario,
		.endpoints = sandbox->values,
		.tmp = sandbox->tmp,
		.dir = sandbox->directory,
	};
	if (status < 0)
		sandbox_free(sandbox);
	return status;
}

void sandbox_free(struct sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->n_claims; i++)
		close(sandbox->claims[i]);
	free(sandbox->claims);
	free(sandbox->endpoints);
	free(sandbox->values);
	free(sandbox->directory);
	*sandbox = (struct sandbox){0};
}

static int write_file(const struct sandbox *sandbox, const struct file_spec *file)
{
	AUTO_FREE char *path = xasprintf("%s/%s", sandbox->tmp, file->name);
	AUTO_FREE char *content = substitute(&sandbox->substitution, file->content);
	AUTO_CLOSE int fd = -1;
	int status = file_make_parents(path, 0700);

	if (status < 0)
		return status;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	status = write_all(fd, content, strlen(content));
	if (!status && fchmod(fd, file->executable ? 0755 : 0644) < 0)
		status = -errno;
	return status;
}

/* Applies the scenario's own sysctls, after the host's. */
static int write_kernel(const struct scenario *scenario, struct diag_list *diags)
{
	for (size_t i = 0; i < scenario->n_kernel; i++) {
		const struct kernel_spec *spec = &scenario->kernel[i];
		int status = sysctls_write_one(spec->path, spec->value);

		if (status == 0)
			continue;
		diag_add(diags, &spec->place,
			 "the kernel setting in line %u, %s, can't be made: %s", spec->place.line,
			 strrchr(spec->path, '/') + 1,
			 status == -ENOENT   ? "this kernel does not have it"
			 : status == -EINVAL ? "the kernel does not take this value"
			 : status == -EROFS  ? "/proc/sys can't be written to here"
					     : strerror(-status));
		return status;
	}
	return 0;
}

int sandbox_build_private(const struct scenario *scenario, const struct sysctls *settings,
			  struct diag_list *diags)
{
	const pid_t outer_pid = namespace_outer_pid();
	const char *failed = NULL;
	/* First, since the new /proc/sys is writable even where the given one is read-only. */
	int status = mounts_setup(scenario, diags);

	if (status < 0)
		return status;
	namespace_spread_pids(outer_pid);
	status = sysctls_write(settings, &failed);
	if (status < 0) {
		diag_add(diags, NULL, "the host's sysctl %s can't be set in the sandbox: %s",
			 failed, strerror(-status));
		return status;
	}
	status = write_kernel(scenario, diags);
	return status < 0 ? status : network_setup(scenario, diags);
}

int sandbox_build(const struct sandbox *sandbox, const struct sysctls *settings,
		  struct diag_list *diags)
{
	const struct client_spec *client = &sandbox->scenario->client;
	int status = sandbox->shared
			     ? shared_sandbox_build(sandbox->shared, sandbox->scenario, diags)
			     : sandbox_build_private(sandbox->scenario, settings, diags);

	for (size_t i = 0; !status && !sandbox->clientless && i < client->n_files; i++) {
		status = write_file(sandbox, &client->files[i]);
		if (status < 0)
			diag_add(diags, &client->files[i].place, "the file %s can't be written: %s",
				 client->files[i].name, strerror(-status));
	}
	return status;
}

char **sandbox_environment(const struct sandbox *sandbox, bool client, uint32_t instance)
{
	const struct client_spec *spec = &sandbox->scenario->client;
	AUTO_STRV char **values = substitute_environment(&sandbox->substitution);
	size_t n_values = strv_length(values), n = 0;
	char **additions = xzalloc((n_values + spec->n_env + 4) * sizeof(*additions)), **merged;

	/* Temporary files that a client forgets disappear with the sandbox. */
	additions[n++] = xasprintf("TMPDIR=%s", sandbox->tmp);
	if (sandbox->shared) {
		AUTO_FREE char *prefix = shared_sandbox_id_prefix();

		additions[n++] =
			xasprintf(SHARED_VARIABLE "=%s%u", prefix, sandbox->shared->number);
	}
	if (client)
		additions[n++] = xasprintf(SANDBOX_INSTANCE_VARIABLE "=%u", instance + 1);
	for (size_t i = 0; i < n_values; i++)
		additions[n++] = xstrdup(values[i]);
	for (size_t i = 0; client && i < spec->n_env; i++) {
		AUTO_FREE char *value = substitute(&sandbox->substitution, spec->env[i].value);

		additions[n++] = xasprintf("%s=%s", spec->env[i].name, value);
	}
	merged = environment_with(additions, n);
	strv_free(additions);
	return merged;
}

int sandbox_open_stdin(const struct sandbox *sandbox)
{
	const char *source = sandbox->scenario->client.stdin_text;
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int fd = -1;
	int status;

	if (!source) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? -errno : steal_fd(&fd);
	}
	text = substitute(&sandbox->substitution, source);
	fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	status = write_all(fd, text, strlen(text));
	if (!status && lseek(fd, 0, SEEK_SET) < 0)
		status = -errno;
	return status < 0 ? status : steal_fd(&fd);
}

struct tracker_endpoint *sandbox_tracker_endpoints(const struct sandbox *sandbox)
{
	const struct scenario *scenario = sandbox->scenario;
	struct tracker_endpoint *endpoints = xzalloc(scenario->n_endpoints * sizeof(*endpoints));

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		endpoints[i] = (struct tracker_endpoint){
			.addresses = sandbox->endpoints[i].addresses,
			.n_addresses = sandbox->endpoints[i].n_addresses,
			.script = &scenario->endpoints[i].script,
			.remote = sandbox->endpoints[i].remote,
			.lists = scenario->endpoints[i].lists,
		};
	return endpoints;
}
