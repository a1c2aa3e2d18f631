/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a program in a sandbox: the client, or a server. */
#ifndef SYNFAULT_RUNNER_SANDBOX_PROCESS_H
#define SYNFAULT_RUNNER_SANDBOX_PROCESS_H

#include <sys/resource.h>
#include <sys/types.h>

#include "common/util.h"

struct process_config {
	char *const *command;     /* argv; command[0] is looked up in the PATH of @environment */
	char *const *environment; /* whole */
	const char *cwd;          /* NULL: as it is */
	int stdin_fd;             /* borrowed */
	int stdout_fd, stderr_fd; /* borrowed */
	const struct rlimit *n_files; /* RLIMIT_NOFILE to go back to; NULL: as it is */
	/*
	 * Ids that it is to have in a user namespace of its own, of the user who started synfault;
	 * 0: no such namespace, and the ids of the calling process.
	 */
	uid_t uid;
	gid_t gid;
	bool dies_with_us; /* where no pid namespace does that: killed when we are */
};

/*
 * Starts the program in a session of its own, with no descriptor but 0-2, default signal handling,
 * and none of the capabilities with which it could undo the faults or leave the sandbox (network
 * and system administration, raw packets, tracing, modules …), also when it runs as root. Nor can
 * it get them back by executing something: they leave its bounding set, or where that can't be done
 * (it takes CAP_SETPCAP) it gets no new privileges at all (PR_SET_NO_NEW_PRIVS).
 *
 * Returns its pid once the program has really been executed; a negative errno otherwise, with
 * *@ret_message (owned by the caller): what could not be done, as one sentence.
 */
pid_t process_spawn(const struct process_config *config, char **ret_message);

/*
 * Nanoseconds that a process (0: the calling one) stood ready without a processor, its first thread
 * only; -1 when the kernel doesn't say.
 */
int64_t process_run_delay_ns(pid_t pid);

/* Whether /proc counts processes as we do: not where the sandbox could not mount one of its own. */
bool process_proc_is_ours(void);

/* The environment of the calling process with @additions ("NAME=value") put over it; free it with
 * strv_free(). */
char **environment_with(char *const *additions, size_t n_additions);

#endif
