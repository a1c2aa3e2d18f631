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
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/stale_cleanup.h"

struct guard {
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
NORETURN static void be_session(const struct guard *guard, int fd)
{
	struct daemon_config config = guard->config->session;
	enum exit_status status;

	setsid();
	sigprocmask(SIG_SETMASK, &guard->old_mask, NULL);
	signal(SIGHUP, SIG_IGN);
	close(guard->signal_fd);
	if (guard->ready_fd >= 0)
		close(guard->ready_fd);
	config.watchdog_fd = fd;
	status = daemon_run(&config);
	fflush(config.out);
	fflush(config.err);
	/* Output that could not be written is an error. */
	if (status == STATUS_PASSED && ferror(config.out))
		status = STATUS_UNJUDGED;
	/* If the watchdog is dead, no other process cleans up. */
	if (getppid() == 1 || send(fd, "", 0, MSG_NOSIGNAL) < 0) {
		(void)unlink(config.control);
		netns_tables_leave(config.isolation->space);
	}
	_exit((int)status);
}

static void on_signal(struct guard *guard)
{
	const char order = DAEMON_STOP;
	struct signalfd_siginfo info;

	while (read(guard->signal_fd, &info, sizeof(info)) > 0) {
		if (guard->n_signals++ == 0) {
			readiness_manager("STOPPING=1");
			(void)!send(guard->session_fd, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		} else {
			/* The second signal kills it. */
			syscall(SYS_pidfd_send_signal, guard->pidfd, SIGKILL, NULL, 0);
		}
	}
}

static void on_session(struct guard *guard)
{
	char messages[16];
	ssize_t length = recv(guard->session_fd, messages, sizeof(messages), MSG_DONTWAIT);

	if (length > 0 && memchr(messages, DAEMON_ARMED, (size_t)length)) {
		readiness_manager("READY=1");
		readiness_fd(steal_fd(&guard->ready_fd));
	}
}

/* Watches the daemon until it has ended. */
static int watch(struct guard *guard)
{
	int wait_status = 0;

	for (;;) {
		struct pollfd fds[] = {
			{.fd = guard->pidfd, .events = POLLIN},
			{.fd = guard->signal_fd, .events = POLLIN},
			{.fd = guard->session_fd, .events = POLLIN},
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[2].revents & POLLIN)
			on_session(guard);
		if (fds[1].revents & POLLIN)
			on_signal(guard);
		if (fds[0].revents & POLLIN)
			break;
		/* It has closed the socket but still runs: now only its end matters. */
		if ((fds[2].revents & POLLHUP) && !(fds[0].revents & POLLIN))
			usleep(1000);
	}
	while (waitpid(guard->session, &wait_status, 0) < 0 && errno == EINTR)
		;
	return wait_status;
}

static enum exit_status conclude(const struct guard *guard, int wait_status)
{
	FILE *err = guard->config->session.err;

	if (WIFEXITED(wait_status))
		return (enum exit_status)WEXITSTATUS(wait_status);
	/* It was killed and could not clean up. */
	stale_cleanup_shared();
	if (guard->n_signals > 1) {
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
	struct guard guard = {.config = config, .ready_fd = config->ready_fd};
	int pair[2], wait_status;
	enum exit_status status;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		fprintf(config->session.err, "synfault inject: can't make a socket: %s\n",
			strerror(errno));
		return STATUS_UNJUDGED;
	}
	guard.signal_fd = open_signals(&guard.old_mask);
	guard.session_fd = pair[0];
	fflush(NULL);
	guard.session = shared_sandbox_fork(&guard.pidfd);
	if (guard.session == 0) {
		close(pair[0]);
		be_session(&guard, pair[1]);
	}
	close(pair[1]);
	if (guard.session < 0) {
		fprintf(config->session.err, "synfault inject: can't start a process: %s\n",
			strerror((int)-guard.session));
		status = STATUS_UNJUDGED;
	} else {
		/* Only the daemon listens for commands. */
		close(config->session.control_fd);
		wait_status = watch(&guard);
		status = conclude(&guard, wait_status);
		close(guard.pidfd);
	}
	if (guard.n_signals == 0)
		readiness_manager("STOPPING=1");
	if (guard.ready_fd >= 0)
		close(guard.ready_fd);
	close(guard.session_fd);
	close(guard.signal_fd);
	(void)unlink(config->session.control);
	return status;
}
