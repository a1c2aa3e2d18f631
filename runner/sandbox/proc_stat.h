/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent and the session of a process, from /proc/PID/stat: unlike /proc/PID/task/TID/children
 * every kernel has it.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_PROC_STAT_H
#define SYNFAULT_RUNNER_SANDBOX_PROC_STAT_H

#include <sys/types.h>

#include "common/util.h"

struct proc_stat {
	pid_t pid;
	pid_t parent;  /* 0: none in this /proc, as for its first process */
	pid_t session; /* 0: none in this /proc */
};

/**
 * proc_stat_read() - read the stat file of a process
 * @proc: a descriptor of /proc
 * @name: a name in it
 *
 * Return: false if no process has that name, or it has ended.
 */
bool proc_stat_read(int proc, const char *name, struct proc_stat *ret);

#endif
