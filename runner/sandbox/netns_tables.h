/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all shared sandboxes of a network namespace have in common, also those of other runs: one
 * nftables table (nft_rules.h says why only one). Each sandbox has a part of it. The table exists
 * as long as a run or one of its supervisors does. The last of them removes it; if all were killed,
 * the next run does.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_NETNS_TABLES_H
#define SYNFAULT_RUNNER_SANDBOX_NETNS_TABLES_H

#include "common/diag.h"
#include "runner/sandbox/table_names.h"

/**
 * netns_tables_enter() - claim a place for this run in the network namespace of the calling process
 *
 * Makes the common tables, and removes what dead sandboxes left (stale_cleanup.h).
 *
 * Return: a descriptor that holds the place, and that the run's supervisors inherit, or a negative
 * errno with a diagnostic.
 */
int netns_tables_enter(struct diag_list *diags);

/**
 * netns_tables_leave() - give up the place
 * @space: what netns_tables_enter() returned; closed. Negative: do nothing
 *
 * The last one to leave removes the tables.
 */
void netns_tables_leave(int space);

#endif
