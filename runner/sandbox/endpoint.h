/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers that synfault itself provides at endpoints: `http`, `echo` and `accept`. All run on
 * the supervisor's event loop. `none` has no listener; `command` is a process of its own
 * (servers.h).
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_ENDPOINT_H
#define SYNFAULT_RUNNER_SANDBOX_ENDPOINT_H

#include <event2/event.h>

#include "injector/address.h"
#include "runner/scenario/scenario.h"

struct endpoint_server;

/**
 * endpoint_server_new() - listen on all addresses of an endpoint
 * @base: borrowed
 * @spec: borrowed as long as the server lives
 * @ret: on success; free it with endpoint_server_free()
 *
 * Return: 0, or a negative errno with a diagnostic that names the endpoint.
 */
int endpoint_server_new(struct event_base *base, const struct endpoint_spec *spec,
			const struct address *addresses, size_t n_addresses,
			struct diag_list *diags, struct endpoint_server **ret);
/** endpoint_server_free() - close the listeners and all their connections */
void endpoint_server_free(struct endpoint_server *server);

#endif
