/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors about a socket's packets, without a privilege: see recvmsg(2), MSG_ERRQUEUE. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_ERROR_QUEUE_H
#define SYNFAULT_RUNNER_DIAGNOSE_ERROR_QUEUE_H

#include "injector/address.h"

/* Has the kernel queue them. They end a connect() at once, too, which others only delay. */
void error_queue_enable(int fd, int family);

/**
 * error_queue_read() - take one error
 * @ret_from: who sent it; family 0 when the kernel does not say
 *
 * Return: whether there was one.
 */
bool error_queue_read(int fd, uint8_t *ret_type, uint8_t *ret_code, struct address *ret_from);

#endif
