/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims in a network namespace. A claim is an abstract Unix socket (unix(7)) that is bound to a
 * name: such names belong to the network namespace, as tables, queues and addresses do, and the
 * kernel gives them back when the last process that has the socket ends, `kill -9` included.
 */
#ifndef SYNFAULT_RUNNER_CELL_CLAIM_H
#define SYNFAULT_RUNNER_CELL_CLAIM_H

#include "common/util.h"

enum claim_kind {
	CLAIM_CELL,  /* the number of a shared cell (shared.h), from 1 to CLAIM_LAST_CELL */
	CLAIM_SPACE, /* a run that has shared cells (space.h) */
	CLAIM_LOCK,  /* what is to be done by one process at a time (space.h) */
	CLAIM_PORT,  /* a TCP port, on all addresses */
};

/* IPv4 addresses have 14 bits for the number. */
#define CLAIM_LAST_CELL 16383

/*
 * Returns a descriptor that holds the claim, or a negative errno: -EADDRINUSE when it is
 * somebody's.
 */
int claim_take(enum claim_kind kind, uint32_t number);

/* The number of a cell in a name, such as 17 in "synfault-17", after @prefix and before @end; 0:
 * none.
 */
uint32_t claim_parse(const char *name, const char *prefix, char end);

#endif
