/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory and how many processes our control groups still allow. In a container that is
 * less than the machine has. A client that can't fork, or is swapped out, would be blamed for what
 * isn't its fault.
 *
 * Reads both versions of control groups: the group that /proc/self/cgroup names, and all above it
 * that are visible. A container engine may show the container its own group as the top.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_LIMITS_H
#define SYNFAULT_RUNNER_SCHEDULE_LIMITS_H

#include <sys/resource.h>

#include "common/util.h"

struct limits {
	int64_t memory;    /* bytes; INT64_MAX: no limit is known */
	int64_t processes; /* INT64_MAX: no limit is known */
};

/**
 * limits_read() - read the limits
 * @membership: /proc/self/cgroup
 * @top: where the groups are mounted, /sys/fs/cgroup
 *
 * What can't be read counts as no limit.
 */
void limits_read(const char *membership, const char *top, struct limits *ret);

/** limits_default_jobs() - return how many scenarios fit: 256, or less if resources are scarce */
size_t limits_default_jobs(void);

/**
 * limits_raise_files() - raise our limit, to have descriptors for many supervisors
 * @ret_old: gets the old limit, which sandboxes get back
 */
void limits_raise_files(struct rlimit *ret_old);

/**
 * limits_keep_heap_tidy() - let the heap join freed pieces at once
 *
 * glibc keeps small freed pieces as they are until a large one is asked for, and joins them then. A
 * supervisor, which shares the heap by copy-on-write, would copy all their pages for that: half of
 * its page faults.
 */
void limits_keep_heap_tidy(void);

#endif
