/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the nftables tables that all shared sandboxes of a network namespace share. */
#ifndef SYNFAULT_RUNNER_SANDBOX_TABLE_NAMES_H
#define SYNFAULT_RUNNER_SANDBOX_TABLE_NAMES_H

#define SPACE_TABLE "synfault-sandboxes"
/* For captures; the first sandbox that captures packets makes it. */
#define SPACE_CAPTURE_TABLE "synfault-captures"

#endif
