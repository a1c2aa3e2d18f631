/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes what dead shared sandboxes left: see stale_cleanup.h. */
#include "runner/sandbox/stale_cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/files.h"
#include "common/strbuf.h"
#include "injector/nft_rules.h"
#include "runner/sandbox/network.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/remote.h"
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/table_names.h"
#include "runner/sandbox/tmpdir.h"

/* At this number, rules that were left are removed: each slows down changes of the rules. */
enum { MAX_LEFT = 128 };

/* ---- processes ---- */

/* Returns the sandbox that a process's environment names; 0: none of this network namespace. */
static uint32_t sandbox_of_process(int proc, const char *pid, const char *id_prefix)
{
	static const char name[] = SHARED_VARIABLE "=";
	AUTO_FREE char *path = xasprintf("%s/environ", pid);
	AUTO_CLOSE int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	AUTO_STRBUF struct strbuf environment = {0};
	uint32_t number = 0;

	if (fd >= 0)
		(void)file_read(fd, SIZE_MAX, &environment);
	for (size_t at = 0; at < environment.length && !number;
	     at += strlen(environment.data + at) + 1)
		if (!strncmp(environment.data + at, name, sizeof(name) - 1))
			number = netns_lock_parse(environment.data + at + sizeof(name) - 1,
						  id_prefix, '\0');
	return number;
}

static void sweep_process(int proc, const char *pid, const char *id_prefix)
{
	/* First, so that what follows is about this process; otherwise the signal goes nowhere. */
	AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
	struct stat status;
	uint32_t number;

	if (pidfd < 0 || fstatat(proc, pid, &status, 0) < 0 || status.st_uid != geteuid())
		return;
	number = sandbox_of_process(proc, pid, id_prefix);
	if (number) {
		AUTO_CLOSE int claim = netns_lock_take(NETNS_LOCK_SANDBOX, number);

		if (claim >= 0)
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	}
}

static void sweep_processes(void)
{
	AUTO_FREE char *id_prefix = shared_sandbox_id_prefix();
	DIR *directory = process_proc_is_ours() ? opendir("/proc") : NULL;

	for (struct dirent *entry; directory && (entry = readdir(directory));)
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
			sweep_process(dirfd(directory), entry->d_name, id_prefix);
	if (directory)
		closedir(directory);
}

/* ---- rules and addresses ---- */

struct numbers {
	uint32_t *items;
	size_t n_items, capacity;
};

static void note_part(void *userdata, uint32_t part)
{
	struct numbers *numbers = userdata;

	array_append(numbers->items, numbers->n_items, numbers->capacity, part);
}

/* The request to remove them, 1.4 KB each, has to fit into a netlink socket's buffer. */
enum { PARTS_AT_ONCE = 128 };

static void remove_parts(const struct nft_rules_part *parts, size_t n_parts)
{
	if (nft_rules_remove_parts(SPACE_TABLE, parts, n_parts) == 0)
		return;
	/* Another process has removed one of them. */
	for (size_t i = 0; i < n_parts; i++)
		(void)nft_rules_remove_part(SPACE_TABLE, parts[i].part, &parts[i].networks);
}

/* Clears dead sandboxes' tables for remote endpoints. */
static void sweep_remotes(void)
{
	struct numbers found = {0};

	(void)remote_list(note_part, &found);
	for (size_t i = 0; i < found.n_items; i++) {
		AUTO_CLOSE int claim = remote_claim_number(found.items[i]);

		if (claim >= 0)
			remote_clear(found.items[i]);
	}
	free(found.items);
}

/* Removes only the parts of the common table whose sandboxes are gone. */
static void sweep_rules(void)
{
	struct numbers found = {0};
	AUTO_FREE struct nft_rules_part *parts = NULL;
	AUTO_FREE int *claims = NULL;
	size_t n = 0;

	sweep_remotes();
	(void)nft_rules_list_parts(SPACE_TABLE, note_part, &found);
	parts = xzalloc(found.n_items * sizeof(*parts));
	claims = xzalloc(found.n_items * sizeof(*claims));
	for (size_t i = 0; i < found.n_items; i++) {
		/* If the kernel lists one twice, only the first claim succeeds. */
		int claim = netns_lock_take(NETNS_LOCK_SANDBOX, found.items[i]);

		if (claim < 0)
			continue;
		claims[n] = claim;
		parts[n++] = (struct nft_rules_part){
			.part = found.items[i],
			.networks = shared_sandbox_networks(found.items[i])};
	}
	for (size_t i = 0; i < n; i += PARTS_AT_ONCE)
		remove_parts(parts + i, MIN(n - i, (size_t)PARTS_AT_ONCE));
	for (size_t i = 0; i < n; i++)
		close(claims[i]);
	free(found.items);
}

static void sweep_addresses(void)
{
	struct address *found = NULL;
	size_t n_found = 0;

	(void)network_list_addresses(&found, &n_found);
	for (size_t i = 0; i < n_found; i++) {
		uint32_t number = shared_sandbox_number_of(&found[i]);
		AUTO_CLOSE int claim = number ? netns_lock_take(NETNS_LOCK_SANDBOX, number) : -1;

		if (claim >= 0)
			(void)network_change_addresses(&found[i], 1, false);
	}
	free(found);
}

void stale_cleanup_shared(void)
{
	/* Processes first, since they could still write into the directories. */
	sweep_processes();
	sweep_rules();
	sweep_addresses();
	tmpdir_sweep();
}

void stale_cleanup_after(int wait_status, size_t *n_left)
{
	if (wait_status != 0)
		stale_cleanup_shared();
	else if (++*n_left >= MAX_LEFT)
		sweep_rules();
	else
		return;
	*n_left = 0;
}
