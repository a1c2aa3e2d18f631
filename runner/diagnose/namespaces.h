/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other network namespaces of this machine, such as those of containers: which of them has an
 * address, and which has a listener on a port. Finds those that a visible process is in. Looking
 * into them needs CAP_SYS_ADMIN; without it none is found.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_NAMESPACES_H
#define SYNFAULT_RUNNER_DIAGNOSE_NAMESPACES_H

#include "runner/diagnose/evidence.h"

/**
 * namespaces_find_address() - find another network namespace that has an address
 *
 * Addresses of loopback devices don't count: every namespace has 127.0.0.1.
 *
 * Return: a descriptor of it, or -ENOENT.
 */
int namespaces_find_address(const struct address *address);

/**
 * namespaces_find_listener() - find a listener on a port in another network namespace
 * @ret: its program is owned by the caller
 * @ret_home: an address of that namespace to which it listens; family 0: none but loopback
 *
 * Return: whether there is one.
 */
bool namespaces_find_listener(uint16_t port, struct listener *ret, struct address *ret_home);

/**
 * namespaces_visit() - move the calling process to a network namespace
 *
 * The process must have a single thread.
 *
 * Return: a descriptor of the one that it leaves, for namespaces_leave(), or a negative errno.
 */
int namespaces_visit(int fd);
/** namespaces_leave() - move back and close the descriptor; ends the process if that fails */
void namespaces_leave(int own);

#endif
