/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The path to an address, router by router, found by SYNs whose hops run out on the way. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_PATH_H
#define SYNFAULT_RUNNER_DIAGNOSE_PATH_H

#include "runner/diagnose/evidence.h"

/**
 * path_walk() - send one SYN for each hop count, from 1 on, until the host answers
 * @address: gets hops, up to the host's first answer or to three silent hops in a row
 *
 * Needs no privilege: the error queue of a connecting socket takes ICMP errors (Linux 5.9,
 * net/ipv4/tcp_ipv4.c, tcp_v4_err()). Takes 400 ms for each silent hop.
 */
void path_walk(struct address_evidence *address);

#endif
