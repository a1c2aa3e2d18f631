/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts tap and spool together for a cell: see packets.h. */
#include "runner/cell/packets.h"

#include "injector/tap.h"
#include "runner/cell/remote.h"
#include "runner/cell/shared.h"
#include "runner/cell/space.h"
#include "runner/trace/spool.h"

#define TABLE "synfault-capture"
/* In a network namespace that is ours alone. */
#define PRIVATE_GROUP 1

struct packets {
	struct spool *spool;
	struct tap *tap; /* NULL: there is none */
};

static void on_packet(void *userdata, const struct tap_packet *packet)
{
	const struct packets *packets = userdata;

	spool_add(packets->spool, packet);
}

/* The addresses of all endpoints that are remote; owned by the caller. */
static struct address *collect_remotes(const struct cell *cell, size_t *ret_n)
{
	struct address *addresses = NULL;
	size_t n = 0, capacity = 0;

	for (size_t i = 0; i < cell->scenario->n_endpoints; i++) {
		const struct cell_endpoint *endpoint = &cell->endpoints[i];

		for (size_t k = 0; endpoint->remote && k < endpoint->n_addresses; k++)
			array_append(addresses, n, capacity, endpoint->addresses[k]);
	}
	*ret_n = n;
	return addresses;
}

struct packets *packets_begin(const struct cell *cell, struct event_base *base, int fd,
			      uint64_t limit)
{
	struct packets *packets = xzalloc(sizeof(*packets));
	AUTO_FREE char *reason = NULL;
	AUTO_FREE struct address *remotes = NULL;
	char remote[REMOTE_TABLE_SIZE];
	struct tap_config config = {
		.table = TABLE,
		.group = PRIVATE_GROUP,
		.base = base,
		.on_packet = on_packet,
		.userdata = packets,
	};

	if (cell->shared) {
		config.table = SPACE_CAPTURE_TABLE;
		config.group = shared_capture_group(cell->shared->number);
		config.networks = &cell->shared->networks;
		config.part = cell->shared->number;
		config.remotes = remotes = collect_remotes(cell, &config.n_remotes);
		config.remote_table = remote_table(cell->remote_table, remote);
		config.refuse_mark = cell->shared->mark;
	}
	packets->spool = spool_begin(fd, limit);
	(void)tap_new(&config, &reason, &packets->tap);
	if (reason)
		spool_refuse(packets->spool, reason);
	return packets;
}

void packets_end(struct packets *packets)
{
	if (!packets)
		return;
	spool_end(packets->spool, packets->tap ? tap_end(packets->tap) : 0);
	free(packets);
}
