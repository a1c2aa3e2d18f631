/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario requires of the machine: see requirements.h. */
#include "runner/sandbox/requirements.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "common/text.h"

/* An interpreter can need a second to load a library on a busy machine. */
#define COMMAND_TIME_NS (20 * NS_PER_S)
enum { POLL_MS = 2 };

static const char *find_path(char *const *environment)
{
	for (; *environment; environment++)
		if (strncmp(*environment, "PATH=", 5) == 0)
			return *environment + 5;
	return "";
}

static bool is_executable(const char *file)
{
	struct stat status;

	return stat(file, &status) == 0 && S_ISREG(status.st_mode) && access(file, X_OK) == 0;
}

static bool is_there(const char *program, char *const *environment)
{
	AUTO_FREE char *path = xstrdup(find_path(environment));
	char *rest = path;

	if (strchr(program, '/'))
		return is_executable(program);
	for (char *directory; (directory = strsep(&rest, ":"));) {
		AUTO_FREE char *file = xasprintf("%s/%s", *directory ? directory : ".", program);

		if (is_executable(file))
			return true;
	}
	return false;
}

/* Returns the wait status, or -ETIMEDOUT after killing the process. */
static int wait_for(pid_t pid)
{
	int64_t until_ns = clock_monotonic_ns() + COMMAND_TIME_NS;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (clock_monotonic_ns() > until_ns) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -ETIMEDOUT;
		}
		poll(NULL, 0, POLL_MS);
	}
	return status;
}

static char *run(char *const *command, char *const *environment,
		 const struct process_config *process)
{
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct process_config config = *process;
	AUTO_STRBUF struct strbuf text = {0};
	AUTO_FREE char *message = NULL;
	int status;

	config.command = command;
	config.environment = environment;
	config.stdin_fd = config.stdout_fd = config.stderr_fd = null_fd;
	config.cwd = NULL;
	status = process_spawn(&config, &message);
	if (status < 0)
		return xasprintf("the scenario requires a command that can't be run: %s", message);
	status = wait_for(status);
	if (status == 0)
		return NULL;
	for (char *const *word = command; *word; word++) {
		strbuf_puts(&text, word == command ? "" : " ");
		text_quote_shell(&text, *word);
	}
	if (status < 0)
		return xasprintf("the scenario requires that %s succeeds; it did not end in time",
				 strbuf_text(&text));
	return xasprintf("the scenario requires that %s succeeds; it ended with %s %d",
			 strbuf_text(&text), WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

char *requirements_missing(const struct requirements_spec *spec, char *const *environment,
			   const struct process_config *process)
{
	for (char *const *program = spec->programs; program && *program; program++)
		if (!is_there(*program, environment))
			return xasprintf(
				"the scenario requires the program %s, which is not installed",
				*program);
	return spec->command ? run(spec->command, environment, process) : NULL;
}
