/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of one session: a shared sandbox of its own with a scenario that is armed until the
 * other end of its channel closes. It answers the commands about the session on that channel, and
 * hands its record over when it ends, as a supervisor does, and for each `check`. Its parent judges
 * the record, since it knows how long the client had to wait for a processor.
 */
#ifndef SYNFAULT_RUNNER_SESSION_SESSION_H
#define SYNFAULT_RUNNER_SESSION_SESSION_H

#include "runner/sandbox/isolation.h"

struct session_config {
	const struct scenario *scenario;
	const struct isolation *isolation; /* shared */
	uint64_t seed;                     /* of this scenario */
	uint32_t number_hint;              /* where to look for a free number (shared_sandbox.h) */
	pid_t client;   /* the process that has opened it (supervise.h); 0: unknown */
	int channel_fd; /* a connected socket */
	int result_fd;  /* gets the record */
	int check_fd;   /* gets the record so far, before `check` is answered */
	int capture_fd; /* gets packets; -1: they are not captured */
	uint64_t capture_size;
	const struct rlimit *n_files; /* what servers get back of RLIMIT_NOFILE */
};

/**
 * session_run() - run a session in the child made by shared_sandbox_fork()
 *
 * When it is armed, it sends a line {"armed": {"endpoints": …, "variables": …}} on the channel.
 */
NORETURN void session_run(const struct session_config *config);

#endif
