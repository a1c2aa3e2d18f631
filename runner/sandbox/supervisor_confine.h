/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confines the processes that parse packets, netlink messages and requests that a client causes:
 * they must not be worth hijacking.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_CONFINE_H
#define SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_CONFINE_H

#include "common/util.h"

/* A process that confines itself, and once what is done. */
enum supervisor_role {
	ROLE_PRIVATE,        /* supervisor; its last program has been started */
	ROLE_SHARED,         /* the same, in a shared sandbox */
	ROLE_SESSION,        /* a session of `exec`; its servers listen and its faults are armed */
	ROLE_INJECT,         /* the daemon of `inject`; armed, with no server command to start */
	ROLE_INJECT_REPORTS, /* the same, and it will write reports */
	ROLE_INJECT_SERVERS, /* the daemon of `inject`; armed, but may start server commands */
	ROLE_HOST,           /* of the sessions of `exec`; its namespaces have been made */
	ROLE_N_ROLES,
};

/**
 * supervisor_confine() - give up what the role needs no more
 *
 * What a kernel does not offer is left as it is: a scenario's outcome does not depend on this.
 */
void supervisor_confine(enum supervisor_role role);

#endif
