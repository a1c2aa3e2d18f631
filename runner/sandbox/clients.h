/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instances of a scenario's client. Those of a round run side by side; rounds follow one
 * another. Instances are numbered on from round to round.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CLIENTS_H
#define SYNFAULT_RUNNER_SANDBOX_CLIENTS_H

#include "runner/sandbox/launcher.h"
#include "runner/sandbox/recorder.h"
#include "runner/sandbox/socket_owner.h"

struct clients {
	const struct scenario *scenario; /* borrowed, as are the next four */
	const struct sandbox *sandbox;
	char *const *command; /* replaces the scenario's; NULL: the scenario's */
	struct launcher *launcher;
	struct recorder *recorder;

	pid_t *pids; /* by instance; 0: not started, or ended */
	uint32_t n_instances, n_started, n_running;
	struct socket_owners *owners; /* NULL: the latest instance owns all attempts */
	bool follows;                 /* owner 0 is instance 0, and 1 another descendant of ours */
};

void clients_init(struct clients *clients);
void clients_deinit(struct clients *clients);

/**
 * clients_follow() - find out which attempts are of a process that others have started
 * @pid: that process; those of its descendants are of it, too; 0: unknown
 * @ancestor: an ancestor of all clients, unless they come from outside
 *
 * Then those of @pid are of instance 0, and others of none. The record says whether one came from
 * outside.
 */
void clients_follow(struct clients *clients, pid_t pid, pid_t ancestor);

/** clients_begin() - prepare for the first round; called once the servers listen */
void clients_begin(struct clients *clients);

/**
 * clients_start_next() - start the next instance
 *
 * The first one's start is time 0 of the record.
 *
 * Return: 0, or a negative errno; then the record says why.
 */
int clients_start_next(struct clients *clients);

/** clients_are_started() - return whether all instances of all rounds have been started */
bool clients_are_started(const struct clients *clients);
/** clients_round_is_started() - return whether all instances of the round have been started */
bool clients_round_is_started(const struct clients *clients);
/** clients_round_is_over() - return whether all instances of the round have ended */
bool clients_round_is_over(const struct clients *clients);
/** clients_are_over() - return whether all rounds have ended */
bool clients_are_over(const struct clients *clients);

/**
 * clients_take_end() - add the end of an instance to the record
 * @pid: of the process that ended
 * @wait_status: as waitpid() returns it
 * @early_ns: by how much earlier it can have ended
 *
 * Return: whether @pid is an instance.
 */
bool clients_take_end(struct clients *clients, pid_t pid, int wait_status, int64_t early_ns);

/** clients_instance_of() - return the instance that made an attempt; call while its SYN is held */
uint32_t clients_instance_of(const struct clients *clients, const struct attempt_info *attempt);

#endif
