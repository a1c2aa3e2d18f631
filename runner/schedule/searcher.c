/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that searches output for patterns: see searcher.h. */
#include "runner/schedule/searcher.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/confine.h"
#include "common/duration.h"
#include "runner/sandbox/detach.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/process.h"

struct searcher {
	struct searcher_config config;
	pid_t pid;
	int pidfd, result_fd;
	struct event *exited, *overdue;
	bool stopped, late;
};

struct pattern_limits searcher_limits_at_once(void)
{
	struct pattern_limits limits = pattern_default_limits;

	limits.cpu_ns = limits.all_ns = 20 * NS_PER_MS;
	return limits;
}

int64_t searcher_default_patience_ns(void)
{
	return 12 * pattern_default_limits.all_ns;
}

/* The child: it needs memory, and one descriptor to write to. */
NORETURN static void be_searcher(const struct searcher_config *config, int result_fd, pid_t parent)
{
	struct pattern_limits limits = config->limits;
	struct text_searches searches;
	int *const kept[] = {&result_fd};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	detach_from_parent(kept, ARRAY_SIZE(kept));
	(void)confine(0);
	(void)confine_capabilities(0);
	searches = text_searches_make(config->scenario, config->record, &limits);
	_exit(write_all(result_fd, searches.items, searches.n_items * sizeof(*searches.items)) < 0
		      ? EXIT_FAILURE
		      : EXIT_SUCCESS);
}

/* Checks what the child wrote: it read what clients wrote. */
static bool is_sound(const struct text_searches *searches)
{
	for (size_t i = 0; i < searches->n_items; i++) {
		const struct text_search *search = &searches->items[i];
		const char *end = memchr(search->reason, '\0', sizeof(search->reason));

		if (search->result > PATTERN_IMPOSSIBLE || !end)
			return false;
		for (const char *at = search->reason; at < end; at++)
			if (*at < ' ' || *at > '~')
				return false;
	}
	return true;
}

static bool read_searches(int fd, struct text_searches *ret)
{
	struct text_searches searches = {0};
	struct stat status;
	size_t size;

	if (fstat(fd, &status) < 0)
		return false;
	size = (size_t)status.st_size;
	searches.n_items = size / sizeof(*searches.items);
	searches.items = xmalloc(MAX(size, (size_t)1));
	if (size % sizeof(*searches.items) != 0 ||
	    pread(fd, searches.items, size, 0) != (ssize_t)size || !is_sound(&searches)) {
		text_searches_free(&searches);
		return false;
	}
	*ret = searches;
	return true;
}

/* Makes searches that say why there are none. */
static struct text_searches fail_all(const struct searcher *self, int wait_status)
{
	struct pattern_limits none = {.all_ns = 0};
	struct text_searches searches =
		text_searches_make(self->config.scenario, self->config.record, &none);

	for (size_t i = 0; i < searches.n_items; i++) {
		char *reason = searches.items[i].reason;
		const size_t size = sizeof(searches.items[i].reason);

		if (self->stopped)
			snprintf(reason, size, "the run ended while it was searched for");
		else if (self->late)
			snprintf(reason, size, "the search took too long");
		else if (WIFSIGNALED(wait_status))
			snprintf(reason, size, "the search was killed by signal %d (%s)",
				 WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
		else
			snprintf(reason, size, "the search left no result");
	}
	return searches;
}

static void on_exited(evutil_socket_t fd, short what, void *userdata)
{
	struct searcher *self = userdata;
	struct text_searches searches = {0};
	const int wait_status = process_wait(self->pid);

	if (wait_status != 0 || !read_searches(self->result_fd, &searches))
		searches = fail_all(self, wait_status);
	self->config.on_end(self->config.userdata, &searches);
	text_searches_free(&searches);
	event_free(self->exited);
	event_free(self->overdue);
	close(self->pidfd);
	close(self->result_fd);
	free(self);
}

static void on_overdue(evutil_socket_t fd, short what, void *userdata)
{
	struct searcher *self = userdata;

	self->late = true;
	kill(self->pid, SIGKILL);
}

int searcher_start(const struct searcher_config *config, struct searcher **ret)
{
	const struct timeval patience = duration_timeval(config->patience_ns);
	AUTO_CLOSE int result_fd = memfd_create("searches", MFD_CLOEXEC);
	const pid_t parent = getpid();
	struct searcher *self;
	int pidfd = -1;
	pid_t pid;

	if (result_fd < 0)
		return -errno;
	pid = namespace_clone(0, &pidfd);
	if (pid == 0)
		be_searcher(config, result_fd, parent);
	if (pid < 0)
		return (int)pid;
	self = xzalloc(sizeof(*self));
	*self = (struct searcher){
		.config = *config,
		.pid = pid,
		.pidfd = pidfd,
		.result_fd = steal_fd(&result_fd),
	};
	self->exited = event_new(config->base, pidfd, EV_READ, on_exited, self);
	self->overdue = evtimer_new(config->base, on_overdue, self);
	event_add(self->exited, NULL);
	event_add(self->overdue, &patience);
	*ret = self;
	return 0;
}

void searcher_stop(struct searcher *searcher)
{
	searcher->stopped = true;
	kill(searcher->pid, SIGKILL);
}
