/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds out whether the client has moved on: see client_progress.h. */
#include "runner/sandbox/client_progress.h"

#include <errno.h>

#include "common/duration.h"

/* A thread that has run for this long has returned from the call in which it was woken. */
#define LEAVES_NS (500 * NS_PER_US)

struct asked {
	uint32_t attempt;
	struct thread_looks first;
};

struct client_progress {
	struct asked *asked; /* attempts whose client has not moved on yet */
	size_t n_asked, capacity;
};

struct client_progress *client_progress_new(void)
{
	return xzalloc(sizeof(struct client_progress));
}

void client_progress_free(struct client_progress *progress)
{
	if (!progress)
		return;
	for (size_t i = 0; i < progress->n_asked; i++)
		free(progress->asked[i].first.items);
	free(progress->asked);
	free(progress);
}

bool client_progress_is_made(const struct thread_looks *first, const struct thread_looks *now)
{
	for (size_t i = 0; i < now->n_items; i++) {
		const struct thread_look *thread = &now->items[i], *before = NULL;

		for (size_t k = 0; thread->ready && !before && k < first->n_items; k++)
			if (first->items[k].tid == thread->tid &&
			    first->items[k].started == thread->started)
				before = &first->items[k];
		if (before && before->ready && thread->run_ns - before->run_ns < LEAVES_NS)
			return false;
	}
	return true;
}

/* Returns whether no thread is ready. */
static bool all_sleep(const struct thread_looks *looks)
{
	for (size_t i = 0; i < looks->n_items; i++)
		if (looks->items[i].ready)
			return false;
	return true;
}

static void forget(struct client_progress *progress, size_t index)
{
	free(progress->asked[index].first.items);
	progress->asked[index] = progress->asked[--progress->n_asked];
}

int client_progress_ask(struct client_progress *progress, uint32_t attempt, const pid_t *servers,
			size_t n_servers)
{
	struct thread_looks client = {0}, server = {0};
	bool known = thread_looks_read(servers, n_servers, &client, &server);
	size_t i = 0;
	int status;

	free(server.items);
	while (i < progress->n_asked && progress->asked[i].attempt != attempt)
		i++;
	if (!known || client.n_items == 0) {
		status = known ? 1 : -EOPNOTSUPP;
	} else if (i < progress->n_asked) {
		status = client_progress_is_made(&progress->asked[i].first, &client);
	} else {
		status = all_sleep(&client);
		if (!status) {
			array_append(progress->asked, progress->n_asked, progress->capacity,
				     (struct asked){.attempt = attempt, .first = client});
			return 0;
		}
	}
	free(client.items);
	if (status != 0 && i < progress->n_asked)
		forget(progress, i);
	return status;
}
