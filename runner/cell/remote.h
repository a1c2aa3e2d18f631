/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints with addresses that are none of the cell's own: a server that exists already
 * (`remote`), on this host or another, or one of ours at an address that the user wants. Their
 * rules are in a table of the cell's, "synfault-remote-N" (rules.h, `outgoing`), which lasts until
 * it is removed here: by the cell when it ends, or by whoever sweeps after it (sweep.h).
 */
#ifndef SYNFAULT_RUNNER_CELL_REMOTE_H
#define SYNFAULT_RUNNER_CELL_REMOTE_H

#include "common/diag.h"
#include "injector/address.h"
#include "runner/scenario/scenario.h"

#define REMOTE_TABLE_SIZE 32

/* The name of the table of cell @number. Returns @buffer. */
char *remote_table(uint32_t number, char buffer[static REMOTE_TABLE_SIZE]);
/*
 * Removes it, if there is one. With its base chains go all packets that wait in any queue of the
 * network namespace: those of others are given up to a second.
 */
void remote_remove(uint32_t number);
/* Calls @on_cell with the number of each cell that has one. Returns 0 or a negative errno. */
int remote_list(void (*on_cell)(void *userdata, uint32_t number), void *userdata);

/*
 * Looks up where a remote endpoint is: all its addresses, of the families that the file wants (in
 * the file's order; else in the resolver's), @most at most. Returns 0, or a negative errno with a
 * diagnostic.
 */
int remote_resolve(const struct endpoint_spec *spec, struct address *addresses, size_t most,
		   size_t *ret_n, struct diag_list *diags);

/* Whether it is an address of this host: then SYNs to it are seen by the input hook. */
bool remote_is_here(const struct address *address);

/*
 * Claims an address and port for a cell, in the network namespace of the calling process: two of
 * them can't inject at the same. Returns a descriptor, -EADDRINUSE, or another negative errno.
 */
int remote_claim(const struct address *address);

#endif
