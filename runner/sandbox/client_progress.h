/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds out whether the client has moved on since a handshake completed. The kernel wakes the
 * threads that wait for the connection before it counts the handshake as complete. So a thread that
 * sleeps at the first look no longer waits for the connection. A thread that is ready at the first
 * look may not have run yet; it has moved on once it has run.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CLIENT_PROGRESS_H
#define SYNFAULT_RUNNER_SANDBOX_CLIENT_PROGRESS_H

#include "runner/sandbox/thread_looks.h"

struct client_progress;

/** client_progress_new() - begin without attempts; free it with client_progress_free() */
struct client_progress *client_progress_new(void);
void client_progress_free(struct client_progress *progress);

/**
 * client_progress_ask() - look at the client's threads
 * @attempt: whose handshake is complete; the first call for it is the first look
 * @servers: as for thread_looks_read()
 *
 * Return: 1 when all have moved on, 0 when not yet, or -EOPNOTSUPP when the kernel does not say.
 */
int client_progress_ask(struct client_progress *progress, uint32_t attempt, const pid_t *servers,
			size_t n_servers);

/** client_progress_is_made() - compare two looks: return whether each thread has moved on */
bool client_progress_is_made(const struct thread_looks *first, const struct thread_looks *now);

#endif
