/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sandbox in the namespaces that the program was given, beside other sandboxes and other
 * programs. All that it has there follows from its number N (netns_lock.h), from 1 to 16383:
 *
 *     address k          127.(64 + N/256).(N%256).(1+k), and fd73:796e:N::(1+k) on lo; k < 250
 *     rules, queue       part N of the common table (netns_tables.h); 16384 + N
 *     mark               0x5f000000 | N
 *     groups of log      2 N and 2 N + 1 (--capture)
 *     first free port    one that no other sandbox of these days has, and nobody listens on
 *     directory          synfault-N-XXXXXX (tmpdir.h)
 *     SYNFAULT_SANDBOX      in the environment of all that it starts: inode of the network
 * namespace, a dash, N
 *
 * The addresses are its own, so a fixed port is no obstacle; the port differs all the same, for
 * servers that listen on all addresses.
 */
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
	int *ports; /* claims on those that were chosen for it */
	size_t n_ports, ports_capacity;
	uint16_t queue;
	uint32_t mark;
	struct address_networks networks;
};

/*
 * Claims a number whose queue is free too, from @hint on, and makes the directory. Returns 0 or a
 * negative errno, with a diagnostic.
 */
int shared_sandbox_open(uint32_t hint, struct diag_list *diags, struct shared_sandbox **ret);

/* Adds what addresses the endpoints need. Returns 0 or a negative errno, with a diagnostic. */
int shared_sandbox_build(struct shared_sandbox *sandbox, const struct scenario *scenario,
			 struct diag_list *diags);

/* Takes back what shared_sandbox_build() added, and its ports: the sandbox is as it was opened. */
void shared_sandbox_clear(struct shared_sandbox *sandbox);

/* Gives everything back; processes have to be gone. NULL is allowed. */
void shared_sandbox_close(struct shared_sandbox *sandbox);

/* Address number @slot (struct endpoint_spec.slot). */
struct address shared_sandbox_address(uint32_t number, size_t slot, enum family family,
				      uint16_t port);
/* The address at @index of the endpoint's. */
struct address shared_sandbox_endpoint_address(uint32_t number, const struct endpoint_spec *spec,
					       size_t index, uint16_t port);
struct address_networks shared_sandbox_networks(uint32_t number);
/* The number of the sandbox to which an address belongs that was added to lo; 0: not one of ours.
 */
uint32_t shared_sandbox_number_of(const struct address *address);
uint16_t shared_sandbox_queue(uint32_t number);
/* The first of two groups of nfnetlink_log. */
uint16_t shared_sandbox_capture_group(uint32_t number);

/*
 * A port from @from on, or the sandbox's first when it is 0, on which nobody listens on any
 * address. It is claimed for the sandbox, so that no server that wants all addresses gets it.
 */
uint16_t shared_sandbox_free_port(struct shared_sandbox *sandbox, uint16_t from);

/* What the value of SYNFAULT_SANDBOX begins with in this network namespace; owned by the caller. */
char *shared_sandbox_id_prefix(void);

/*
 * As fork(): returns 0 in the child, the pid (and in *@ret_pidfd a pid descriptor) in the parent,
 * or a negative errno. Orphans of what the child starts will be its own children. It does not die
 * with its parent, but has to notice and to clean up.
 */
pid_t shared_sandbox_fork(int *ret_pidfd);

#endif
