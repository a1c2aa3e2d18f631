/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes sure that a record shows the sysctls that were in force. In a private sandbox no program
 * can change them; in a shared one a change is found at the end.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SYSCTL_GUARD_H
#define SYNFAULT_RUNNER_SANDBOX_SYSCTL_GUARD_H

#include "runner/record/record.h"
#include "runner/sandbox/sysctl.h"

struct sysctl_guard {
	struct sysctls before; /* empty if they can't change */
};

/**
 * sysctl_guard_begin() - begin to guard
 * @private: the mount namespace is the sandbox's own
 */
void sysctl_guard_begin(struct sysctl_guard *guard, bool private);

/** sysctl_guard_end() - add a problem to the record if a sysctl has changed, and end */
void sysctl_guard_end(struct sysctl_guard *guard, struct record *record);

#endif
