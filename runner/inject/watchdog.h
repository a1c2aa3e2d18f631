/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that the user sees of `synfault inject`. The work is done by a child (session.h), so
 * that when one of the two is killed, the other clears away: rules that nobody answers to would
 * make a server unreachable.
 */
#ifndef SYNFAULT_RUNNER_INJECT_WATCHDOG_H
#define SYNFAULT_RUNNER_INJECT_WATCHDOG_H

#include "runner/inject/daemon.h"

struct watchdog_config {
	struct daemon_config session; /* all but watchdog_fd */
	int ready_fd;                 /* to be written to when armed (notify.h); -1: none */
};

/*
 * Starts the session, passes signals on to it, tells who waits that it is armed, and clears away
 * when it is gone. Returns its exit status.
 */
enum exit_status watchdog_run(const struct watchdog_config *config);

#endif
