/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel settings (sysctls) that a scenario can change: those of a network namespace that
 * affect TCP connections. The list is explicit, so that a wrong name or value is found when a file
 * is read, on any kernel.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SYSCTL_ALLOWLIST_H
#define SYNFAULT_RUNNER_SCENARIO_SYSCTL_ALLOWLIST_H

#include "common/util.h"

struct allowed_sysctl {
	const char *path;  /* below /proc/sys: "net/ipv4/tcp_syn_retries" */
	size_t n_numbers;  /* in its value; 0: the value is a word */
	int64_t low, high; /* of each number */
};

/**
 * sysctl_allowlist_find() - find a setting by its full name ("net.ipv4.tcp_syn_retries") or the
 * last part of it
 *
 * Return: NULL if there is none.
 */
const struct allowed_sysctl *sysctl_allowlist_find(const char *name);
/** sysctl_short_name() - return the last part of a setting's name: "tcp_syn_retries" */
const char *sysctl_short_name(const struct allowed_sysctl *name);
/**
 * sysctl_allowlist() - return the short names of all settings; the list ends with NULL
 *
 * The caller frees the array, but not the names.
 */
const char **sysctl_allowlist(void);

/**
 * sysctl_value() - read a value from a scenario: numbers with blanks between them, or a word
 *
 * Return: the value as the kernel takes it, owned by the caller; or NULL, with what the value must
 * be in *@ret_message, owned by the caller.
 */
char *sysctl_value(const struct allowed_sysctl *name, const char *text, char **ret_message);

#endif
