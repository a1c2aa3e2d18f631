/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shared sandboxes have in common: see netns_tables.h. Entering and leaving take a lock, so
 * that no run enters while the last one leaves and removes the tables.
 */
#include "runner/sandbox/netns_tables.h"

#include <errno.h>
#include <poll.h>

#include "injector/nflog_rules.h"
#include "injector/nft_rules.h"
#include "injector/queue.h"
#include "runner/sandbox/netns_lock.h"
#include "runner/sandbox/remote.h"
#include "runner/sandbox/stale_cleanup.h"

/* Maximum of runs at a time in one network namespace. */
enum { MAX_RUNS = 64 };
/* How long to wait for the lock, which others hold for milliseconds. */
enum { LOCK_TRIES = 5000, LOCK_WAIT_MS = 2 };
/* How long to wait until no queue holds a packet. */
enum { IDLE_TRIES = 500, IDLE_WAIT_MS = 2 };

static int take_lock(void)
{
	int lock = -EADDRINUSE;

	for (int i = 0; i < LOCK_TRIES && lock == -EADDRINUSE; i++) {
		if (i > 0)
			poll(NULL, 0, LOCK_WAIT_MS);
		lock = netns_lock_take(NETNS_LOCK_LOCK, 0);
	}
	return lock;
}

/* Returns whether there is no other run: then all claims are free. */
static bool is_deserted(void)
{
	for (uint32_t i = 0; i < MAX_RUNS; i++) {
		AUTO_CLOSE int claim = netns_lock_take(NETNS_LOCK_SPACE, i);

		if (claim < 0)
			return false;
	}
	return true;
}

struct tables {
	char names[1 + REMOTE_MAX_TABLES][REMOTE_TABLE_SIZE];
	size_t n;
};

static void note_remote(void *userdata, uint32_t number)
{
	struct tables *tables = userdata;

	for (size_t i = 1; i < tables->n; i++) {
		char name[REMOTE_TABLE_SIZE];

		/* The kernel may list a table twice. */
		if (!strcmp(tables->names[i], remote_table(number, name)))
			return;
	}
	if (tables->n < ARRAY_SIZE(tables->names))
		remote_table(number, tables->names[tables->n++]);
}

/*
 * Removing a base chain drops the packets that wait in any queue of the namespace, so the queues
 * get some time to empty. All tables go in one transaction: the kernel waits for a grace period in
 * each one that removes something.
 */
static void remove_tables(void)
{
	struct tables tables = {.names = {SPACE_TABLE}, .n = 1};
	const char *names[ARRAY_SIZE(tables.names)];

	for (int i = 0; i < IDLE_TRIES && !queue_all_idle(); i++)
		poll(NULL, 0, IDLE_WAIT_MS);
	(void)nflog_rules_remove_common(SPACE_CAPTURE_TABLE);
	(void)remote_list(note_remote, &tables);
	for (size_t i = 0; i < tables.n; i++)
		names[i] = tables.names[i];
	if (nft_rules_remove_tables(names, tables.n) == 0)
		return;
	/* Another process has removed one of them. */
	for (size_t i = 0; i < tables.n; i++)
		(void)nft_rules_remove_common(names[i]);
}

static int claim_any(void)
{
	int claim = -EADDRINUSE;

	for (uint32_t i = 0; i < MAX_RUNS && claim == -EADDRINUSE; i++)
		claim = netns_lock_take(NETNS_LOCK_SPACE, i);
	return claim;
}

int netns_tables_enter(struct diag_list *diags)
{
	AUTO_CLOSE int lock = take_lock();
	AUTO_CLOSE int space = lock < 0 ? lock : claim_any();
	int status;

	if (space < 0) {
		diag_add(diags, NULL,
			 "other runs of synfault are in the way in this network namespace: %s",
			 lock < 0 ? "one of them holds its lock for too long"
				  : "there are too many");
		return space;
	}
	stale_cleanup_shared();
	status = nft_rules_create_common(SPACE_TABLE, diags);
	remote_create_tables();
	return status < 0 ? status : steal_fd(&space);
}

void netns_tables_leave(int space)
{
	AUTO_CLOSE int lock = -1;

	if (space < 0)
		return;
	lock = take_lock();
	close(space);
	if (lock < 0 || !is_deserted())
		return;
	/* A supervisor that was being killed when we entered was perhaps still alive then. */
	stale_cleanup_shared();
	remove_tables();
}
