/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether full-sized packets reach an address, found by UDP datagrams that must not be fragmented.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_PATH_MTU_H
#define SYNFAULT_RUNNER_DIAGNOSE_PATH_MTU_H

#include "runner/diagnose/evidence.h"

/**
 * path_mtu_probe() - send a small and a full-sized datagram to a port that traceroute uses
 * @address: with its route; gets path_mtu
 *
 * A host answers a datagram to a closed port with ICMP "port unreachable" (RFC 1122, 3.2.2.1), and
 * a router says when one is too big (RFC 1191; RFC 8201). If a large one gets neither, and a small
 * one is answered, smaller and smaller ones follow, at most 8. Needs no privilege; takes 300 ms for
 * each datagram without an answer.
 */
void path_mtu_probe(struct address_evidence *address);

#endif
