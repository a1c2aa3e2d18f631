/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts programs with their output captured: see launcher.h. */
#include "runner/sandbox/launcher.h"

#include <inttypes.h>
#include <unistd.h>

static const char *const stream_names[STREAMS_EACH] = {
	[STREAM_STDOUT] = "stdout",
	[STREAM_STDERR] = "stderr",
};

void launcher_init(struct launcher *launcher, size_t n_clients, size_t n_servers)
{
	launcher->n_captures = STREAMS_EACH * n_clients;
	launcher->captures =
		xzalloc(STREAMS_EACH * (n_clients + n_servers) * sizeof(*launcher->captures));
}

/* Returns "stdout", or "stdout.2" for the second instance. */
static char *client_stream_name(size_t stream)
{
	const char *name = stream_names[stream % STREAMS_EACH];

	if (stream < STREAMS_EACH)
		return xstrdup(name);
	return xasprintf("%s.%zu", name, stream / STREAMS_EACH + 1);
}

/* Opens a pipe for one stream; sets *@fd to its end for the program. */
static int open_stream(struct launcher *launcher, size_t stream, const char *name, int *fd,
		       char **ret_message)
{
	int status = output_capture_new(launcher->base, launcher->clock, name, (uint32_t)stream,
					launcher->on_output, launcher->userdata, fd,
					&launcher->captures[stream]);

	if (status < 0)
		*ret_message = xasprintf("can't make a pipe: %s", strerror(-status));
	return status;
}

static pid_t start(struct launcher *launcher, const struct process_config *config,
		   int fds[static STREAMS_EACH], char **ret_message)
{
	struct process_config process = launcher->template;

	process.command = config->command;
	process.environment = config->environment;
	process.cwd = config->cwd;
	process.stdin_fd = config->stdin_fd;
	process.stdout_fd = fds[STREAM_STDOUT];
	process.stderr_fd = fds[STREAM_STDERR];
	return process_spawn(&process, ret_message);
}

static void close_streams(int fds[static STREAMS_EACH])
{
	for (size_t i = 0; i < STREAMS_EACH; i++)
		cleanup_close(&fds[i]);
}

pid_t launcher_start_client(struct launcher *launcher, const struct process_config *config,
			    uint32_t instance, char **ret_message)
{
	const size_t first = (size_t)STREAMS_EACH * instance;
	int fds[STREAMS_EACH] = {-1, -1};
	pid_t status = 0;

	for (size_t i = 0; !status && i < STREAMS_EACH; i++) {
		AUTO_FREE char *name = client_stream_name(first + i);

		status = open_stream(launcher, first + i, name, &fds[i], ret_message);
	}
	if (!status)
		status = start(launcher, config, fds, ret_message);
	close_streams(fds);
	return status;
}

pid_t launcher_start_server(struct launcher *launcher, const struct process_config *config,
			    const char *name, char **ret_message)
{
	int fds[STREAMS_EACH] = {-1, -1};
	pid_t status = 0;

	for (size_t i = 0; !status && i < STREAMS_EACH; i++) {
		AUTO_FREE char *stream = xasprintf("%s.%s", name, stream_names[i]);

		status = open_stream(launcher, launcher->n_captures + i, stream, &fds[i],
				     ret_message);
	}
	if (!status) {
		launcher->n_captures += STREAMS_EACH;
		status = start(launcher, config, fds, ret_message);
	}
	close_streams(fds);
	return status;
}

void launcher_finish(struct launcher *launcher, struct stream *ret)
{
	for (size_t i = 0; i < launcher->n_captures; i++) {
		AUTO_FREE char *name = NULL;

		if (launcher->captures[i]) {
			output_capture_finish(launcher->captures[i], &ret[i]);
			continue;
		}
		name = client_stream_name(i);
		stream_writer_finish(stream_writer_new(name), &ret[i]);
	}
	free(launcher->captures);
	launcher->captures = NULL;
}
