/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network of a private sandbox, and what a shared one (shared_sandbox.h) needs of the given
 * network. With only `lo` and its loopback addresses, a client's resolver sees no configured family
 * (getaddrinfo() with AI_ADDRCONFIG, c-ares and others), which no host is like. So there is a
 * global address of each family: 198.18.0.1 and 2001:db8::1.
 *
 * Where an endpoint has a hostname, they are on an interface `eth0`, as clients that look at
 * interfaces want it. It is one end of a veth pair whose other end, `wire0`, is in the sandbox too;
 * nothing is ever sent through it. Where no name is resolved, they are on `lo`: a veth pair takes
 * as long to make as all the rest of a sandbox.
 *
 * Address number k (from 0; struct endpoint_spec.slot) is one of these, IPv6 counted in hexadecimal
 * (10+k is ::a for k = 0):
 *
 *                         IPv4             IPv6
 *     with a hostname     198.18.0.(10+k)  2001:db8::(10+k)   on eth0; RFC 2544, RFC 3849
 *     without, k = 0      127.0.0.1        ::1
 *     without, k > 0      127.0.0.(1+k)    fd73:796e::(1+k)   on lo; RFC 4193
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_NETWORK_H
#define SYNFAULT_RUNNER_SANDBOX_NETWORK_H

#include "injector/address.h"
#include "runner/scenario/scenario.h"

/* Whether `lo` is up in the network namespace of the calling process: 1, 0, or a negative errno. */
int network_lo_is_up(void);

/*
 * Adds addresses to `lo` there, or removes them; their ports don't matter. Returns 0 or a negative
 * errno.
 */
int network_change_addresses(const struct address *addresses, size_t n_addresses, bool add);
/* The IPv6 addresses of `lo` there; the array is the caller's. Returns 0 or a negative errno. */
int network_list_addresses(struct address **ret, size_t *ret_n);

/* Brings `lo` up in the network namespace of the calling process. Returns 0 or a negative errno. */
int network_lo_up(void);

/* The address at @index of the endpoint's, with port @port. */
struct address network_endpoint_address(const struct endpoint_spec *spec, size_t index,
					uint16_t port);

/* Sets everything up for a scenario. Returns 0 or a negative errno, with a diagnostic. */
int network_setup(const struct scenario *scenario, struct diag_list *diags);

/*
 * Whether a socket listens for each of these addresses and ports, in the network namespace of the
 * calling process. Wildcards count as far as they accept the family, unless @exactly. Returns 1, 0,
 * or a negative errno when the kernel can't be asked.
 */
int network_listens(const struct address *addresses, size_t n_addresses, bool exactly);

#endif
