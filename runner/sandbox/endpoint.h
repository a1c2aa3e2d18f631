/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers that the harness itself provides at endpoints: `http`, `echo` and `accept`, all on
 * the supervising process's event loop. `none` has no listener, `command` is a process of its own
 * (supervise.c).
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_ENDPOINT_H
#define SYNFAULT_RUNNER_SANDBOX_ENDPOINT_H

#include <event2/event.h>

#include "injector/address.h"
#include "runner/scenario/scenario.h"

struct endpoint_server;

/*
 * Listens on all the addresses. Returns 0, or a negative errno with a diagnostic that names the
 * endpoint. @spec is borrowed as long as the server lives.
 */
int endpoint_server_new(struct event_base *base, const struct endpoint_spec *spec,
			const struct address *addresses, size_t n_addresses,
			struct diag_list *diags, struct endpoint_server **ret);
void endpoint_server_free(struct endpoint_server *server);

#endif
