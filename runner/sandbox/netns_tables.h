/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all shared sandboxes of a network namespace have in common, whichever run they belong to:
 * one nftables table (nft_rules.h says why it is one), whose parts are the sandboxes'. It is there
 * as long as a run or one of its supervising processes is; the last of them removes it, or when all
 * are killed, the next run.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_NETNS_TABLES_H
#define SYNFAULT_RUNNER_SANDBOX_NETNS_TABLES_H

#include "common/diag.h"
#include "runner/sandbox/table_names.h"

/*
 * Enters the space of the calling process's network namespace, and removes what dead sandboxes left
 * there (stale_cleanup.h). Returns a descriptor that stands for the run, and that its supervising
 * processes keep, or a negative errno, with a diagnostic.
 */
int netns_tables_enter(struct diag_list *diags);

/* Leaves it, closing the descriptor. Negative: does nothing. */
void netns_tables_leave(int space);

#endif
