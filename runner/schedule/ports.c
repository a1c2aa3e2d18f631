/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fixed ports in a shared network namespace: see ports.h. */
#include "runner/schedule/ports.h"

#include <errno.h>

#include "runner/sandbox/netns_lock.h"

/* Returns whether this is the scenario's first endpoint with its fixed port. */
static bool is_first(const struct scenario *scenario, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (scenario->endpoints[i].port == scenario->endpoints[index].port)
			return false;
	return scenario->endpoints[index].port != 0;
}

/* Returns whether a server command of the scenario listens on the port. */
static bool needs_alone(const struct scenario *scenario, uint16_t port)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		if (scenario->endpoints[i].port == port &&
		    scenario->endpoints[i].serve == SERVE_COMMAND)
			return true;
	return false;
}

static struct port_use *find_use(const struct ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->n_uses; i++)
		if (ports->uses[i].port == port)
			return &ports->uses[i];
	return NULL;
}

static bool take(struct ports *ports, uint16_t port, bool alone)
{
	struct port_use *use = find_use(ports, port), new = {.port = port, .alone = alone};

	if (use && (alone || use->alone))
		return false;
	if (use) {
		use->n_users++;
		return true;
	}
	new.n_users = 1;
	new.claim = ports->claim(port);
	if (new.claim == -EADDRINUSE)
		return false;
	array_append(ports->uses, ports->n_uses, ports->capacity, new);
	return true;
}

static void give(struct ports *ports, uint16_t port)
{
	struct port_use *use = find_use(ports, port);

	if (!use || --use->n_users > 0)
		return;
	if (use->claim >= 0)
		close(use->claim);
	*use = ports->uses[--ports->n_uses];
}

/* Releases the ports of the endpoints before @end. */
static void give_until(struct ports *ports, const struct scenario *scenario, size_t end)
{
	for (size_t i = 0; i < end; i++)
		if (is_first(scenario, i))
			give(ports, scenario->endpoints[i].port);
}

bool ports_take(struct ports *ports, const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		uint16_t port = scenario->endpoints[i].port;

		if (!is_first(scenario, i) || take(ports, port, needs_alone(scenario, port)))
			continue;
		give_until(ports, scenario, i);
		return false;
	}
	return true;
}

void ports_give(struct ports *ports, const struct scenario *scenario)
{
	give_until(ports, scenario, scenario->n_endpoints);
}

void ports_deinit(struct ports *ports)
{
	for (size_t i = 0; i < ports->n_uses; i++)
		if (ports->uses[i].claim >= 0)
			close(ports->uses[i].claim);
	free(ports->uses);
	*ports = (struct ports){0};
}

int ports_claim(uint16_t port)
{
	return netns_lock_take(NETNS_LOCK_PORT, port);
}
