/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `restart` of both daemons: see docs/protocol.md. */
#ifndef SYNFAULT_RUNNER_SESSION_RESTART_H
#define SYNFAULT_RUNNER_SESSION_RESTART_H

#include "runner/sandbox/supervise.h"
#include "runner/session/control.h"
#include "runner/session/protocol.h"

/**
 * restart_outages() - begin the outages that wait for a command, and answer the request
 * @supervisor: of a scenario that is armed
 * @status: makes the reply, to which is added how many connections were ended at once
 * @self: for @status
 *
 * Outages "each" begin one after the other: those of an endpoint's addresses, and those of
 * endpoints, in their order. A further command to an endpoint replaces its turn that is to come.
 */
void restart_outages(struct control_request *request, struct supervisor *supervisor,
		     const struct scenario *scenario, const struct restart_arguments *arguments,
		     json_t *(*status)(const void *self), const void *self);

#endif
