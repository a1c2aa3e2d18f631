/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's TCP settings for a sandbox. A new network namespace starts from the kernel's
 * compiled-in sysctls, not from the host's; a client in it would meet another SYN schedule than on
 * the machine it is tested on. The differences are found once per run and written in each sandbox.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SYSCTL_H
#define SYNFAULT_RUNNER_SANDBOX_SYSCTL_H

#include "common/util.h"

struct sysctl {
	char *name;  /* below /proc/sys, such as "net/ipv4/tcp_syn_retries" */
	char *value; /* as read, without the final newline */
};

struct sysctls {
	struct sysctl *items; /* sorted by name */
	size_t n_items, capacity;
};

/* Reads all settings in question in the network namespace of the calling process. Never fails. */
void sysctls_read(struct sysctls *ret);
/* Those of @wanted whose value in @fresh is another; settings that @fresh lacks are left out. */
void sysctls_difference(const struct sysctls *wanted, const struct sysctls *fresh,
			struct sysctls *ret);
/*
 * Writes the settings in the network namespace of the calling process. Returns 0, or the negative
 * errno of the first of those that decide on a handshake which can't be written (*@ret_failed is
 * its name); others that can't be written are passed over.
 */
int sysctls_write(const struct sysctls *settings, const char **ret_failed);
/* One sysctl, as a scenario asks for it. Returns 0 or a negative errno. */
int sysctls_write_one(const char *name, const char *value);
/* One unsigned sysctl of the calling process's namespace, or @otherwise when it can't be read. */
uint32_t sysctls_read_number(const char *name, uint32_t otherwise);
/* Whether the sysctl has this value in the calling process's namespace; one blank is as good as
 * many. */
bool sysctls_has(const char *name, const char *value);
void sysctls_free(struct sysctls *settings);

#endif
