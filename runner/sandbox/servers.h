/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The servers of a scenario's endpoints: built-in ones, and commands. */
#ifndef SYNFAULT_RUNNER_SANDBOX_SERVERS_H
#define SYNFAULT_RUNNER_SANDBOX_SERVERS_H

#include "runner/sandbox/endpoint.h"
#include "runner/sandbox/launcher.h"
#include "runner/sandbox/recorder.h"

struct servers {
	const struct scenario *scenario; /* borrowed, as are the next three */
	const struct sandbox *sandbox;
	struct launcher *launcher;
	struct recorder *recorder;

	struct endpoint_server **built_in; /* by endpoint; NULL: none */
	pid_t *pids;         /* by endpoint, 0: none or ended; the last is the clock process */
	int64_t ready_by_ns; /* when all have to listen, CLOCK_MONOTONIC */
};

enum servers_state {
	SERVERS_LISTEN,
	SERVERS_START,
	SERVERS_FAILED, /* the record says why */
};

void servers_init(struct servers *servers);
void servers_deinit(struct servers *servers);

/**
 * servers_start() - start all of them
 *
 * Return: 0, or a negative errno; then the record says why.
 */
int servers_start(struct servers *servers);

/** servers_poll() - find out whether all listen, or one has failed to in time */
enum servers_state servers_poll(struct servers *servers);

/**
 * servers_fixed_ports_are_free() - find out whether other programs listen on ports of endpoints
 *
 * A foreign server on all addresses would answer in place of the endpoint's own. Call this before
 * our servers listen. Ports that synfault chose are free already.
 *
 * Return: false if one does; then the record says so.
 */
bool servers_fixed_ports_are_free(struct servers *servers);

/** servers_none_is_foreign() - do the same for `serve: none`, once all our servers listen */
bool servers_none_is_foreign(struct servers *servers);

/**
 * servers_take_end() - handle the end of a server command
 * @index: of its endpoint
 * @client_runs: whether the client runs; otherwise the servers are still starting
 *
 * Adds to the record that it ended too early.
 */
void servers_take_end(struct servers *servers, size_t index, int wait_status, bool client_runs);

/** servers_find() - return the endpoint whose server command has this pid, or SIZE_MAX */
size_t servers_find(const struct servers *servers, pid_t pid);

#endif
