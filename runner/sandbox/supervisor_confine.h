/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confines the supervisor: it parses packets and netlink messages that the client causes, and must
 * not be worth hijacking.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_CONFINE_H
#define SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_CONFINE_H

#include "common/util.h"

/**
 * supervisor_confine() - give up what is not needed once the last program has been started
 * @shared: the sandbox is shared, so the supervisor removes the client's directory at the end
 *
 * What a kernel does not offer is left as it is: a scenario's outcome does not depend on this.
 */
void supervisor_confine(bool shared);

#endif
