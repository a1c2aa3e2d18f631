/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The retry loop of the clients in C: attempts with pauses in between, until one succeeds, an error
 * is not retried, or the last attempt has failed. The client supplies the attempt and the length of
 * the pauses; mistakes that concern the loop are made here.
 */
#ifndef SYNFAULT_TARGETS_CLIENTS_RETRY_H
#define SYNFAULT_TARGETS_CLIENTS_RETRY_H

#include "targets/clients/mistake.h"

enum retry_status {
	RETRY_DONE = 0,
	RETRY_GAVE_UP = 1,     /* every allowed attempt failed */
	RETRY_LET_THROUGH = 3, /* an error that is not retried */
};

struct retry_result {
	const char *error; /* NULL: success; valid until the next attempt */
	bool transient;    /* the next attempt may succeed */
};

struct retry {
	double tries; /* attempts in all */
	enum mistake mistake;
	struct retry_result (*attempt)(void *client);
	/* The pause after attempt @n (from 1). */
	double (*pause_ms)(double n, void *client);
	void *client;
};

/*
 * Runs the loop and prints each failed attempt on stderr. Returns how it ended, and writes how many
 * attempts were made.
 */
enum retry_status retry_run(const struct retry *retry, double *ret_attempts);

#endif
