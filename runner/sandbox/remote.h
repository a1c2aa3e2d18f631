/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints whose addresses are not the sandbox's own: a server that exists already, on this host
 * or another. Their rules are in a table of their own, "synfault-remote-N" (nft_rules.h,
 * `outgoing`); its number is claimed as a sandbox's is. The rules are removed when the sandbox
 * ends, or later by another run (stale_cleanup.h). The tables exist from the first run to the last,
 * as the common one does (netns_tables.h): making or removing them would drop packets that wait in
 * other queues.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_REMOTE_H
#define SYNFAULT_RUNNER_SANDBOX_REMOTE_H

#include "common/diag.h"
#include "injector/address.h"
#include "runner/scenario/scenario.h"

#define REMOTE_TABLE_SIZE 32
/* Maximum of sandboxes with remote endpoints: in one network namespace, and in one run. */
#define REMOTE_MAX_TABLES    4
#define REMOTE_MAX_SANDBOXES 2

/** remote_table() - write the name of table @number; return @buffer */
char *remote_table(uint32_t number, char buffer[static REMOTE_TABLE_SIZE]);
/**
 * remote_claim_table() - claim a free table
 *
 * Return: a descriptor that holds the claim, or a negative errno; -EADDRINUSE if none is free.
 */
int remote_claim_table(uint32_t *ret_number);
/** remote_claim_number() - claim table @number; return as remote_claim_table() does */
int remote_claim_number(uint32_t number);
/**
 * remote_create_tables() - make all tables, before any sandbox holds a packet
 *
 * nft_rules_create_outgoing() says why so early. If it fails, the sandbox that needs a table says
 * so.
 */
void remote_create_tables(void);
/** remote_clear() - remove the rules of a table, if it exists */
void remote_clear(uint32_t number);
/** remote_list() - call @on_table with the number of each table; return 0 or a negative errno */
int remote_list(void (*on_table)(void *userdata, uint32_t number), void *userdata);

/**
 * remote_resolve() - look up the addresses of a remote endpoint
 * @addresses: those of the families that the scenario names, in its order; if it names none, all in
 *	the resolver's order
 * @most: size of @addresses
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int remote_resolve(const struct endpoint_spec *spec, struct address *addresses, size_t most,
		   size_t *ret_n, struct diag_list *diags);

/** remote_format() - return host and port as in the scenario; owned by the caller */
char *remote_format(const struct endpoint_spec *spec);

/**
 * remote_is_here() - find out whether it is an address of this host
 *
 * The input hook sees SYNs to these, the output hook SYNs to all others.
 */
bool remote_is_here(const struct address *address);

/**
 * remote_claim() - claim an address and port in the network namespace of the calling process
 *
 * Two sandboxes can't inject at the same one.
 *
 * Return: a descriptor that holds the claim, or a negative errno; -EADDRINUSE if it is taken.
 */
int remote_claim(const struct address *address);

#endif
