/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all shared cells of a network namespace have in common, whichever run they belong to: one
 * nftables table (rules.h says why it is one), whose parts are the cells'. It is there as long as a
 * run or one of its supervising processes is; the last of them removes it, or when all are killed,
 * the next run.
 */
#ifndef SYNFAULT_RUNNER_CELL_SPACE_H
#define SYNFAULT_RUNNER_CELL_SPACE_H

#include "common/diag.h"

#define SPACE_TABLE "synfault-cells"
/* The same for captures; made by the first cell that captures packets. */
#define SPACE_CAPTURE_TABLE "synfault-captures"

/*
 * Enters the space of the calling process's network namespace, and removes what dead cells left
 * there (sweep.h). Returns a descriptor that stands for the run, and that its supervising processes
 * keep, or a negative errno, with a diagnostic.
 */
int space_enter(struct diag_list *diags);

/* Leaves it, closing the descriptor. Negative: does nothing. */
void space_leave(int space);

#endif
