/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sandbox in the given namespaces: see shared_sandbox.h. */
#include "runner/sandbox/shared_sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "injector/queue.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/network.h"
#include "runner/sandbox/tmpdir.h"

enum {
	FIRST_QUEUE = 16384,
	/* Ports from 8080 on, below the ephemeral ones (ip_local_port_range). */
	FIRST_PORT = 8080,
	PORTS_PER_SANDBOX = 16,
	N_PORT_RANGES = 1500,
};
#define MARK UINT32_C(0x5f000000)

struct address shared_sandbox_address(uint32_t number, size_t slot, enum family family,
				      uint16_t port)
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

struct address shared_sandbox_endpoint_address(uint32_t number, const struct endpoint_spec *spec,
					       size_t index, uint16_t port)
{
	return shared_sandbox_address(number, spec->slot + endpoint_ordinal(spec, index) - 1,
				      spec->families[index], port);
}

struct address_networks shared_sandbox_networks(uint32_t number)
{
	const struct address ipv4 = shared_sandbox_address(number, 0, FAMILY_IPV4, 0);
	const struct address ipv6 = shared_sandbox_address(number, 0, FAMILY_IPV6, 0);
	struct address_networks networks;

	memcpy(networks.ipv4, ipv4.bytes, sizeof(networks.ipv4));
	memcpy(networks.ipv6, ipv6.bytes, sizeof(networks.ipv6));
	return networks;
}

uint32_t shared_sandbox_number_of(const struct address *address)
{
	uint32_t number = (uint32_t)address->bytes[4] << 8 | address->bytes[5];
	struct address own =
		shared_sandbox_address(number, address->bytes[15] - 1u, FAMILY_IPV6, address->port);

	return address->bytes[15] && number <= NETNS_LOCK_LAST_SANDBOX &&
			       address_equal(&own, address)
		       ? number
		       : 0;
}

uint16_t shared_sandbox_capture_group(uint32_t number)
{
	return (uint16_t)(2 * number);
}

uint16_t shared_sandbox_queue(uint32_t number)
{
	return (uint16_t)(FIRST_QUEUE + number);
}

/* Returns whether a process listens on the port, on any address of the family. */
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

/* Claims the port, unless a process listens on it or another sandbox has claimed it. */
static bool take_port(struct shared_sandbox *sandbox, uint16_t port)
{
	int claim;

	if (is_taken(AF_INET, port) || is_taken(AF_INET6, port))
		return false;
	claim = netns_lock_take(NETNS_LOCK_PORT, port);
	if (claim >= 0)
		array_append(sandbox->ports, sandbox->n_ports, sandbox->ports_capacity, claim);
	return claim != -EADDRINUSE;
}

uint16_t shared_sandbox_free_port(struct shared_sandbox *sandbox, uint16_t from)
{
	uint16_t port = from;

	if (!port)
		port = (uint16_t)(FIRST_PORT + sandbox->number % N_PORT_RANGES * PORTS_PER_SANDBOX);
	/* If even the last port is taken, the server that binds it reports that. */
	while (port < UINT16_MAX && !take_port(sandbox, port))
		port++;
	return port;
}

char *shared_sandbox_id_prefix(void)
{
	struct stat status = {0};

	(void)!stat("/proc/self/ns/net", &status);
	return xasprintf("%llu-", (unsigned long long)status.st_ino);
}

/* Tries to bind the number's queue. Returns 0, -EBUSY, or another negative errno. */
static int try_queue(uint32_t number, struct diag_list *diags)
{
	const struct queue_config config = {.number = shared_sandbox_queue(number), .length = 1};
	struct queue *queue;
	int status = queue_open(&config, diags, &queue);

	if (!status)
		queue_free(queue);
	return status;
}

static int claim_any(uint32_t hint, struct diag_list *diags, struct shared_sandbox *sandbox)
{
	for (uint32_t i = 0; i < NETNS_LOCK_LAST_SANDBOX; i++) {
		uint32_t number = (hint + i) % NETNS_LOCK_LAST_SANDBOX + 1;
		AUTO_CLOSE int claim = netns_lock_take(NETNS_LOCK_SANDBOX, number);
		AUTO_DIAG struct diag_list refused = {0};
		int status = claim < 0 ? claim : try_queue(number, &refused);

		if (status == -EADDRINUSE || status == -EBUSY)
			continue;
		if (status < 0) {
			diag_add(diags, NULL, "the scenario's sandbox gets no number: %s",
				 refused.n_items ? refused.items[0].message : strerror(-status));
			return status;
		}
		sandbox->number = number;
		sandbox->claim = steal_fd(&claim);
		return 0;
	}
	diag_add(diags, NULL, "all %d numbers for sandboxes are in use", NETNS_LOCK_LAST_SANDBOX);
	return -EADDRINUSE;
}

int shared_sandbox_open(uint32_t hint, struct diag_list *diags, struct shared_sandbox **ret)
{
	struct shared_sandbox *sandbox = xzalloc(sizeof(*sandbox));
	int status;

	sandbox->claim = sandbox->directory_fd = -1;
	status = claim_any(hint, diags, sandbox);
	if (!status) {
		sandbox->directory_fd = tmpdir_make(sandbox->number, &sandbox->directory);
		if (sandbox->directory_fd < 0) {
			status = sandbox->directory_fd;
			diag_add(diags, NULL, "a temporary directory can't be made: %s",
				 strerror(-status));
			diag_hint(diags, "set TMPDIR to a writable directory");
		}
	}
	if (status < 0) {
		shared_sandbox_close(sandbox);
		return status;
	}
	sandbox->queue = shared_sandbox_queue(sandbox->number);
	sandbox->mark = MARK | sandbox->number;
	sandbox->networks = shared_sandbox_networks(sandbox->number);
	*ret = sandbox;
	return 0;
}

int shared_sandbox_build(struct shared_sandbox *sandbox, const struct scenario *scenario,
			 struct diag_list *diags)
{
	int status;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		for (size_t f = 0;
		     !scenario->endpoints[i].remote && f < scenario->endpoints[i].n_families; f++)
			if (scenario->endpoints[i].families[f] == FAMILY_IPV6)
				array_append(
					sandbox->added, sandbox->n_added, sandbox->added_capacity,
					shared_sandbox_endpoint_address(
						sandbox->number, &scenario->endpoints[i], f, 0));
	status = network_change_addresses(sandbox->added, sandbox->n_added, true);
	if (status < 0)
		diag_add(diags, NULL, "IPv6 addresses can't be added to lo: %s", strerror(-status));
	return status;
}

void shared_sandbox_clear(struct shared_sandbox *sandbox)
{
	(void)network_change_addresses(sandbox->added, sandbox->n_added, false);
	sandbox->n_added = 0;
	for (size_t i = 0; i < sandbox->n_ports; i++)
		close(sandbox->ports[i]);
	sandbox->n_ports = 0;
}

void shared_sandbox_close(struct shared_sandbox *sandbox)
{
	if (!sandbox)
		return;
	shared_sandbox_clear(sandbox);
	if (sandbox->directory_fd >= 0) {
		tmpdir_remove(sandbox->directory, sandbox->directory_fd);
		close(sandbox->directory_fd);
	}
	free(sandbox->ports);
	/* Last: until now no other sandbox may use what follows from the number. */
	if (sandbox->claim >= 0)
		close(sandbox->claim);
	free(sandbox->directory);
	free(sandbox->added);
	free(sandbox);
}

pid_t shared_sandbox_fork(int *ret_pidfd)
{
	pid_t pid = namespace_clone(0, ret_pidfd);

	if (pid == 0)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	return pid;
}
