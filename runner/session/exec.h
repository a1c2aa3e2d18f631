/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs any command in a sandbox in which it can open sessions (session_host.h), for `synfault
 * exec`.
 */
#ifndef SYNFAULT_RUNNER_SESSION_EXEC_H
#define SYNFAULT_RUNNER_SESSION_EXEC_H

#include "runner/sandbox/isolation.h"
#include "runner/schedule/captures.h"

/* Exit statuses of our own, as env(1) and timeout(1) have them. */
enum exec_status {
	EXEC_FAILED = 125,         /* synfault could not do its work, or not judge */
	EXEC_NOT_EXECUTABLE = 126, /* the command */
	EXEC_NOT_FOUND = 127,      /* the command */
	EXEC_SIGNAL = 128,         /* and the number of the signal that ended the command */
};

struct exec_config {
	enum isolation_mode isolation;
	char *const *command;
	struct scenario_file *file;        /* or NULL; becomes the host's */
	const struct scenario **scenarios; /* of it: sessions to open before the command starts */
	size_t n_scenarios;
	uint64_t seed;
	struct judge_options judge;
	struct capture_policy capture;
	const char *control; /* path of the socket */
	int control_fd;      /* listening and non-blocking */
	int tcp_fd;          /* the same over TCP, if there is a token: then shared isolation */
	const char *token;   /* borrowed; NULL: no TCP */
	FILE *err;
	/* Called in the sandbox: for each result, and in the end, when it writes the reports. */
	void (*on_result)(void *userdata, const struct result *result, bool checked);
	bool (*on_end)(void *userdata, struct run_results *results);
	void *userdata;
};

/**
 * exec_run() - run the command to its end
 *
 * Return: the command's exit status if it is not 0; otherwise 1 if the client failed in a session
 * whose judgement no client has asked for, EXEC_FAILED if one could not be judged, or 0.
 */
int exec_run(const struct exec_config *config);

#endif
