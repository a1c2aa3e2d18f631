/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a program in a cell: the client, or a server. */
#ifndef SYNFAULT_RUNNER_CELL_PROCESS_H
#define SYNFAULT_RUNNER_CELL_PROCESS_H

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
	uid_t uid; /* ids that it is to have, of the user who started synfault; 0: root */
	gid_t gid;
};

/*
 * Starts the program in a session of its own, with no descriptor but 0-2, default signal handling,
 * and none of the capabilities with which it could undo the faults or leave the cell (network and
 * system administration, raw packets, tracing, modules …), also when it runs as root.
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

/* The environment of the calling process with @additions ("NAME=value") put over it; free it with
 * strv_free(). */
char **environment_with(char *const *additions, size_t n_additions);

#endif
