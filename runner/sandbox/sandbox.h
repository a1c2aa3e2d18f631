/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sandbox: the surroundings in which one scenario runs. This module puts them together: network,
 * mounts, sysctls, the endpoints' addresses and ports, the values for ${…}, the client's files. A
 * private sandbox has namespaces of its own (namespace.h). A shared one has its own addresses and
 * rules in the given namespaces (shared_sandbox.h).
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SANDBOX_H
#define SYNFAULT_RUNNER_SANDBOX_SANDBOX_H

#include "injector/tracker.h"
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/sysctl.h"
#include "runner/scenario/substitute.h"

/* An endpoint in this sandbox. */
struct sandbox_endpoint {
	struct address addresses[ENDPOINT_MAX_ADDRESSES]; /* in the order in the file */
	size_t n_addresses;
	uint16_t port;
	bool remote; /* its addresses are not the sandbox's own (remote.h) */
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
	bool clientless;       /* another program starts the client: no files are written */
};

/**
 * sandbox_plan() - work out addresses, ports and values; change nothing
 * @shared: what the sandbox has in the given namespaces, borrowed; NULL: it is private
 *
 * Looks up the names of remote endpoints. Free the sandbox with sandbox_free().
 *
 * Return: 0, or a negative errno with a diagnostic; then the sandbox has no endpoints.
 */
int sandbox_plan(struct sandbox *sandbox, const struct scenario *scenario,
		 struct shared_sandbox *shared, struct diag_list *diags);
void sandbox_free(struct sandbox *sandbox);

/**
 * sandbox_build() - set up the sandbox in the calling process's namespaces, with the client's files
 * @settings: sysctls to write before the scenario's own
 *
 * Return: 0, or a negative errno with a diagnostic.
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

/* In the environment of all processes of a client's instance: its number, from 1. */
#define SANDBOX_INSTANCE_VARIABLE "SYNFAULT_INSTANCE"

/**
 * sandbox_environment() - make the whole environment of a client or a server
 * @client: it is for the client, with the variables of the scenario
 * @instance: of the client, from 0
 *
 * Return: the environment, owned by the caller.
 */
char **sandbox_environment(const struct sandbox *sandbox, bool client, uint32_t instance);

/**
 * sandbox_open_stdin() - open what the client reads from stdin: the scenario's text, or /dev/null
 *
 * Return: a descriptor, owned by the caller, or a negative errno.
 */
int sandbox_open_stdin(const struct sandbox *sandbox);

/**
 * sandbox_tracker_endpoints() - describe the endpoints to the injector
 *
 * Return: an array owned by the caller; its parts are borrowed from the sandbox.
 */
struct tracker_endpoint *sandbox_tracker_endpoints(const struct sandbox *sandbox);

#endif
