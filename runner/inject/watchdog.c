/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process of `synfault inject` that the user sees: see watchdog.h. */
#include "runner/inject/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runner/inject/readiness.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/stale_cleanup.h"
#include "runner/session/control_socket.h"

struct watchdog {
	const struct watchdog_config *config;
	pid_t session;
	int pidfd, session_fd, signal_fd;
	int n_signals; /* how often a signal asked us to stop */
	int ready_fd;
	sigset_t old_mask;
};

/* Opens a signalfd for the signals that ask us to stop. */
static int open_signals(sigset_t *ret_old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, ret_old);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Runs the daemon in the child. It ignores the terminal's signals: the watchdog forwards them. */
NORETURN static void be_session(const struct watchdog *watchdog, int fd)
{
	struct daemon_config config = watchdog->config->session;
	enum exit_status status;

	setsid();
	sigprocmask(SIG_SETMASK, &watchdog->old_mask, NULL);
	signal(SIGHUP, SIG_IGN);
	close(watchdog->signal_fd);
	if (watchdog->ready_fd >= 0)
		close(watchdog->ready_fd);
	config.watchdog_fd = fd;
	status = daemon_run(&config);
	fflush(config.out);
	fflush(config.err);
	/* Output that could not be written is an error. */
	if (status == STATUS_PASSED && ferror(config.out))
		status = STATUS_UNJUDGED;
	/* If the watchdog is dead, no other process cleans up. */
	if (getppid() == 1 || send(fd, "", 0, MSG_NOSIGNAL) < 0) {
		control_socket_remove(config.control);
		netns_tables_leave(config.isolation->space);
	}
	_exit((int)status);
}

static void on_signal(struct watchdog *watchdog)
{
	const char command = DAEMON_STOP;
	struct signalfd_siginfo info;

	while (read(watchdog->signal_fd, &info, sizeof(info)) > 0) {
		if (watchdog->n_signals++ == 0) {
			readiness_manager("STOPPING=1");
			(void)!send(watchdog->session_fd, &command, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		} else {
			/* The second signal kills it. */
			syscall(SYS_pidfd_send_signal, watchdog->pidfd, SIGKILL, NULL, 0);
		}
	}
}

static void on_session(struct watchdog *watchdog)
{
	char messages[16];
	ssize_t length = recv(watchdog->session_fd, messages, sizeof(messages), MSG_DONTWAIT);

	if (length > 0 && memchr(messages, DAEMON_ARMED, (size_t)length)) {
		readiness_manager("READY=1");
		readiness_fd(steal_fd(&watchdog->ready_fd));
	}
}

/* Watches the daemon until it has ended. */
static int watch(struct watchdog *watchdog)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = watchdog->pidfd, .events = POLLIN},
			{.fd = watchdog->signal_fd, .events = POLLIN},
			{.fd = watchdog->session_fd, .events = POLLIN},
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[2].revents & POLLIN)
			on_session(watchdog);
		if (fds[1].revents & POLLIN)
			on_signal(watchdog);
		if (fds[0].revents & POLLIN)
			break;
		/* It has closed the socket but still runs: now only its end matters. */
		if ((fds[2].revents & POLLHUP) && !(fds[0].revents & POLLIN))
			usleep(1000);
	}
	return process_wait(watchdog->session);
}

static enum exit_status conclude(const struct watchdog *watchdog, int wait_status)
{
	FILE *err = watchdog->config->session.err;

	if (WIFEXITED(wait_status))
		return (enum exit_status)WEXITSTATUS(wait_status);
	/* It was killed and could not clean up. */
	stale_cleanup_shared();
	if (watchdog->n_signals > 1) {
		fprintf(err, "synfault inject: interrupted; nothing was judged\n");
		return STATUS_INTERRUPTED;
	}
	fprintf(err,
		"synfault inject: the process that injects was killed by signal %d (%s); nothing "
		"was judged\n",
		WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	return STATUS_UNJUDGED;
}

enum exit_status watchdog_run(const struct watchdog_config *config)
{
	struct watchdog watchdog = {.config = config, .ready_fd = config->ready_fd};
	int pair[2], wait_status;
	enum exit_status status;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		fprintf(config->session.err, "synfault inject: can't make a socket: %s\n",
			strerror(errno));
		close(config->session.control_fd);
		control_socket_remove(config->session.control);
		return STATUS_UNJUDGED;
	}
	watchdog.signal_fd = open_signals(&watchdog.old_mask);
	watchdog.session_fd = pair[0];
	fflush(NULL);
	watchdog.session = shared_sandbox_fork(&watchdog.pidfd);
	if (watchdog.session == 0) {
		close(pair[0]);
		be_session(&watchdog, pair[1]);
	}
	close(pair[1]);
	/* Only the daemon listens for commands. */
	close(config->session.control_fd);
	if (config->session.token)
		close(config->session.tcp_fd);
	if (watchdog.session < 0) {
		fprintf(config->session.err, "synfault inject: can't start a process: %s\n",
			strerror((int)-watchdog.session));
		status = STATUS_UNJUDGED;
	} else {
		wait_status = watch(&watchdog);
		status = conclude(&watchdog, wait_status);
		close(watchdog.pidfd);
	}
	if (watchdog.n_signals == 0)
		readiness_manager("STOPPING=1");
	if (watchdog.ready_fd >= 0)
		close(watchdog.ready_fd);
	close(watchdog.session_fd);
	close(watchdog.signal_fd);
	/* Another daemon may listen there since this one has answered "stop". */
	control_socket_remove(config->session.control);
	return status;
}
