/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connects nflog and spool for a sandbox: see packet_capture.h. */
#include "runner/sandbox/packet_capture.h"

#include "injector/nflog.h"
#include "runner/record/spool.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/remote.h"
#include "runner/sandbox/shared_sandbox.h"

#define TABLE "synfault-capture"
/* A private network namespace has no other groups. */
#define PRIVATE_GROUP 1

struct packet_capture {
	struct spool *spool;
	struct nflog *tap; /* NULL: it can't capture */
};

static void on_packet(void *userdata, const struct nflog_packet *packet)
{
	const struct packet_capture *packets = userdata;

	spool_add(packets->spool, packet);
}

/* Returns the addresses of all remote endpoints; owned by the caller. */
static struct address *collect_remotes(const struct sandbox *sandbox, size_t *ret_n)
{
	struct address *addresses = NULL;
	size_t n = 0, capacity = 0;

	for (size_t i = 0; i < sandbox->scenario->n_endpoints; i++) {
		const struct sandbox_endpoint *endpoint = &sandbox->endpoints[i];

		for (size_t k = 0; endpoint->remote && k < endpoint->n_addresses; k++)
			array_append(addresses, n, capacity, endpoint->addresses[k]);
	}
	*ret_n = n;
	return addresses;
}

struct packet_capture *packet_capture_begin(const struct sandbox *sandbox, struct event_base *base,
					    int fd, uint64_t limit)
{
	struct packet_capture *packets = xzalloc(sizeof(*packets));
	AUTO_FREE char *reason = NULL;
	AUTO_FREE struct address *remotes = NULL;
	char remote[REMOTE_TABLE_SIZE];
	struct nflog_config config = {
		.table = TABLE,
		.group = PRIVATE_GROUP,
		.base = base,
		.on_packet = on_packet,
		.userdata = packets,
	};

	if (sandbox->shared) {
		config.table = SPACE_CAPTURE_TABLE;
		config.group = shared_sandbox_capture_group(sandbox->shared->number);
		config.networks = &sandbox->shared->networks;
		config.part = sandbox->shared->number;
		config.remotes = remotes = collect_remotes(sandbox, &config.n_remotes);
		config.remote_table = remote_table(sandbox->remote_table, remote);
		config.refuse_mark = sandbox->shared->mark;
	}
	packets->spool = spool_begin(fd, limit);
	(void)nflog_new(&config, &reason, &packets->tap);
	if (reason)
		spool_refuse(packets->spool, reason);
	return packets;
}

void packet_capture_end(struct packet_capture *packets)
{
	if (!packets)
		return;
	spool_end(packets->spool, packets->tap ? nflog_end(packets->tap) : 0);
	free(packets);
}
