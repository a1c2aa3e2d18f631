/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enters another process's network namespace, for `synfault inject --netns`. */
#ifndef SYNFAULT_RUNNER_INJECT_NETNS_ENTER_H
#define SYNFAULT_RUNNER_INJECT_NETNS_ENTER_H

#include "common/diag.h"

/**
 * netns_enter() - move the calling process into another network namespace
 * @which: the pid of a process, or a path (/run/netns/NAME, /proc/PID/ns/net)
 *
 * If the namespace belongs to a user namespace of the calling user, that one is entered first.
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int netns_enter(const char *which, struct diag_list *diags);

#endif
