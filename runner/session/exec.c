/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a command with sessions: see exec.h.
 *
 * Theory of operation
 * -------------------
 * Two processes: the outer one waits, and passes signals on. The inner one is the first process of
 * the private namespaces, or works in the given ones. It arms the sessions of the command line,
 * starts the command, serves the control socket, and judges. If one of the two is killed,
 * the other one, or the kernel, ends the rest.
 */
#include "runner/session/exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "runner/sandbox/descendants.h"
#include "runner/sandbox/mounts.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/sandbox.h"
#include "runner/sandbox/stale_cleanup.h"
#include "runner/sandbox/supervisor_confine.h"
#include "runner/schedule/limits.h"
#include "runner/session/control_socket.h"
#include "runner/session/session_host.h"

/* How long sessions may take to end. */
#define ENDING_NS (15 * NS_PER_S)
/* How long to wait for another sandbox's end if no network namespace is left. */
#define ROOM_PATIENCE_NS (10 * NS_PER_S)

struct inner {
	const struct exec_config *config;
	struct isolation isolation; /* shared */
	uid_t uid;                  /* of the command, in a user namespace of its own; 0: none */
	gid_t gid;
	bool private;
	int outer_fd; /* gets the numbers of signals; its end means that the outer process is dead
		       */
	struct rlimit n_files; /* before we raised it */
	struct event_base *base;
	struct session_host *host;
	struct run_results results;
	struct event *children, *outer, *deadline;
	pid_t command; /* 0: it does not run */
	int status;    /* of the command: becomes the exit status */
	bool started, ending;
	size_t n_failed, n_unjudged; /* results that no client checked */
};

/* ---- the inner process ---- */

static void finish(struct inner *self)
{
	const struct timeval patience = {.tv_sec = ENDING_NS / NS_PER_S};

	if (!self->ending) {
		self->ending = true;
		session_host_close_all(self->host);
		event_add(self->deadline, &patience);
	}
	if (session_host_n_open(self->host) == 0)
		event_base_loopbreak(self->base);
}

static void start_command(struct inner *self)
{
	const struct exec_config *config = self->config;
	AUTO_STRV char **variables = session_host_variables(self->host);
	const size_t n = strv_length(variables);
	AUTO_STRV char **environment = NULL;
	AUTO_FREE char *message = NULL;
	struct process_config process = {
		.command = config->command,
		.stdin_fd = STDIN_FILENO,
		.stdout_fd = STDOUT_FILENO,
		.stderr_fd = STDERR_FILENO,
		.uid = self->uid,
		.gid = self->gid,
		.dies_with_us = !self->private,
		.n_files = &self->n_files,
	};
	pid_t pid;

	self->started = true;
	variables = xrealloc(variables, (n + 2) * sizeof(*variables));
	variables[n] = xasprintf("SYNFAULT_CONTROL=%s", config->control);
	variables[n + 1] = NULL;
	environment = environment_with(variables, n + 1);
	process.environment = environment;
	pid = process_spawn(&process, &message);
	if (pid > 0) {
		self->command = pid;
		return;
	}
	fprintf(config->err, "synfault exec: the command can't be started: %s\n", message);
	self->status = pid == -ENOENT ? EXEC_NOT_FOUND : EXEC_NOT_EXECUTABLE;
	finish(self);
}

static void on_change(void *userdata)
{
	struct inner *self = userdata;

	if (self->ending)
		finish(self);
	else if (!self->started && session_host_n_starting(self->host) == 0)
		start_command(self);
}

static void on_result(void *userdata, const struct result *result, bool checked)
{
	struct inner *self = userdata;
	enum outcome outcome = result_outcome(result);

	/* Without the faults that the command line asks for, the command would prove nothing. */
	if (!self->started && !self->ending) {
		self->status = EXEC_FAILED;
		finish(self);
	}
	self->n_failed += !checked && outcome == OUTCOME_FAIL;
	self->n_unjudged += !checked && outcome == OUTCOME_ERROR;
	self->config->on_result(self->config->userdata, result, checked);
}

static void on_children(evutil_socket_t fd, short what, void *userdata)
{
	struct inner *self = userdata;
	struct signalfd_siginfo notice;
	siginfo_t dead = {0};
	int wait_status;
	pid_t pid;

	(void)!read(fd, &notice, sizeof(notice));
	while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid != 0) {
		session_host_look_at_dead(self->host, dead.si_pid);
		pid = waitpid(dead.si_pid, &wait_status, WNOHANG);
		dead = (siginfo_t){0};
		if (pid <= 0)
			continue;
		if (pid != self->command) {
			session_host_take_dead(self->host, pid, wait_status);
			continue;
		}
		self->command = 0;
		self->status = WIFSIGNALED(wait_status) ? EXEC_SIGNAL + WTERMSIG(wait_status)
							: WEXITSTATUS(wait_status);
		finish(self);
	}
}

static void on_outer_message(evutil_socket_t fd, short what, void *userdata)
{
	struct inner *self = userdata;
	char number;
	ssize_t length = recv(fd, &number, 1, MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		event_del(self->outer);
		number = SIGKILL;
	}
	/* It leads a session and a process group of its own. */
	if (self->command)
		kill(-self->command, number);
	else
		finish(self);
}

static void on_deadline(evutil_socket_t fd, short what, void *userdata)
{
	session_host_kill_all(((struct inner *)userdata)->host);
}

static void report(const struct inner *self, const char *what, const struct diag_list *diags)
{
	fprintf(self->config->err, "synfault exec: %s%s%s%s%s\n", what, diags->n_items ? ": " : "",
		diags->n_items ? diags->items[0].message : "",
		diags->n_items && diags->items[0].hint ? "; " : "",
		diags->n_items && diags->items[0].hint ? diags->items[0].hint : "");
}

/* Makes the private namespaces. @settings: the machine's sysctls. */
static bool enter_private(struct inner *self, const struct sysctls *settings)
{
	const struct scenario empty = {0};
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *message = NULL;
	int status = namespace_enter(ROOM_PATIENCE_NS);

	if (status < 0) {
		diag_add(&diags, NULL, "%s", strerror(-status));
		report(self, "can't make a network namespace", &diags);
		return false;
	}
	if (sandbox_build_private(&empty, settings, &diags) < 0) {
		report(self, "can't set up the sandbox", &diags);
		return false;
	}
	/* Directories of sessions vanish with the namespace. */
	setenv("TMPDIR", MOUNTS_TMP, 1);
	if (isolation_probe(ISOLATION_SHARED, &self->isolation, &message) == 0)
		return true;
	fprintf(self->config->err, "synfault exec: %s\n", message);
	return false;
}

static void open_sessions(struct inner *self)
{
	const struct exec_config *config = self->config;

	for (size_t i = 0; i < config->n_scenarios; i++) {
		AUTO_FREE char *message = NULL;

		if (session_host_open(self->host, config->file, config->scenarios[i], &message) ==
		    0)
			continue;
		fprintf(config->err, "synfault exec: \"%s\" can't run here: %s\n",
			config->scenarios[i]->name, message);
		self->status = EXEC_FAILED;
		finish(self);
		return;
	}
	on_change(self);
}

static int loop(struct inner *self)
{
	struct session_host_config host = {
		.control_fd = self->config->control_fd,
		.tcp_fd = self->config->tcp_fd,
		.token = self->config->token,
		.isolation = &self->isolation,
		.own_pids = self->private,
		.n_files = &self->n_files,
		.seed = self->config->seed,
		.judge = self->config->judge,
		.capture = self->config->capture,
		.results = &self->results,
		.on_result = on_result,
		.on_change = on_change,
		.userdata = self,
	};
	int64_t started_ns = clock_monotonic_ns();
	bool written;
	sigset_t set;

	limits_raise_files(&self->n_files);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
	self->base = host.base = ALLOCATED(event_base_new());
	self->children = event_loop_readable(
		self->base, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_children, self);
	self->outer = event_loop_readable(self->base, self->outer_fd, on_outer_message, self);
	self->deadline = evtimer_new(self->base, on_deadline, self);
	self->results.seed = self->config->seed;
	self->results.started_realtime_ns = clock_realtime_ns();
	self->host = session_host_new(&host);
	open_sessions(self);
	if (!self->ending || session_host_n_open(self->host) > 0)
		event_base_dispatch(self->base);
	self->results.duration_ns = clock_monotonic_ns() - started_ns;
	descendants_end();
	written = self->config->on_end(self->config->userdata, &self->results);
	if (self->status != 0)
		return self->status;
	if (self->n_failed > 0)
		return STATUS_FAILED;
	return self->n_unjudged > 0 || !written ? EXEC_FAILED : 0;
}

NORETURN static void run_inner(struct inner *self, const struct sysctls *settings)
{
	int status = EXEC_FAILED;

	/* The outer process passes the terminal's signals on. */
	setsid();
	signal(SIGPIPE, SIG_IGN);
	if (!self->private || enter_private(self, settings)) {
		supervisor_confine(ROLE_HOST);
		status = loop(self);
	}
	fflush(NULL);
	/* If the outer process is dead, no other process cleans up. */
	if (!self->private && send(self->outer_fd, "", 0, MSG_NOSIGNAL) < 0) {
		close(self->config->control_fd);
		control_socket_remove(self->config->control);
		netns_tables_leave(self->isolation.space);
	}
	_exit(status);
}

/* ---- the outer process ---- */

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Waits until the inner process has ended. */
static int watch(pid_t pid, int pidfd, int inner_fd)
{
	struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
			       {.fd = open_signals(), .events = POLLIN}};
	struct signalfd_siginfo info;

	while (!(fds[0].revents & POLLIN)) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		while (read(fds[1].fd, &info, sizeof(info)) > 0) {
			const char number = (char)info.ssi_signo;

			(void)!send(inner_fd, &number, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		}
	}
	close(fds[1].fd);
	return process_wait(pid);
}

static int conclude(const struct exec_config *config, bool private, int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	if (!private) {
		/* What it left is ours now. */
		descendants_end();
		stale_cleanup_shared();
	}
	fprintf(config->err,
		"synfault exec: the process that injects was killed by signal %d (%s); nothing was "
		"judged\n",
		WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	return EXEC_FAILED;
}

int exec_run(const struct exec_config *config)
{
	AUTO_FREE char *message = NULL;
	struct inner inner = {.config = config, .uid = geteuid(), .gid = getegid()};
	struct isolation isolation;
	int pair[2], pidfd = -1, status = EXEC_FAILED;
	pid_t pid;

	if (isolation_probe(config->isolation, &isolation, &message) < 0) {
		fprintf(config->err, "synfault exec: %s\n", message);
		close(config->control_fd);
		control_socket_remove(config->control);
		return EXEC_FAILED;
	}
	inner.private = isolation.mode == ISOLATION_PRIVATE;
	if (!inner.private)
		inner.uid = inner.gid = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		out_of_memory();
	fflush(NULL);
	if (!inner.private)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = inner.private ? namespace_fork(&pidfd) : shared_sandbox_fork(&pidfd);
	if (pid == 0) {
		close(pair[0]);
		inner.outer_fd = pair[1];
		inner.isolation = isolation;
		run_inner(&inner, &isolation.settings);
	}
	close(pair[1]);
	/* Only the inner process takes commands. */
	close(config->control_fd);
	if (config->token)
		close(config->tcp_fd);
	if (pid < 0)
		fprintf(config->err, "synfault exec: can't start a process: %s\n", strerror(-pid));
	else
		status = conclude(config, inner.private, watch(pid, pidfd, pair[0]));
	close(pair[0]);
	control_socket_remove(config->control);
	isolation_free(&isolation);
	return status;
}
