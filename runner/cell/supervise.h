/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervising process of one scenario: builds the cell, starts the servers and waits until they
 * listen, arms the injector, starts the client, and records what happens until everything has
 * ended. It never judges. Its result is a record, as JSON, in a file descriptor; a record that is
 * missing or not complete means that it died, which its parent reports as an error.
 */
#ifndef SYNFAULT_RUNNER_CELL_SUPERVISE_H
#define SYNFAULT_RUNNER_CELL_SUPERVISE_H

#include <sys/resource.h>

#include "injector/rules.h"
#include "runner/cell/settings.h"
#include "runner/scenario/scenario.h"

/* One byte each on the control socket. */
enum supervise_message {
	SUPERVISE_UNDER_WAY = 'u', /* to the parent: the client has sent its first SYN, or ended */
	SUPERVISE_INTERRUPT = 'i', /* to the supervisor: end everything, hand in what there is */
};

struct supervise_config {
	const struct scenario *scenario;
	char *const *command;             /* instead of the scenario's; NULL: the scenario's own */
	uint64_t seed;                    /* of this scenario */
	const struct settings *settings;  /* to be written in the cell */
	const struct rlimit *n_files;     /* RLIMIT_NOFILE for what is started in the cell */
	enum rules_queue_form queue_form; /* that works on this machine */
	uid_t uid;                        /* of the user who started synfault, outside the cell */
	gid_t gid;
	int result_fd;  /* the record goes there */
	int control_fd; /* socket to the parent; its end means that the parent is dead */
};

/* Runs in the child made by namespace_fork(). */
NORETURN void supervise(const struct supervise_config *config);

#endif
