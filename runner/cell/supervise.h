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
#include "runner/record/record.h"
#include "runner/scenario/scenario.h"

/* One byte each on the control socket, but for the text of an event. */
enum supervise_message {
	SUPERVISE_EVENT = 'e',     /* to the parent: a line of text follows, as on_event() sends */
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
	bool shared;          /* no namespaces of its own: the child is of shared_fork() */
	uint32_t number_hint; /* shared: where to look for a free number (shared.h) */
	int space;            /* shared: the run's place among others (space.h); -1: private */
	uid_t uid;            /* private: of the user who started synfault, outside the cell */
	gid_t gid;
	int result_fd;  /* the record goes there */
	int control_fd; /* socket to the parent; its end means that the parent is dead */
	/*
	 * Called in the supervising process for each event that was added to the record; NULL:
	 * nobody wants to know before the end.
	 */
	void (*on_event)(const struct supervise_config *config, const struct record *record,
			 const struct event *event);
};

/* Runs in the child made by namespace_fork() or shared_fork(). */
NORETURN void supervise(const struct supervise_config *config);

#endif
