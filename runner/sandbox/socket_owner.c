/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the instance of a client that has a socket: see socket_owner.h.
 *
 * The search starts with the known processes, after the one that was found last: instances that
 * start one after the other make their attempts in that order. Only if none of them has the socket,
 * /proc is searched for new processes. A process belongs to an instance by its session; if it leads
 * a session of its own, by its parent; and if the parent has ended (a daemon), by its environment.
 * If it has cleared that, its instance is unknown.
 */
#include "runner/sandbox/socket_owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <uthash.h>

#include "injector/sock_lookup.h"
#include "runner/sandbox/proc_stat.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/sandbox.h"

/* When this many sockets are remembered, all are forgotten. */
#define MAX_SOCKETS 100000

struct owned_socket {
	UT_hash_handle hh;
	uint64_t inode;
	uint32_t instance;
};

struct known_process {
	pid_t pid;
	uint32_t instance;
};

struct socket_owners {
	struct sock_lookup *lookup; /* NULL: the kernel has no such lookup */
	pid_t *leaders;             /* of sessions, by instance; 0: not started */
	uint32_t n_instances;
	struct known_process *known;
	size_t n_known, known_capacity;
	size_t next; /* index in `known` at which the next search starts */
	struct owned_socket *sockets;
};

struct socket_owners *socket_owners_new(uint32_t n_instances)
{
	struct socket_owners *owners = xzalloc(sizeof(*owners));

	owners->n_instances = n_instances;
	owners->leaders = xzalloc(n_instances * sizeof(*owners->leaders));
	owners->lookup = sock_lookup_new();
	return owners;
}

static void forget_sockets(struct socket_owners *owners)
{
	struct owned_socket *socket, *next;

	HASH_ITER (hh, owners->sockets, socket, next) {
		HASH_DEL(owners->sockets, socket);
		free(socket);
	}
}

void socket_owners_free(struct socket_owners *owners)
{
	if (!owners)
		return;
	forget_sockets(owners);
	sock_lookup_free(owners->lookup);
	free(owners->leaders);
	free(owners->known);
	free(owners);
}

static void add_known(struct socket_owners *owners, pid_t pid, uint32_t instance)
{
	array_append(owners->known, owners->n_known, owners->known_capacity,
		     (struct known_process){.pid = pid, .instance = instance});
}

void socket_owners_add(struct socket_owners *owners, uint32_t instance, pid_t pid)
{
	if (instance >= owners->n_instances)
		return;
	owners->leaders[instance] = pid;
	add_known(owners, pid, instance);
}

/* ---- the processes' side ---- */

static void remember(struct socket_owners *owners, uint64_t inode, uint32_t instance)
{
	struct owned_socket *socket;

	HASH_FIND(hh, owners->sockets, &inode, sizeof(inode), socket);
	if (socket)
		return;
	if (HASH_COUNT(owners->sockets) >= MAX_SOCKETS)
		forget_sockets(owners);
	socket = xzalloc(sizeof(*socket));
	socket->inode = inode;
	socket->instance = instance;
	HASH_ADD(hh, owners->sockets, inode, sizeof(socket->inode), socket);
}

/* Remembers all sockets of a process. Returns false if the process is gone. */
static bool look_at(struct socket_owners *owners, const struct known_process *process)
{
	char path[32];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", process->pid);
	directory = opendir(path);
	if (!directory)
		return errno != ENOENT && errno != ESRCH;
	for (struct dirent *entry; (entry = readdir(directory));) {
		char target[64];
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
		unsigned long long inode;

		if (length <= 0)
			continue;
		target[length] = '\0';
		if (sscanf(target, "socket:[%llu]", &inode) == 1)
			remember(owners, inode, process->instance);
	}
	closedir(directory);
	return true;
}

static bool is_remembered(const struct socket_owners *owners, uint64_t inode,
			  uint32_t *ret_instance)
{
	struct owned_socket *socket;

	HASH_FIND(hh, owners->sockets, &inode, sizeof(inode), socket);
	if (!socket)
		return false;
	*ret_instance = socket->instance;
	return true;
}

/* Looks at the known processes until one has the socket; drops those that are gone. */
static bool find_in_known(struct socket_owners *owners, uint64_t inode, uint32_t *ret_instance)
{
	size_t looked_at = 0;

	if (owners->next >= owners->n_known)
		owners->next = 0;
	for (size_t i = owners->next; looked_at < owners->n_known;) {
		if (i >= owners->n_known)
			i = 0;
		if (!look_at(owners, &owners->known[i])) {
			/* Keep the order, in which the next one is found soon. */
			memmove(&owners->known[i], &owners->known[i + 1],
				(owners->n_known - i - 1) * sizeof(*owners->known));
			owners->n_known--;
			continue;
		}
		looked_at++;
		i++;
		if (is_remembered(owners, inode, ret_instance)) {
			owners->next = i;
			return true;
		}
	}
	return false;
}

static bool is_known(const struct socket_owners *owners, pid_t pid, uint32_t *ret_instance)
{
	for (size_t i = 0; i < owners->n_known; i++) {
		if (owners->known[i].pid == pid) {
			*ret_instance = owners->known[i].instance;
			return true;
		}
	}
	return false;
}

/* Returns the instance that a process's environment names, or UINT32_MAX. */
static uint32_t environment_instance(const struct socket_owners *owners, pid_t pid)
{
	static const char prefix[] = SANDBOX_INSTANCE_VARIABLE "=";
	AUTO_FREE char *path = xasprintf("/proc/%d/environ", pid);
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	AUTO_FREE char *variable = NULL;
	size_t size = 0;

	while (file && getdelim(&variable, &size, '\0', file) > 0) {
		unsigned long number;

		if (strncmp(variable, prefix, strlen(prefix)) != 0)
			continue;
		number = strtoul(variable + strlen(prefix), NULL, 10);
		return number >= 1 && number <= owners->n_instances ? (uint32_t)number - 1
								    : UINT32_MAX;
	}
	return UINT32_MAX;
}

static uint32_t instance_of(const struct socket_owners *owners, const struct proc_stat *kin)
{
	uint32_t instance;

	for (instance = 0; instance < owners->n_instances; instance++)
		if (owners->leaders[instance] == kin->session && kin->session != 0)
			return instance;
	return is_known(owners, kin->parent, &instance) ? instance
							: environment_instance(owners, kin->pid);
}

/* Adds processes that are not known yet. Usually a child has a higher number than its parent. */
static void look_for_processes(struct socket_owners *owners)
{
	DIR *directory = opendir("/proc");

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		uint32_t instance;
		struct proc_stat kin;

		if (is_known(owners, atoi(entry->d_name), &instance) ||
		    !proc_stat_read(dirfd(directory), entry->d_name, &kin))
			continue;
		instance = instance_of(owners, &kin);
		if (instance != UINT32_MAX)
			add_known(owners, kin.pid, instance);
	}
	if (directory)
		closedir(directory);
}

uint32_t socket_owners_find(struct socket_owners *owners, const struct address *client,
			    const struct address *server)
{
	struct sock_found socket;
	uint32_t instance = UINT32_MAX;
	uint64_t inode;

	if (sock_lookup_find(owners->lookup, client, server, &socket) < 0 || socket.inode == 0)
		return UINT32_MAX;
	inode = socket.inode;
	if (is_remembered(owners, inode, &instance))
		return instance;
	/* Numbers of another pid namespace would name other processes. */
	if (!process_proc_is_ours())
		return UINT32_MAX;
	if (find_in_known(owners, inode, &instance))
		return instance;
	owners->next = owners->n_known; /* search the new ones first */
	look_for_processes(owners);
	return find_in_known(owners, inode, &instance) ? instance : UINT32_MAX;
}
