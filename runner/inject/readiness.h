/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports readiness to the process that started us: a service manager, a shell script. */
#ifndef SYNFAULT_RUNNER_INJECT_READINESS_H
#define SYNFAULT_RUNNER_INJECT_READINESS_H

#include "common/util.h"

/**
 * readiness_manager() - send a state to the service manager, as sd_notify(3) does
 * @state: such as "READY=1"
 *
 * The variable NOTIFY_SOCKET names its socket. Without it, or if no process listens, nothing
 * happens.
 */
void readiness_manager(const char *state);

/**
 * readiness_fd() - write a line to a descriptor that a script waits for, and close it
 * @fd: negative: do nothing
 */
void readiness_fd(int fd);

#endif
