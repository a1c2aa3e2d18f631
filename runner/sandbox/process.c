/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a program in a sandbox: see process.h. */
#include "runner/sandbox/process.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runner/sandbox/namespace.h"

/* What a child reports through the pipe if it could not execute its program. */
struct spawn_error {
	int error;
	enum spawn_stage {
		STAGE_DESCRIPTORS,
		STAGE_CWD,
		STAGE_CLOCK,
		STAGE_CAPABILITIES,
		STAGE_EXEC,
	} stage;
};

static int drop_capabilities(void)
{
	capng_type_t sets = (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE);
	capng_select_t selection = CAPNG_SELECT_CAPS;

	/* libcap-ng caches the process it looked at, and after vfork() we share its memory. */
	capng_setpid(getpid());
	if (capng_get_caps_process() < 0)
		return -EPERM;
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
		sets = (capng_type_t)(sets | CAPNG_BOUNDING_SET | CAPNG_AMBIENT);
		selection = CAPNG_SELECT_ALL;
	} else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		/*
		 * Without this, root would regain the bounding set with every exec
		 * (security/commoncap.c, cap_bprm_creds_from_file). The ambient set follows the
		 * permitted set on its own.
		 */
		return -errno;
	}
	/* Rules and addresses; namespaces and mounts; packets that bypass the rules; other
	 * processes. */
	if (capng_updatev(CAPNG_DROP, sets, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_NET_RAW,
			  CAP_SYS_PTRACE, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_BOOT, CAP_SYS_TIME,
			  CAP_BPF, CAP_PERFMON, CAP_MAC_ADMIN, -1) < 0)
		return -EPERM;
	return capng_apply(selection) < 0 ? -EPERM : 0;
}

static int become_harmless(const struct process_config *config)
{
	int status = config->uid != 0 ? namespace_enter_inner(config->uid, config->gid) : 0;

	return status < 0 ? status : drop_capabilities();
}

/* Call it after all changes of privileges: each of them resets it (kernel/cred.c, commit_creds). */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent has died before the signal was set. */
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Makes the given descriptors 0 to 2 and keeps only the error pipe in addition. */
static int arrange_descriptors(const struct process_config *config, int *error_fd)
{
	int wanted[] = {config->stdin_fd, config->stdout_fd, config->stderr_fd};

	/* First move them above 2, so that none overwrites another. */
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		wanted[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 10);
		if (wanted[i] < 0)
			return -errno;
	}
	*error_fd = fcntl(*error_fd, F_DUPFD_CLOEXEC, 10);
	if (*error_fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (dup2(wanted[i], (int)i) < 0)
			return -errno;
	/* Our own descriptors are close-on-exec; this closes those that we inherited. */
	syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	return 0;
}

/*
 * Runs in the parent's memory (see process_spawn()), so it may change nothing but its own stack.
 */
NORETURN static void run_child(const struct process_config *config, pid_t parent, int error_fd)
{
	struct spawn_error report = {.stage = STAGE_DESCRIPTORS};

	setsid();
	reset_signals();
	report.error = -arrange_descriptors(config, &error_fd);
	if (!report.error && config->cwd) {
		report.stage = STAGE_CWD;
		report.error = chdir(config->cwd) < 0 ? errno : 0;
	}
	if (!report.error && config->join) {
		report.stage = STAGE_CLOCK;
		report.error = -config->join(config->clock);
	}
	if (!report.error) {
		if (config->n_files)
			setrlimit(RLIMIT_NOFILE, config->n_files);
		report.stage = STAGE_CAPABILITIES;
		report.error = -become_harmless(config);
	}
	if (config->dies_with_us)
		die_with(parent);
	if (!report.error) {
		report.stage = STAGE_EXEC;
		execvp(config->command[0], config->command);
		report.error = errno;
	}
	if (write(error_fd, &report, sizeof(report)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * Returns whether PATH has such a file; execvp() also says EACCES for a directory that it can't
 * enter.
 */
static bool is_in_path(const char *program, char *const *environment)
{
	AUTO_FREE char *path = NULL;
	char *rest;

	for (; *environment && strncmp(*environment, "PATH=", 5) != 0; environment++)
		;
	if (!*environment)
		return false;
	rest = path = xstrdup(*environment + 5);
	for (char *directory; (directory = strsep(&rest, ":"));) {
		AUTO_FREE char *file = xasprintf("%s/%s", *directory ? directory : ".", program);

		if (access(file, F_OK) == 0)
			return true;
	}
	return false;
}

/* Names the directory in which a relative path was looked up: the usual mistake is to expect
 * another. */
static char *explain_missing(const char *program, const char *cwd)
{
	AUTO_FREE char *current = cwd ? NULL : getcwd(NULL, 0);

	if (program[0] == '/')
		return xasprintf("%s: no such file (or its interpreter is missing)", program);
	return xasprintf("%s: no such file (or its interpreter is missing) in the directory %s; "
			 "\"cwd\" names another one, relative to the scenario file",
			 program,
			 cwd       ? cwd
			 : current ? current
				   : ".");
}

static char *explain(const struct process_config *config, const struct spawn_error *error)
{
	const char *program = config->command[0];

	switch (error->stage) {
	case STAGE_CWD:
		return xasprintf("can't change to the directory %s: %s", config->cwd,
				 strerror(error->error));
	case STAGE_EXEC:
		if ((error->error == ENOENT || error->error == EACCES) && !strchr(program, '/') &&
		    !is_in_path(program, config->environment))
			return xasprintf("%s: not found in PATH", program);
		if (error->error == ENOENT)
			return explain_missing(program, config->cwd);
		if (error->error == EACCES)
			return xasprintf("%s: not executable (permission denied)", program);
		return xasprintf("%s: %s", program, strerror(error->error));
	case STAGE_CLOCK:
		return xasprintf("%s can't be put on the client's clock: %s", program,
				 strerror(error->error));
	case STAGE_DESCRIPTORS:
	case STAGE_CAPABILITIES:
	default:
		return xasprintf("%s can't be started safely: %s", program, strerror(error->error));
	}
}

pid_t process_spawn(const struct process_config *config, char **ret_message)
{
	char **own_environment = environ;
	struct spawn_error error;
	int pipe_fds[2], dumpable = prctl(PR_GET_DUMPABLE);
	ssize_t length;
	pid_t self = getpid(), pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		*ret_message = xasprintf("can't make a pipe: %s", strerror(errno));
		return -errno;
	}
	/* execvp() searches the PATH of environ, and that has to be the program's own. */
	environ = (char **)(uintptr_t)config->environment;
	/*
	 * The child uses our memory, and we wait until it has executed the program. A copy of the
	 * memory would take longer than all the rest, only to be thrown away.
	 */
	pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (pid == 0)
		run_child(config, self, pipe_fds[1]);
	environ = own_environment;
	/*
	 * The child's change of credentials cleared this flag of the memory that we share. Without
	 * it, /proc/self would belong to root.
	 */
	prctl(PR_SET_DUMPABLE, dumpable);
	close(pipe_fds[1]);
	if (pid < 0) {
		close(pipe_fds[0]);
		*ret_message = xasprintf("no process can be made for %s: %s", config->command[0],
					 strerror(errno));
		return -errno;
	}
	/* A successful exec closes the pipe: then there is nothing to read. */
	do {
		length = read(pipe_fds[0], &error, sizeof(error));
	} while (length < 0 && errno == EINTR);
	close(pipe_fds[0]);
	if (length == 0)
		return pid;
	if (length != (ssize_t)sizeof(error))
		error = (struct spawn_error){.error = EIO, .stage = STAGE_EXEC};
	*ret_message = explain(config, &error);
	return -error.error;
}

bool process_proc_is_ours(void)
{
	char target[16];
	ssize_t length = readlink("/proc/self", target, sizeof(target) - 1);

	if (length <= 0)
		return false;
	target[length] = '\0';
	return atoi(target) == getpid();
}

int process_wait(pid_t pid)
{
	int wait_status = 0;

	while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	return wait_status;
}

int64_t process_run_delay_ns(pid_t pid)
{
	char path[64], text[128];
	long long on_cpu, waited;
	ssize_t length;
	AUTO_CLOSE int fd = -1;

	if (pid != 0 && !process_proc_is_ours())
		return -1;
	if (pid != 0)
		snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/schedstat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (length <= 0)
		return -1;
	text[length] = '\0';
	return sscanf(text, "%lld %lld", &on_cpu, &waited) == 2 ? waited : -1;
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

char **environment_with(char *const *additions, size_t n_additions)
{
	size_t n = 0, n_inherited = strv_length(environ);
	char **merged = xzalloc((n_inherited + n_additions + 1) * sizeof(*merged));

	for (size_t i = 0; i < n_inherited + n_additions; i++) {
		const char *variable = i < n_inherited ? environ[i] : additions[i - n_inherited];
		size_t length = name_length(variable), at = 0;

		while (at < n && (name_length(merged[at]) != length ||
				  memcmp(merged[at], variable, length) != 0))
			at++;
		if (at == n)
			n++;
		free(merged[at]);
		merged[at] = xstrdup(variable);
	}
	return merged;
}
