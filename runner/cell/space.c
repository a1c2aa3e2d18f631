/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shared cells have in common: see space.h. Entering and leaving are done under a lock, so
 * that nobody enters while the last one leaves and removes the table.
 */
#include "runner/cell/space.h"

#include <errno.h>
#include <poll.h>

#include "injector/queue.h"
#include "injector/rules.h"
#include "injector/tap_rules.h"
#include "runner/cell/claim.h"
#include "runner/cell/remote.h"
#include "runner/cell/sweep.h"

/* Runs at a time in one network namespace. */
enum { MOST_RUNS = 64 };
/* How long to wait for the lock, which is held for milliseconds. */
enum { LOCK_TRIES = 5000, LOCK_WAIT_MS = 2 };
/* How long to wait until nobody has packets in a queue. */
enum { IDLE_TRIES = 500, IDLE_WAIT_MS = 2 };

static int take_lock(void)
{
	int lock = -EADDRINUSE;

	for (int i = 0; i < LOCK_TRIES && lock == -EADDRINUSE; i++) {
		if (i > 0)
			poll(NULL, 0, LOCK_WAIT_MS);
		lock = claim_take(CLAIM_LOCK, 0);
	}
	return lock;
}

/* Whether there is no run: all claims can be had. */
static bool is_deserted(void)
{
	for (uint32_t i = 0; i < MOST_RUNS; i++) {
		AUTO_CLOSE int claim = claim_take(CLAIM_SPACE, i);

		if (claim < 0)
			return false;
	}
	return true;
}

struct tables {
	char names[1 + REMOTE_MOST_TABLES][REMOTE_TABLE_SIZE];
	size_t n;
};

static void note_remote(void *userdata, uint32_t number)
{
	struct tables *tables = userdata;

	for (size_t i = 1; i < tables->n; i++) {
		char name[REMOTE_TABLE_SIZE];

		/* One may be told of twice. */
		if (!strcmp(tables->names[i], remote_table(number, name)))
			return;
	}
	if (tables->n < ARRAY_SIZE(tables->names))
		remote_table(number, tables->names[tables->n++]);
}

/*
 * With a base chain go all packets that wait in any queue of the namespace: those of others are
 * given some time. All tables in one transaction: what removes something waits for a grace period.
 */
static void remove_tables(void)
{
	struct tables tables = {.names = {SPACE_TABLE}, .n = 1};
	const char *names[ARRAY_SIZE(tables.names)];

	for (int i = 0; i < IDLE_TRIES && !queue_all_idle(); i++)
		poll(NULL, 0, IDLE_WAIT_MS);
	(void)tap_rules_remove_common(SPACE_CAPTURE_TABLE);
	(void)remote_list(note_remote, &tables);
	for (size_t i = 0; i < tables.n; i++)
		names[i] = tables.names[i];
	if (rules_remove_tables(names, tables.n) == 0)
		return;
	/* Somebody else has removed one of them. */
	for (size_t i = 0; i < tables.n; i++)
		(void)rules_remove_common(names[i]);
}

static int claim_any(void)
{
	int claim = -EADDRINUSE;

	for (uint32_t i = 0; i < MOST_RUNS && claim == -EADDRINUSE; i++)
		claim = claim_take(CLAIM_SPACE, i);
	return claim;
}

int space_enter(struct diag_list *diags)
{
	AUTO_CLOSE int lock = take_lock();
	AUTO_CLOSE int space = lock < 0 ? lock : claim_any();
	int status;

	if (space < 0) {
		diag_add(diags, NULL, "other runs of synfault in this network namespace: %s",
			 lock < 0 ? "one of them does not get on" : "there are too many");
		return space;
	}
	sweep_shared();
	status = rules_create_common(SPACE_TABLE, diags);
	remote_create_tables();
	return status < 0 ? status : steal_fd(&space);
}

void space_leave(int space)
{
	AUTO_CLOSE int lock = -1;

	if (space < 0)
		return;
	lock = take_lock();
	close(space);
	if (lock < 0 || !is_deserted())
		return;
	/* Again: a supervisor that was being killed when we came was not dead yet. */
	sweep_shared();
	remove_tables();
}
