/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process belongs to which, as /proc/PID/stat has it: unlike /proc/PID/task/TID/children it
 * is in every kernel.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_PROC_STAT_H
#define SYNFAULT_RUNNER_SANDBOX_PROC_STAT_H

#include <sys/types.h>

#include "common/util.h"

struct proc_stat {
	pid_t pid;
	pid_t parent;  /* 0: none that /proc counts, as of its first process */
	pid_t session; /* 0: none that /proc counts */
};

/*
 * @proc: a descriptor of /proc; @name: what is in it. False when that is no process, or none any
 * more.
 */
bool proc_stat_read(int proc, const char *name, struct proc_stat *ret);

#endif
