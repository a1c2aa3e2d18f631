/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The retry loop of the clients in C: one attempt after the other, with waits in between, until one
 * does well, an error comes that is not retried, or enough of them were made. What an attempt is,
 * and how long the waits are, the client says; the mistakes that are about the loop are made here.
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
	const char *error; /* NULL: it did well; valid until the next attempt */
	bool passes;       /* an error that may be gone the next time */
};

struct retry {
	double tries; /* attempts in all */
	enum mistake mistake;
	struct retry_result (*attempt)(void *client);
	/* The wait after attempt @n (from 1). */
	double (*wait_ms)(double n, void *client);
	void *client;
};

/*
 * Returns how it ended, and writes how many attempts were made. Each failed attempt is told on
 * stderr.
 */
enum retry_status retry_run(const struct retry *retry, double *ret_attempts);

#endif
