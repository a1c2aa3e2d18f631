/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel settings (sysctls) that a scenario can make for itself: those that belong to a network
 * namespace and have to do with TCP connections. It is a list of what is allowed, so that a wrong
 * name or value is found when a file is read, wherever that is.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SYSCTL_ALLOWLIST_H
#define SYNFAULT_RUNNER_SCENARIO_SYSCTL_ALLOWLIST_H

#include "common/util.h"

struct allowed_sysctl {
	const char *path;  /* below /proc/sys: "net/ipv4/tcp_syn_retries" */
	size_t n_numbers;  /* that its value consists of; 0: it is a word */
	int64_t low, high; /* of each number */
};

/*
 * The setting with this name: its full one ("net.ipv4.tcp_syn_retries") or the last part of it.
 * NULL: there is none.
 */
const struct allowed_sysctl *sysctl_allowlist_find(const char *name);
/* The last part of a setting's name: "tcp_syn_retries". */
const char *sysctl_short_name(const struct allowed_sysctl *name);
/* The short names of all; ends with NULL, owned by the caller, who frees the array only. */
const char **sysctl_allowlist(void);

/*
 * Reads a value as it is written in a scenario: numbers, with blanks between them where there are
 * several, or a word. Returns it as the kernel takes it, owned by the caller; or NULL with
 * *@ret_message, owned by the caller: what it has to be.
 */
char *sysctl_value(const struct allowed_sysctl *name, const char *text, char **ret_message);

#endif
