/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * The network of a private sandbox, and what a shared one (shared_sandbox.h) needs of the given
 * network. With only `lo` and its loopback addresses, a client's resolver would find no address
 * family configured (getaddrinfo() with AI_ADDRCONFIG, c-ares and others), unlike on any real host.
 * So there is a global address of each family: 198.18.0.1 and 2001:db8::1.
 *
 * Where an endpoint has a hostname, these are on an interface `eth0`, for clients that look at
 * interfaces. It is one end of a veth pair. The other end, `wire0`, is in the sandbox too; nothing
 * is ever sent through it. Where no endpoint has a hostname, they are on `lo`, since making a veth
 * pair takes as long as all the rest of a sandbox.
 *
 * Address number k (from 0; struct endpoint_spec.slot) is one of these. IPv6 counts in hexadecimal:
 * 10+k is ::a for k = 0.
 *
 *                         IPv4             IPv6
 *     with a hostname     198.18.0.(10+k)  2001:db8::(10+k)   on eth0; RFC 2544, RFC 3849
 *     without, k = 0      127.0.0.1        ::1
 *     without, k > 0      127.0.0.(1+k)    fd73:796e::(1+k)   on lo; RFC 4193
 */
/* clang-format on */
#ifndef SYNFAULT_RUNNER_SANDBOX_NETWORK_H
#define SYNFAULT_RUNNER_SANDBOX_NETWORK_H

#include "injector/address.h"
#include "runner/scenario/scenario.h"

/* All of these work in the network namespace of the calling process. */

/** network_lo_is_up() - return 1 if `lo` is up, 0 if not, or a negative errno */
int network_lo_is_up(void);

/**
 * network_change_addresses() - add addresses to `lo`, or remove them
 * @addresses: their ports don't matter
 *
 * Return: 0 or a negative errno.
 */
int network_change_addresses(const struct address *addresses, size_t n_addresses, bool add);
/**
 * network_list_addresses() - list the IPv6 addresses of `lo`
 * @ret: an array, the caller's
 *
 * Return: 0 or a negative errno.
 */
int network_list_addresses(struct address **ret, size_t *ret_n);

/** network_lo_up() - bring up `lo`; return 0 or a negative errno */
int network_lo_up(void);

/** network_endpoint_address() - return an endpoint's address at @index, with @port */
struct address network_endpoint_address(const struct endpoint_spec *spec, size_t index,
					uint16_t port);

/**
 * network_setup() - set up interfaces and addresses for a scenario
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int network_setup(const struct scenario *scenario, struct diag_list *diags);

/**
 * network_listens() - find out whether a socket listens for each of the addresses and ports
 * @exactly: don't count sockets that listen on all addresses
 *
 * Return: 1, 0, or a negative errno if the kernel can't be asked.
 */
int network_listens(const struct address *addresses, size_t n_addresses, bool exactly);

#endif
