/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the nftables tables that all shared sandboxes of a network namespace have in common. */
#ifndef SYNFAULT_RUNNER_SANDBOX_TABLE_NAMES_H
#define SYNFAULT_RUNNER_SANDBOX_TABLE_NAMES_H

#define SPACE_TABLE "synfault-sandboxes"
/* For captures; made by the first sandbox that captures packets. */
#define SPACE_CAPTURE_TABLE "synfault-captures"

#endif
