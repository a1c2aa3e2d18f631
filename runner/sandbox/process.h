/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a program in a sandbox: the client, or a server. */
#ifndef SYNFAULT_RUNNER_SANDBOX_PROCESS_H
#define SYNFAULT_RUNNER_SANDBOX_PROCESS_H

#include <sys/resource.h>
#include <sys/types.h>

#include "common/util.h"

struct process_config {
	char *const *command;     /* argv; command[0] is looked up in the PATH of @environment */
	char *const *environment; /* the whole of it */
	const char *cwd;          /* NULL: the calling process's */
	int stdin_fd;             /* borrowed */
	int stdout_fd, stderr_fd; /* borrowed */
	const struct rlimit *n_files; /* RLIMIT_NOFILE to set; NULL: unchanged */
	/*
	 * Ids of the user who started synfault; the program keeps them in a user namespace of its
	 * own. 0: no such namespace, and the ids of the calling process.
	 */
	uid_t uid;
	gid_t gid;
	bool dies_with_us; /* killed when we end; a pid namespace does that on its own */
	/*
	 * Puts the child on the client's clock, before it has other rights than we; returns 0 or a
	 * negative errno. It runs in our memory, as all of the child does. NULL: real time.
	 */
	int (*join)(const void *clock);
	const void *clock;
};

/**
 * process_spawn() - start a program in a session of its own
 * @ret_message: on failure one sentence that says what could not be done; the caller's
 *
 * The program has descriptors 0 to 2 only, default signal handling, and no capability with which it
 * could undo the faults or leave the sandbox (network and system administration, raw packets,
 * tracing, modules …), even as root. It can't regain them by executing another program: they are
 * dropped from its bounding set. Without CAP_SETPCAP, which that takes, it gets no new privileges
 * at all (PR_SET_NO_NEW_PRIVS).
 *
 * Return: its pid once the program has really been executed, or a negative errno.
 */
pid_t process_spawn(const struct process_config *config, char **ret_message);

/** process_wait() - wait for a child and reap it; return its status as waitpid() does, 0 if none */
int process_wait(pid_t pid);

/**
 * process_run_delay_ns() - return how long the first thread of a process was ready but did not run
 * @pid: 0: the calling process
 *
 * Return: nanoseconds, or -1 if the kernel doesn't say.
 */
int64_t process_run_delay_ns(pid_t pid);

/**
 * process_proc_is_ours() - return whether /proc is of our own pid namespace
 *
 * It is not where the sandbox could not mount a /proc of its own.
 */
bool process_proc_is_ours(void);

/**
 * environment_with() - copy the calling process's environment and add to it
 * @additions: "NAME=value"; each replaces a variable of that name
 *
 * Return: the environment; free it with strv_free().
 */
char **environment_with(char *const *additions, size_t n_additions);

#endif
