/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `restart` of both daemons: see docs/protocol.md. */
#ifndef SYNFAULT_RUNNER_SESSION_RESTART_H
#define SYNFAULT_RUNNER_SESSION_RESTART_H

#include "runner/sandbox/supervise.h"
#include "runner/session/control.h"
#include "runner/session/protocol.h"

/**
 * restart_outages() - begin the outages that wait for a command
 * @supervisor: of a scenario that is armed
 * @ret_n_ended: how many connections were ended at once
 *
 * Outages "each" begin one after the other: those of an endpoint's addresses, and those of
 * endpoints, in their order. A further command to an endpoint replaces its turn that is to come.
 *
 * Return: whether there was one; if not, the request has been refused.
 */
bool restart_outages(struct control_request *request, struct supervisor *supervisor,
		     const struct scenario *scenario, const struct restart_arguments *arguments,
		     size_t *ret_n_ended);

#endif
