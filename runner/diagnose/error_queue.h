/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors about a socket's packets, without a privilege: see recvmsg(2), MSG_ERRQUEUE. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_ERROR_QUEUE_H
#define SYNFAULT_RUNNER_DIAGNOSE_ERROR_QUEUE_H

#include "injector/address.h"

/**
 * error_queue_enable() - make the kernel queue ICMP errors
 *
 * Then each of them ends a connect() at once, also those that otherwise only delay it.
 */
void error_queue_enable(int fd, int family);

struct icmp_error {
	uint32_t type, code;
	struct address from; /* who sent it; family 0 if the kernel does not say */
	uint32_t mtu;        /* of the next link, if the packet was too big for it */
};

/** error_queue_read() - take one ICMP error; return false if there was none */
bool error_queue_read(int fd, struct icmp_error *ret);

#endif
