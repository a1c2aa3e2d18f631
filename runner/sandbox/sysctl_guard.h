/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes sure that a record shows the sysctls that were in force. In a private sandbox no program
 * can change them; in a shared one a change is found at the end.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SYSCTL_GUARD_H
#define SYNFAULT_RUNNER_SANDBOX_SYSCTL_GUARD_H

#include "runner/record/record.h"

/* Stands for a sysctl: there is a guard for each of many sessions at once. */
struct sysctl_hash {
	uint64_t name, value;
};

struct sysctl_guard {
	struct sysctl_hash *before; /* none if they can't change */
	size_t n_before, capacity;
};

/**
 * sysctl_guard_begin() - begin to guard
 * @private: the mount namespace is the sandbox's own
 */
void sysctl_guard_begin(struct sysctl_guard *guard, bool private);

/** sysctl_guard_end() - add a problem to the record if a sysctl has changed, and end */
void sysctl_guard_end(struct sysctl_guard *guard, struct record *record);

#endif
