/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of `synfault inject` that the user sees. A child does the work (daemon.h): if one of
 * the two is killed, the other cleans up. Rules whose queue has no reader would make a server
 * unreachable.
 */
#ifndef SYNFAULT_RUNNER_INJECT_WATCHDOG_H
#define SYNFAULT_RUNNER_INJECT_WATCHDOG_H

#include "runner/inject/daemon.h"

struct watchdog_config {
	struct daemon_config session; /* without watchdog_fd */
	int ready_fd;                 /* for readiness_fd() when armed; -1: none */
};

/**
 * watchdog_run() - start the daemon, forward signals to it, report readiness, clean up after it
 *
 * Return: the daemon's exit status.
 */
enum exit_status watchdog_run(const struct watchdog_config *config);

#endif
