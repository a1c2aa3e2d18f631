/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * A sandbox in the given namespaces, beside other sandboxes and other programs. Everything that it
 * has there follows from its number N (netns_lock.h), from 1 to 16383:
 *
 *     address k          127.(64 + N/256).(N%256).(1+k), and fd73:796e:N::(1+k) on lo; k < 250
 *     rules, queue       part N of the common table (netns_tables.h); 16384 + N
 *     mark               0x5f000000 | N
 *     log groups         2 N and 2 N + 1 (--capture)
 *     first free port    one that no recent sandbox has used, and on which no process listens
 *     directory          synfault-N-XXXXXX (tmpdir.h)
 *     SYNFAULT_SANDBOX   in the environment of all programs it starts: the inode of the network
 *                        namespace, a dash, N
 *
 * The addresses are its own, so other sandboxes can use the same fixed port. Chosen ports differ
 * all the same, for the sake of servers that listen on all addresses.
 */
/* clang-format on */
#ifndef SYNFAULT_RUNNER_SANDBOX_SHARED_SANDBOX_H
#define SYNFAULT_RUNNER_SANDBOX_SHARED_SANDBOX_H

#include "common/diag.h"
#include "injector/address.h"
#include "runner/sandbox/netns_lock.h"
#include "runner/scenario/scenario.h"

#define SHARED_MAX_SLOTS 250
#define SHARED_VARIABLE  "SYNFAULT_SANDBOX"

struct shared_sandbox {
	uint32_t number;
	int claim; /* descriptor */
	char *directory;
	int directory_fd;
	struct address *added; /* to lo */
	size_t n_added, added_capacity;
	int *ports; /* claims on the ports that were chosen for it */
	size_t n_ports, ports_capacity;
	uint16_t queue;
	uint32_t mark;
	struct address_networks networks;
};

/**
 * shared_sandbox_open() - claim a number whose queue is free, and make the directory
 * @hint: number to begin the search with
 * @ret: on success; close it with shared_sandbox_close()
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int shared_sandbox_open(uint32_t hint, struct diag_list *diags, struct shared_sandbox **ret);

/**
 * shared_sandbox_build() - add the addresses that the endpoints need
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int shared_sandbox_build(struct shared_sandbox *sandbox, const struct scenario *scenario,
			 struct diag_list *diags);

/** shared_sandbox_clear() - undo shared_sandbox_build(), and release the chosen ports */
void shared_sandbox_clear(struct shared_sandbox *sandbox);

/** shared_sandbox_close() - release everything, after its processes have ended; NULL is allowed */
void shared_sandbox_close(struct shared_sandbox *sandbox);

/** shared_sandbox_address() - return address number @slot (struct endpoint_spec.slot) */
struct address shared_sandbox_address(uint32_t number, size_t slot, enum family family,
				      uint16_t port);
/** shared_sandbox_endpoint_address() - return an endpoint's address at @index */
struct address shared_sandbox_endpoint_address(uint32_t number, const struct endpoint_spec *spec,
					       size_t index, uint16_t port);
/** shared_sandbox_networks() - return the networks that hold all addresses of a sandbox */
struct address_networks shared_sandbox_networks(uint32_t number);
/**
 * shared_sandbox_number_of() - return the number of the sandbox that an IPv6 address belongs to
 *
 * Return: 0 if it belongs to none.
 */
uint32_t shared_sandbox_number_of(const struct address *address);
/** shared_sandbox_queue() - return the number of a sandbox's netfilter queue */
uint16_t shared_sandbox_queue(uint32_t number);
/** shared_sandbox_capture_group() - return the first of a sandbox's two nfnetlink_log groups */
uint16_t shared_sandbox_capture_group(uint32_t number);

/**
 * shared_sandbox_free_port() - find a port on which no process listens on any address, and claim it
 * @from: port to begin with; 0: the sandbox's first
 *
 * The claim keeps it from servers of other sandboxes that listen on all addresses.
 */
uint16_t shared_sandbox_free_port(struct shared_sandbox *sandbox, uint16_t from);

/**
 * shared_sandbox_id_prefix() - return what SYNFAULT_SANDBOX begins with in this network namespace
 *
 * Return: the text, owned by the caller.
 */
char *shared_sandbox_id_prefix(void);

/**
 * shared_sandbox_fork() - fork a child that adopts the orphans of what it starts
 * @ret_pidfd: in the parent, a pid descriptor of the child
 *
 * The child does not die with its parent: it has to notice that, and to clean up.
 *
 * Return: 0 in the child, its pid in the parent, or a negative errno.
 */
pid_t shared_sandbox_fork(int *ret_pidfd);

#endif
