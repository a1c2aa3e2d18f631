/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts programs in a sandbox, clients and servers, and captures what they write. Each has two
 * streams, whose numbers are their indexes in the record.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_LAUNCHER_H
#define SYNFAULT_RUNNER_SANDBOX_LAUNCHER_H

#include "runner/sandbox/output_capture.h"
#include "runner/sandbox/process.h"

struct launcher {
	const struct lateness_clock *clock; /* of the calling thread; borrowed */
	struct event_base *base;            /* borrowed */
	struct process_config template;     /* what all programs have in common */
	struct output_capture **captures;   /* by stream; NULL: not started */
	size_t n_captures;                  /* streams so far */
	output_capture_fn on_output;        /* called after each read */
	void *userdata;                     /* for on_output */
};

/**
 * launcher_init() - make room for the streams of a sandbox
 * @n_clients: instances of the client, whose streams come first
 * @n_servers: maximum of server commands, whose streams follow in the order of their starts
 */
void launcher_init(struct launcher *launcher, size_t n_clients, size_t n_servers);

/**
 * launcher_start_client() - start an instance of the client
 * @config: its command, environment, directory and stdin
 * @instance: from 0
 * @ret_message: on failure one sentence that says why; the caller's
 *
 * Return: its pid, or a negative errno.
 */
pid_t launcher_start_client(struct launcher *launcher, const struct process_config *config,
			    uint32_t instance, char **ret_message);

/**
 * launcher_start_server() - start the server command of the endpoint @name
 *
 * Parameters and return value are those of launcher_start_client().
 */
pid_t launcher_start_server(struct launcher *launcher, const struct process_config *config,
			    const char *name, char **ret_message);

/**
 * launcher_finish() - read what is left in the pipes, and free the captures
 * @ret: n_captures streams; those of programs that never started are empty
 */
void launcher_finish(struct launcher *launcher, struct stream *ret);

#endif
