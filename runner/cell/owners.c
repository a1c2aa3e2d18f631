/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the copy of a client that has a socket: see owners.h.
 *
 * The processes that are known are looked at first, from the one after that which was found last:
 * copies that were started one after the other come by in that order. Only when none of them has
 * the socket all of /proc is walked for processes that have come up since. A process belongs to a
 * copy by its session, or, when it has opened one of its own, by its parent.
 */
#include "runner/cell/owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <uthash.h>

#include "runner/cell/kin.h"
#include "runner/cell/process.h"
#include "runner/cell/sock_lookup.h"

/* Sockets beyond this number are forgotten, all at once. */
#define MOST_SOCKETS 100000

struct owned_socket {
	UT_hash_handle hh;
	uint64_t inode;
	uint32_t copy;
};

struct known_process {
	pid_t pid;
	uint32_t copy;
};

struct owners {
	struct sock_lookup *lookup; /* NULL: the kernel has none */
	pid_t *leaders;             /* of sessions, by copy; 0: not started */
	uint32_t n_copies;
	struct known_process *known;
	size_t n_known, known_capacity;
	size_t next; /* where to begin looking in the list */
	struct owned_socket *sockets;
};

struct owners *owners_new(uint32_t n_copies)
{
	struct owners *owners = xzalloc(sizeof(*owners));

	owners->n_copies = n_copies;
	owners->leaders = xzalloc(n_copies * sizeof(*owners->leaders));
	owners->lookup = sock_lookup_new();
	return owners;
}

static void forget_sockets(struct owners *owners)
{
	struct owned_socket *socket, *next;

	HASH_ITER (hh, owners->sockets, socket, next) {
		HASH_DEL(owners->sockets, socket);
		free(socket);
	}
}

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	forget_sockets(owners);
	sock_lookup_free(owners->lookup);
	free(owners->leaders);
	free(owners->known);
	free(owners);
}

static void add_known(struct owners *owners, pid_t pid, uint32_t copy)
{
	array_append(owners->known, owners->n_known, owners->known_capacity,
		     (struct known_process){.pid = pid, .copy = copy});
}

void owners_add(struct owners *owners, uint32_t copy, pid_t pid)
{
	if (copy >= owners->n_copies)
		return;
	owners->leaders[copy] = pid;
	add_known(owners, pid, copy);
}

/* ---- the processes' side ---- */

static void remember(struct owners *owners, uint64_t inode, uint32_t copy)
{
	struct owned_socket *socket;

	HASH_FIND(hh, owners->sockets, &inode, sizeof(inode), socket);
	if (socket)
		return;
	if (HASH_COUNT(owners->sockets) >= MOST_SOCKETS)
		forget_sockets(owners);
	socket = xzalloc(sizeof(*socket));
	socket->inode = inode;
	socket->copy = copy;
	HASH_ADD(hh, owners->sockets, inode, sizeof(socket->inode), socket);
}

/* Remembers all sockets of a process. Returns false when there is no such process. */
static bool look_at(struct owners *owners, const struct known_process *process)
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
			remember(owners, inode, process->copy);
	}
	closedir(directory);
	return true;
}

static bool is_remembered(const struct owners *owners, uint64_t inode, uint32_t *ret_copy)
{
	struct owned_socket *socket;

	HASH_FIND(hh, owners->sockets, &inode, sizeof(inode), socket);
	if (!socket)
		return false;
	*ret_copy = socket->copy;
	return true;
}

/* Looks at the known processes until one has it; those that are gone are dropped from the list. */
static bool find_in_known(struct owners *owners, uint64_t inode, uint32_t *ret_copy)
{
	size_t looked_at = 0;

	if (owners->next >= owners->n_known)
		owners->next = 0;
	for (size_t i = owners->next; looked_at < owners->n_known;) {
		if (i >= owners->n_known)
			i = 0;
		if (!look_at(owners, &owners->known[i])) {
			/* Keeps the order, by which the next one is found soon. */
			memmove(&owners->known[i], &owners->known[i + 1],
				(owners->n_known - i - 1) * sizeof(*owners->known));
			owners->n_known--;
			continue;
		}
		looked_at++;
		i++;
		if (is_remembered(owners, inode, ret_copy)) {
			owners->next = i;
			return true;
		}
	}
	return false;
}

static bool is_known(const struct owners *owners, pid_t pid, uint32_t *ret_copy)
{
	for (size_t i = 0; i < owners->n_known; i++) {
		if (owners->known[i].pid == pid) {
			*ret_copy = owners->known[i].copy;
			return true;
		}
	}
	return false;
}

static uint32_t copy_of(const struct owners *owners, const struct kin *kin)
{
	uint32_t copy;

	for (copy = 0; copy < owners->n_copies; copy++)
		if (owners->leaders[copy] == kin->session && kin->session != 0)
			return copy;
	return is_known(owners, kin->parent, &copy) ? copy : UINT32_MAX;
}

/* Adds processes that are not known yet. A child's number is higher than its parent's, mostly. */
static void look_for_processes(struct owners *owners)
{
	DIR *directory = opendir("/proc");

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		uint32_t copy;
		struct kin kin;

		if (is_known(owners, atoi(entry->d_name), &copy) ||
		    !kin_read(dirfd(directory), entry->d_name, &kin))
			continue;
		copy = copy_of(owners, &kin);
		if (copy != UINT32_MAX)
			add_known(owners, kin.pid, copy);
	}
	if (directory)
		closedir(directory);
}

uint32_t owners_find(struct owners *owners, const struct address *client,
		     const struct address *server)
{
	struct sock_found socket;
	uint32_t copy = UINT32_MAX;
	uint64_t inode;

	if (!sock_lookup_find(owners->lookup, client, server, &socket) || socket.inode == 0)
		return UINT32_MAX;
	inode = socket.inode;
	if (is_remembered(owners, inode, &copy))
		return copy;
	/* Numbers of another pid namespace would be somebody else's. */
	if (!process_proc_is_ours())
		return UINT32_MAX;
	if (find_in_known(owners, inode, &copy))
		return copy;
	owners->next = owners->n_known; /* those that are new come first */
	look_for_processes(owners);
	return find_in_known(owners, inode, &copy) ? copy : UINT32_MAX;
}
