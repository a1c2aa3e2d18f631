/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports readiness to the process that started us: a service manager, a shell script. */
#ifndef SYNFAULT_RUNNER_INJECT_READINESS_H
#define SYNFAULT_RUNNER_INJECT_READINESS_H

#include "common/util.h"

/*
 * Sends @state ("READY=1") to the socket that $NOTIFY_SOCKET names, as sd_notify(3) does. Without
 * that variable, or when no process listens, nothing happens.
 */
void readiness_manager(const char *state);

/* Writes a line to a descriptor that a script waits for, and closes it. Negative: does nothing. */
void readiness_fd(int fd);

#endif
