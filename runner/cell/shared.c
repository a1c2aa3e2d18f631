/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cell in the given namespaces: see shared.h. */
#include "runner/cell/shared.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "injector/queue.h"
#include "runner/cell/namespace.h"
#include "runner/cell/network.h"
#include "runner/cell/scratch.h"

enum {
	FIRST_QUEUE = 16384,
	/* Ports from 8080 on, below those that clients get (ip_local_port_range). */
	FIRST_PORT = 8080,
	PORTS_PER_CELL = 16,
	N_PORT_RANGES = 1500,
};
#define MARK UINT32_C(0x5f000000)

struct address shared_address(uint32_t number, size_t slot, enum family family, uint16_t port)
{
	uint8_t host = (uint8_t)(1 + slot);

	if (family == FAMILY_IPV4)
		return (struct address){
			.family = AF_INET,
			.port = port,
			.bytes = {127, (uint8_t)(64 + number / 256), (uint8_t)number, host},
		};
	return (struct address){
		.family = AF_INET6,
		.port = port,
		.bytes = {0xfd, 0x73, 0x79, 0x6e, (uint8_t)(number >> 8),
			  (uint8_t)number, [15] = host},
	};
}

struct address shared_endpoint_address(uint32_t number, const struct endpoint_spec *spec,
				       size_t index, uint16_t port)
{
	return shared_address(number, spec->slot + endpoint_ordinal(spec, index) - 1,
			      spec->families[index], port);
}

struct address_networks shared_networks(uint32_t number)
{
	const struct address ipv4 = shared_address(number, 0, FAMILY_IPV4, 0);
	const struct address ipv6 = shared_address(number, 0, FAMILY_IPV6, 0);
	struct address_networks networks;

	memcpy(networks.ipv4, ipv4.bytes, sizeof(networks.ipv4));
	memcpy(networks.ipv6, ipv6.bytes, sizeof(networks.ipv6));
	return networks;
}

uint32_t shared_number_of(const struct address *address)
{
	uint32_t number = (uint32_t)address->bytes[4] << 8 | address->bytes[5];
	struct address own =
		shared_address(number, address->bytes[15] - 1u, FAMILY_IPV6, address->port);

	return address->bytes[15] && number <= CLAIM_LAST_CELL && address_equal(&own, address)
		       ? number
		       : 0;
}

uint16_t shared_capture_group(uint32_t number)
{
	return (uint16_t)(2 * number);
}

uint16_t shared_queue(uint32_t number)
{
	return (uint16_t)(FIRST_QUEUE + number);
}

/* Whether somebody listens on the port, on whatever address of the family. */
static bool is_taken(sa_family_t family, uint16_t port)
{
	const struct address any = {.family = family, .port = port};
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&any, &storage);
	AUTO_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	const int on = 1;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&storage, length) < 0 && errno == EADDRINUSE;
}

/* Whether nobody listens on the port, and nobody will. */
static bool take_port(struct shared_cell *cell, uint16_t port)
{
	int claim;

	if (is_taken(AF_INET, port) || is_taken(AF_INET6, port))
		return false;
	claim = claim_take(CLAIM_PORT, port);
	if (claim >= 0)
		array_append(cell->ports, cell->n_ports, cell->ports_capacity, claim);
	return claim != -EADDRINUSE;
}

uint16_t shared_free_port(struct shared_cell *cell, uint16_t from)
{
	uint16_t port = from;

	if (!port)
		port = (uint16_t)(FIRST_PORT + cell->number % N_PORT_RANGES * PORTS_PER_CELL);
	/* None is free at the end of all ports: then binding it says so. */
	while (port < UINT16_MAX && !take_port(cell, port))
		port++;
	return port;
}

char *shared_id_prefix(void)
{
	struct stat status = {0};

	(void)!stat("/proc/self/ns/net", &status);
	return xasprintf("%llu-", (unsigned long long)status.st_ino);
}

/* Whether the number's queue can be bound. Returns 0, -EBUSY, or another negative errno. */
static int try_queue(uint32_t number, struct diag_list *diags)
{
	const struct queue_config config = {.number = shared_queue(number), .length = 1};
	struct queue *queue;
	int status = queue_open(&config, diags, &queue);

	if (!status)
		queue_free(queue);
	return status;
}

static int claim_any(uint32_t hint, struct diag_list *diags, struct shared_cell *cell)
{
	for (uint32_t i = 0; i < CLAIM_LAST_CELL; i++) {
		uint32_t number = (hint + i) % CLAIM_LAST_CELL + 1;
		AUTO_CLOSE int claim = claim_take(CLAIM_CELL, number);
		AUTO_DIAG struct diag_list refused = {0};
		int status = claim < 0 ? claim : try_queue(number, &refused);

		if (status == -EADDRINUSE || status == -EBUSY)
			continue;
		if (status < 0) {
			diag_add(diags, NULL, "no number for the scenario's cell: %s",
				 refused.n_items ? refused.items[0].message : strerror(-status));
			return status;
		}
		cell->number = number;
		cell->claim = steal_fd(&claim);
		return 0;
	}
	diag_add(diags, NULL, "all %d numbers for cells are taken", CLAIM_LAST_CELL);
	return -EADDRINUSE;
}

int shared_open(uint32_t hint, struct diag_list *diags, struct shared_cell **ret)
{
	struct shared_cell *cell = xzalloc(sizeof(*cell));
	int status;

	cell->claim = cell->directory_fd = -1;
	status = claim_any(hint, diags, cell);
	if (!status) {
		cell->directory_fd = scratch_make(cell->number, &cell->directory);
		if (cell->directory_fd < 0) {
			status = cell->directory_fd;
			diag_add(diags, NULL, "no temporary directory can be made: %s",
				 strerror(-status));
			diag_hint(diags, "set TMPDIR to a directory that can be written to");
		}
	}
	if (status < 0) {
		shared_close(cell);
		return status;
	}
	cell->queue = shared_queue(cell->number);
	cell->mark = MARK | cell->number;
	cell->networks = shared_networks(cell->number);
	*ret = cell;
	return 0;
}

int shared_build(struct shared_cell *cell, const struct scenario *scenario, struct diag_list *diags)
{
	int status;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		for (size_t f = 0;
		     !scenario->endpoints[i].remote && f < scenario->endpoints[i].n_families; f++)
			if (scenario->endpoints[i].families[f] == FAMILY_IPV6)
				array_append(cell->added, cell->n_added, cell->added_capacity,
					     shared_endpoint_address(
						     cell->number, &scenario->endpoints[i], f, 0));
	status = network_change_addresses(cell->added, cell->n_added, true);
	if (status < 0)
		diag_add(diags, NULL, "IPv6 addresses can't be added to lo: %s", strerror(-status));
	return status;
}

void shared_clear(struct shared_cell *cell)
{
	(void)network_change_addresses(cell->added, cell->n_added, false);
	cell->n_added = 0;
	for (size_t i = 0; i < cell->n_ports; i++)
		close(cell->ports[i]);
	cell->n_ports = 0;
}

void shared_close(struct shared_cell *cell)
{
	if (!cell)
		return;
	shared_clear(cell);
	if (cell->directory_fd >= 0) {
		scratch_remove(cell->directory, cell->directory_fd);
		close(cell->directory_fd);
	}
	free(cell->ports);
	/* Last: until then nobody else may have what follows from it. */
	if (cell->claim >= 0)
		close(cell->claim);
	free(cell->directory);
	free(cell->added);
	free(cell);
}

pid_t shared_fork(int *ret_pidfd)
{
	pid_t pid = namespace_clone(0, ret_pidfd);

	if (pid == 0)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	return pid;
}
