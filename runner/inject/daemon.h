/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon of `synfault inject`: arms one scenario of a file after the other in a shared sandbox
 * of its own, prints what happens, takes commands (runner/session/control.h), and judges each when
 * it ends.
 */
#ifndef SYNFAULT_RUNNER_INJECT_DAEMON_H
#define SYNFAULT_RUNNER_INJECT_DAEMON_H

#include "runner/inject/packet_file.h"
#include "runner/report/console.h"
#include "runner/sandbox/isolation.h"

struct daemon_config {
	const struct scenario_file *file;
	const struct scenario *const *scenarios; /* to choose from, in this order; at least one */
	size_t n_scenarios, first;               /* first: the one to begin with */
	const struct isolation *isolation;       /* shared */
	uint64_t seed;                           /* of the run */
	struct judge_options judge;
	struct console_options console;
	bool json;
	size_t max_attempts;        /* maximum of attempts that are kept of a scenario */
	const char *junit, *record; /* files to write at the end, or NULL */
	struct packet_file *capture;
	uint64_t capture_size; /* maximum of packet bytes in one of its sections */
	const char *control;   /* path of the socket */
	int control_fd;        /* the listening socket */
	int tcp_fd;            /* that over TCP, if there is a token */
	const char *token;     /* borrowed; NULL: no TCP */
	int watchdog_fd;       /* socket to the watchdog (watchdog.h); its end means it is dead */
	FILE *out, *err;
};

/* One byte each on the watchdog's socket. */
enum daemon_message {
	DAEMON_ARMED = 'a', /* to the watchdog: armed for the first time */
	DAEMON_STOP = 's',  /* to the daemon */
};

/**
 * daemon_run() - run the daemon in the child made by shared_sandbox_fork()
 *
 * Returns when everything has been removed again.
 *
 * Return: the program's exit status.
 */
enum exit_status daemon_run(const struct daemon_config *config);

#endif
