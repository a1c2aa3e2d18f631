/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed ports in a network namespace that scenarios share. Endpoints have addresses of their own,
 * so several scenarios can use one port. But a user's server may listen on all addresses, which is
 * unknown before it runs. So a scenario with such a server runs only while no other scenario uses
 * its port, and scenarios with that port wait for it. Claims (runner/sandbox/netns_lock.h) keep
 * other runs of synfault, and the ports that sandboxes choose, away from a port that is in use.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_PORTS_H
#define SYNFAULT_RUNNER_SCHEDULE_PORTS_H

#include "runner/scenario/scenario.h"

/* A port that is in use. */
struct port_use {
	uint16_t port;
	bool alone;       /* its one user runs a server command there */
	uint32_t n_users; /* scenarios */
	int claim;        /* descriptor, or -1 */
};

struct ports {
	/*
	 * Returns a descriptor that holds the port against others, -EADDRINUSE, or another negative
	 * errno: then claims don't work, and the port is used without.
	 */
	int (*claim)(uint16_t port);
	struct port_use *uses;
	size_t n_uses, capacity;
};

/**
 * ports_take() - take all fixed ports of a scenario, or none
 *
 * Return: false if the scenario has to wait.
 */
bool ports_take(struct ports *ports, const struct scenario *scenario);
/** ports_give() - release them */
void ports_give(struct ports *ports, const struct scenario *scenario);
void ports_deinit(struct ports *ports);

/** ports_claim() - claim a port in the calling process's network namespace; for struct ports */
int ports_claim(uint16_t port);

#endif
