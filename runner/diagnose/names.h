/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a name becomes addresses: what getaddrinfo() answers, and where that comes from. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_NAMES_H
#define SYNFAULT_RUNNER_DIAGNOSE_NAMES_H

#include "runner/diagnose/evidence.h"

/**
 * names_look_up() - resolve the host, in the order in which clients try its addresses
 * @evidence: has host and port; gets name and addresses
 *
 * Takes as long as the resolver does: up to 10 s by default (resolv.conf(5), timeout, attempts).
 */
void names_look_up(struct evidence *evidence);

#endif
