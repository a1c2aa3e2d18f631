/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sandbox: the surroundings in which one scenario runs. Here they are put together: network,
 * mounts, settings, the endpoints' addresses and ports, the values for ${…}, the client's files. A
 * private sandbox has namespaces of its own (namespace.h), a shared one has things of its own in
 * the given ones (shared_sandbox.h).
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SANDBOX_H
#define SYNFAULT_RUNNER_SANDBOX_SANDBOX_H

#include "injector/tracker.h"
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/sysctl.h"
#include "runner/scenario/substitute.h"

/* An endpoint as it stands in this sandbox. */
struct sandbox_endpoint {
	struct address addresses[ENDPOINT_MAX_ADDRESSES]; /* in the order in the file */
	size_t n_addresses;
	uint16_t port;
	bool remote; /* its addresses are none of the sandbox's own (remote.h) */
	char texts[ENDPOINT_MAX_ADDRESSES][INET6_ADDRSTRLEN]; /* of the addresses */
};

struct sandbox {
	const struct scenario *scenario;    /* borrowed */
	struct sandbox_endpoint *endpoints; /* as many as the scenario has */
	struct endpoint_values *values;
	struct substitution substitution;
	char *directory;               /* of the scenario file, absolute */
	struct shared_sandbox *shared; /* borrowed; NULL: the sandbox is private */
	const char *tmp;               /* the scenario's temporary directory; borrowed */
	int *claims; /* of the table and the addresses of remote endpoints (remote.h) */
	size_t n_claims, claims_capacity;
	uint32_t remote_table; /* number of the table for them */
	bool clientless;       /* the client is somebody else's: no files are written */
};

/*
 * Works out addresses, ports and values; changes nothing. @shared: what the sandbox has in the
 * given namespaces; NULL: it is private. Names of remote endpoints are looked up. Free it with
 * sandbox_free(). Returns 0, or a negative errno with a diagnostic: then there are no endpoints.
 */
int sandbox_plan(struct sandbox *sandbox, const struct scenario *scenario,
		 struct shared_sandbox *shared, struct diag_list *diags);
void sandbox_free(struct sandbox *sandbox);

/*
 * Sets the sandbox up, in the namespaces of the calling process, and writes the client's files.
 * Returns 0 or a negative errno, with a diagnostic.
 */
int sandbox_build(const struct sandbox *sandbox, const struct sysctls *settings,
		  struct diag_list *diags);

/**
 * sandbox_build_private() - set up the private namespaces of the calling process
 * @scenario: whose endpoints, names and sysctls they get
 * @settings: sysctls to write before the scenario's own
 *
 * A part of sandbox_build().
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int sandbox_build_private(const struct scenario *scenario, const struct sysctls *settings,
			  struct diag_list *diags);

/* In the environment of all processes of an instance of the client: its number, from 1. */
#define SANDBOX_INSTANCE_VARIABLE "SYNFAULT_INSTANCE"

/**
 * sandbox_environment() - make the whole environment of a client or a server
 * @client: it is for the client, with the variables of the scenario
 * @instance: of the client, from 0
 *
 * Return: the environment, owned by the caller.
 */
char **sandbox_environment(const struct sandbox *sandbox, bool client, uint32_t instance);

/*
 * A descriptor to read the client's stdin from: the scenario's text, or /dev/null. Returns it,
 * owned by the caller, or a negative errno.
 */
int sandbox_open_stdin(const struct sandbox *sandbox);

/* The endpoints for the injector; an array owned by the caller, its parts borrowed from the
 * sandbox.
 */
struct tracker_endpoint *sandbox_tracker_endpoints(const struct sandbox *sandbox);

#endif
