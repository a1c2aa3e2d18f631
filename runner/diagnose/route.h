/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's route to an address, and the neighbour that packets to it go to. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_ROUTE_H
#define SYNFAULT_RUNNER_DIAGNOSE_ROUTE_H

#include "runner/diagnose/evidence.h"

/**
 * route_look_up() - ask the kernel how it would send to an address
 *
 * Needs no privilege; sends nothing. ROUTE_UNKNOWN where rtnetlink does not answer.
 * Source: net/ipv4/route.c, inet_rtm_getroute(); net/ipv6/route.c, inet6_rtm_getroute().
 */
void route_look_up(const struct address *to, struct route_evidence *ret);

/* Adds the state of the neighbour, known once something was sent there. */
void route_look_up_neighbour(const struct address *to, struct route_evidence *route);

#endif
