/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds out by trying whether this machine allows private sandboxes. */
#ifndef SYNFAULT_RUNNER_SANDBOX_PRIVATE_PROBE_H
#define SYNFAULT_RUNNER_SANDBOX_PRIVATE_PROBE_H

#include "injector/nft_rules.h"
#include "runner/sandbox/sysctl.h"

/* What a private sandbox is like on this machine. */
struct private_traits {
	struct sysctls settings; /* to write in each, since the host has them otherwise */
	enum nft_rules_queue_form queue_form;
};

/**
 * private_probe() - build a private sandbox without endpoints, as a run builds one, and end it
 * @ret: on success; the caller frees its settings
 * @ret_message: on failure one sentence that says what is missing; the caller's
 *
 * Return: 0 or a negative errno.
 */
int private_probe(struct private_traits *ret, char **ret_message);

#endif
