/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that the user sees of `synfault inject`. The work is done by a child (session.h), so
 * that when one of the two is killed, the other clears away: rules that nobody answers to would
 * make a server unreachable.
 */
#ifndef SYNFAULT_RUNNER_INJECT_GUARD_H
#define SYNFAULT_RUNNER_INJECT_GUARD_H

#include "runner/inject/session.h"

struct guard_config {
	struct session_config session; /* all but guard_fd */
	int ready_fd;                  /* to be written to when armed (notify.h); -1: none */
};

/*
 * Starts the session, passes signals on to it, tells who waits that it is armed, and clears away
 * when it is gone. Returns its exit status.
 */
enum exit_status guard_run(const struct guard_config *config);

#endif
