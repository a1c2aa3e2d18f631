/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's route to an address, and the neighbour to which it sends packets. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_ROUTE_H
#define SYNFAULT_RUNNER_DIAGNOSE_ROUTE_H

#include "runner/diagnose/evidence.h"

/**
 * route_look_up() - ask the kernel how it would send to an address
 *
 * Needs no privilege; sends nothing. ROUTE_UNKNOWN if rtnetlink does not answer.
 * Source: net/ipv4/route.c, inet_rtm_getroute(); net/ipv6/route.c, inet6_rtm_getroute().
 */
void route_look_up(const struct address *to, struct route_evidence *ret);

/** route_look_up_neighbour() - add the neighbour's state, known once a packet was sent to it */
void route_look_up_neighbour(const struct address *to, struct route_evidence *route);

#endif
