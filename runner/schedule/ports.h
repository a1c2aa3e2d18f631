/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed ports in a network namespace that scenarios share. Endpoints have addresses of their own,
 * so that many can use one port. But a user's server may listen on all addresses, which is unknown
 * before it runs. Therefore a scenario with such a server runs alone on its port: it waits for the
 * others, and they wait for it. Claims (runner/sandbox/netns_lock.h) keep other programs and the
 * sandboxes' own choices away.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_PORTS_H
#define SYNFAULT_RUNNER_SCHEDULE_PORTS_H

#include "runner/scenario/scenario.h"

/* A port that is in use. */
struct port_use {
	uint16_t port;
	bool alone;       /* its one user has a server of its own there */
	uint32_t n_users; /* scenarios */
	int claim;        /* descriptor, or -1 */
};

struct ports {
	/* Returns a descriptor that holds the port against others, -EADDRINUSE, or another negative
	 * errno: then there are no claims, and it is used without. */
	int (*claim)(uint16_t port);
	struct port_use *uses;
	size_t n_uses, capacity;
};

/*
 * Takes all fixed ports of the scenario, or none: then it returns false, and the scenario has to
 * wait.
 */
bool ports_take(struct ports *ports, const struct scenario *scenario);
/* Gives them back. */
void ports_give(struct ports *ports, const struct scenario *scenario);
void ports_deinit(struct ports *ports);

/* A claim in the network namespace of the calling process, for struct ports. */
int ports_claim(uint16_t port);

#endif
