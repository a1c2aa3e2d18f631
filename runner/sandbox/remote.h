/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints with addresses that are none of the sandbox's own: a server that exists already, on
 * this host or another. Their rules are in a table of their own, "synfault-remote-N" (nft_rules.h,
 * `outgoing`), with a number that is claimed as a sandbox's is. The rules go when the sandbox ends,
 * or when somebody sweeps after it (stale_cleanup.h). The tables themselves are there from the
 * first run to the last one, as the common one is (netns_tables.h): making or removing them
 * disturbs what waits in others' queues.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_REMOTE_H
#define SYNFAULT_RUNNER_SANDBOX_REMOTE_H

#include "common/diag.h"
#include "injector/address.h"
#include "runner/scenario/scenario.h"

#define REMOTE_TABLE_SIZE 32
/* Sandboxes with remote endpoints at a time in one network namespace; and in one run. */
#define REMOTE_MAX_TABLES 4
#define REMOTE_MAX_CELLS  2

/* The name of table @number. Returns @buffer. */
char *remote_table(uint32_t number, char buffer[static REMOTE_TABLE_SIZE]);
/* Claims a table that nobody has, or this one. Returns a descriptor or a negative errno. */
int remote_claim_table(uint32_t *ret_number);
int remote_claim_number(uint32_t number);
/*
 * Makes all of them, before any sandbox holds a packet (nft_rules_create_outgoing()). What can't be
 * made is missed when it is needed.
 */
void remote_create_tables(void);
/* Takes away the rules of a table, if there is one. */
void remote_clear(uint32_t number);
/* Calls @on_table with the number of each table. Returns 0 or a negative errno. */
int remote_list(void (*on_table)(void *userdata, uint32_t number), void *userdata);

/*
 * Looks up where a remote endpoint is: all its addresses, of the families that the file wants (in
 * the file's order; else in the resolver's), @most at most. Returns 0, or a negative errno with a
 * diagnostic.
 */
int remote_resolve(const struct endpoint_spec *spec, struct address *addresses, size_t most,
		   size_t *ret_n, struct diag_list *diags);

/* Host and port as in the file; owned by the caller. */
char *remote_format(const struct endpoint_spec *spec);

/* Whether it is an address of this host: then SYNs to it are seen by the input hook. */
bool remote_is_here(const struct address *address);

/*
 * Claims an address and port for a sandbox, in the network namespace of the calling process: two of
 * them can't inject at the same. Returns a descriptor, -EADDRINUSE, or another negative errno.
 */
int remote_claim(const struct address *address);

#endif
