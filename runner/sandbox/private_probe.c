/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds out whether private sandboxes work: see private_probe.h. */
#include "runner/sandbox/private_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/sandbox/namespace.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/sandbox.h"

/*
 * The probe's child writes its findings to a pipe, line by line: an errno (0: all works), a message
 * or an empty line, the form of queueing, then the settings.
 */
NORETURN static void probe_in_child(int fd)
{
	const struct address unused = {.family = AF_INET, .port = 1, .bytes = {127, 0, 0, 1}};
	const struct nft_rules_config config = {
		.table = "synfault", .queue_number = 1, .endpoints = &unused, .n_endpoints = 1};
	const struct scenario empty = {0};
	AUTO_DIAG struct diag_list diags = {0};
	struct rules *rules = NULL;
	struct sysctls host = {0}, fresh = {0}, settings = {0};
	FILE *out = fdopen(fd, "w");
	int status;

	if (!out)
		_exit(EXIT_FAILURE);
	sysctls_read(&host);
	status = namespace_enter(0);
	if (!status) {
		sysctls_read(&fresh);
		sysctls_difference(&host, &fresh, &settings);
		status = sandbox_build_private(&empty, &settings, &diags);
	}
	if (!status)
		status = nft_rules_install(&config, &diags, &rules);
	fprintf(out, "%d\n", -status);
	for (size_t i = 0; i < diags.n_items; i++)
		fprintf(out, "%s%s%s%s", i ? "; " : "", diags.items[i].message,
			diags.items[i].hint ? "; " : "",
			diags.items[i].hint ? diags.items[i].hint : "");
	fprintf(out, "\n%d\n", rules ? (int)nft_rules_queue_form(rules) : 0);
	for (size_t i = 0; i < settings.n_items; i++)
		fprintf(out, "%s %s\n", settings.items[i].name, settings.items[i].value);
	fflush(out);
	_exit(EXIT_SUCCESS);
}

/* Reads the next line and drops its newline; returns NULL at the end. */
static char *read_line(FILE *in, char **line, size_t *size)
{
	ssize_t length = getline(line, size, in);

	if (length <= 0)
		return NULL;
	if ((*line)[length - 1] == '\n')
		(*line)[length - 1] = '\0';
	return *line;
}

static int read_probe(FILE *in, struct private_traits *ret, char **ret_message)
{
	struct private_traits traits = {0};
	struct sysctls *settings = &traits.settings;
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	int status;

	if (!read_line(in, &line, &size))
		return -EPERM;
	status = -atoi(line);
	if (read_line(in, &line, &size) && *line)
		*ret_message = xstrdup(line);
	if (status < 0 || !read_line(in, &line, &size))
		return status < 0 ? status : -EPERM;
	traits.queue_form = (enum nft_rules_queue_form)atoi(line);
	while (read_line(in, &line, &size)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		array_append(settings->items, settings->n_items, settings->capacity,
			     (struct sysctl){.name = xstrdup(line), .value = xstrdup(blank + 1)});
	}
	*ret = traits;
	return 0;
}

static char *explain_refusal(int error)
{
	if (geteuid() == 0)
		return xasprintf("private network namespaces can't be made here (%s): give the "
				 "container CAP_SYS_ADMIN, or run on the host",
				 strerror(error));
	return xasprintf("user namespaces can't be used here (%s): run as root, or allow them "
			 "(sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, or "
			 "kernel.apparmor_restrict_unprivileged_userns=0)",
			 strerror(error));
}

int private_probe(struct private_traits *ret, char **ret_message)
{
	int pidfd = -1, pipe_fds[2], status, wait_status;
	AUTO_FREE char *message = NULL;
	AUTO_FCLOSE FILE *in = NULL;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		*ret_message = xasprintf("can't make a pipe: %s", strerror(errno));
		return -errno;
	}
	pid = namespace_fork(&pidfd);
	if (pid == 0)
		probe_in_child(pipe_fds[1]);
	close(pipe_fds[1]);
	if (pid < 0) {
		close(pipe_fds[0]);
		*ret_message = explain_refusal(-pid);
		return pid;
	}
	in = fdopen(pipe_fds[0], "r");
	status = in ? read_probe(in, ret, &message) : -errno;
	close(pidfd);
	wait_status = process_wait(pid);
	/* A probe that is killed says nothing about the machine. */
	if (status < 0 && WIFSIGNALED(wait_status)) {
		*ret_message = xasprintf("the probe of private namespaces was killed by signal %d",
					 WTERMSIG(wait_status));
		return -EINTR;
	}
	if (status < 0)
		*ret_message = message ? steal_pointer(&message) : explain_refusal(-status);
	return status;
}
