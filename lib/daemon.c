/* SPDX-License-Identifier: MIT */
/*
 * Starting synfault: see daemon.h.
 *
 * `synfault exec` runs a command that says where the control socket is, and then waits for the end
 * of its input: a socket whose other end this process holds. That is shut down by daemon_end(), or
 * closed by the kernel, after SIGKILL, too. Then the command ends, and with it synfault, as always.
 * All of its processes have the socket as their output, so its end says that all have ended.
 *
 * A shell starts synfault in the background: no child of this process, whose own code may wait for
 * any child, and out of the terminal's reach.
 */
#include "lib/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long synfault may take to start, or to end. */
#define PATIENCE_MS 60000
#define NOT_FOUND   127
/* The shell gives commands in the background no input unless it is redirected from elsewhere. */
#define SHELL_INPUT 3
/* A descriptor from here on is none that the shell has a use for. */
#define FIRST_FD 10

#define SCRIPT                                                                                     \
	"command -v synfault >/dev/null || exit 127\n"                                             \
	"synfault exec --isolation shared -- "                                                     \
	"sh -c 'echo \"$SYNFAULT_CONTROL\"; read -r line' <&3 3<&- &\n"

bool daemon_is_possible(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return secure_getenv("PATH") && syscall(SYS_capget, &header, data) == 0 &&
	       data[0].effective & 1U << CAP_NET_ADMIN;
}

/*
 * Closes all but the first ones. synfault would keep open what this process closes: ports would
 * still take connections, and connections would not end.
 */
static void close_others(posix_spawn_file_actions_t *actions)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		long fd = strtol(entry->d_name, NULL, 10);

		if (fd > SHELL_INPUT)
			posix_spawn_file_actions_addclose(actions, (int)fd);
	}
	if (directory)
		closedir(directory);
}

static int run_script(int fd)
{
	char shell[] = "sh", option[] = "-c", script[] = SCRIPT;
	char *const command[] = {shell, option, script, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r, status = 0;
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, SHELL_INPUT);
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	close_others(&actions);
	r = posix_spawnp(&pid, command[0], &actions, &attributes, command, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (r != 0)
		return -r;
	/* If other code of this process has taken the status, there is no path to read. */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND ? -ENOENT : 0;
}

/* Returns the length; 0 at the end; or a negative errno. */
static ssize_t read_some(int fd, char *data, size_t size)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	ssize_t n;

	do {
		n = poll(&poller, 1, PATIENCE_MS);
		if (n > 0)
			n = recv(fd, data, size, 0);
		else if (n == 0)
			return -ETIMEDOUT;
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Reads the first line. */
static int read_path(int fd, char *path, size_t size)
{
	for (size_t length = 0; length < size; length++) {
		ssize_t n = read_some(fd, path + length, 1);

		if (n <= 0)
			return n < 0 ? (int)n : -ECHILD;
		if (path[length] == '\n') {
			path[length] = '\0';
			return 0;
		}
	}
	return -ENAMETOOLONG;
}

int daemon_start(char *path, size_t size)
{
	int pair[2], far, r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	far = fcntl(pair[1], F_DUPFD_CLOEXEC, FIRST_FD);
	r = far < 0 ? -errno : run_script(far);
	close(pair[1]);
	if (far >= 0)
		close(far);
	if (r == 0)
		r = read_path(pair[0], path, size);
	if (r == 0)
		return pair[0];
	daemon_end(pair[0]);
	return r;
}

void daemon_end(int fd)
{
	char rest[256];

	shutdown(fd, SHUT_WR);
	while (read_some(fd, rest, sizeof(rest)) > 0)
		;
	close(fd);
}
