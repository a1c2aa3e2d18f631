/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the threads of all descendants: see starvation_sampler.h.
 *
 * Theory of operation
 * -------------------
 * One look reads all threads, and serves all groups: that of all descendants, and one for each
 * process that records were opened for. A process belongs to a group if it is the group's root, if
 * its parent belongs to it, or if one of its threads did at the previous look: an orphan stays.
 * Looks come at intervals that follow from what they cost, and when a record is completed. A wait
 * that has not ended by then counts in full.
 */
#include "runner/sandbox/starvation_sampler.h"

#include <utlist.h>

#include "common/duration.h"
#include "runner/sandbox/canary.h"
#include "runner/sandbox/starvation_log.h"
#include "runner/sandbox/thread_looks.h"

/* The shortest and the longest time between looks; in this range, their cost decides. */
#define CLOSE_LOOK_NS (10 * NS_PER_MS)
#define LOOK_NS       (250 * NS_PER_MS)
/* Looks take at most one part in this many of the time. */
enum { COST_RATIO = 100 };
/* When a record is opened, a look as recent as this is good enough as its first one. */
#define RECENT_LOOK_NS (5 * NS_PER_MS)

/* Threads that count together. */
struct group {
	struct group *prev, *next;
	pid_t root; /* 0: all descendants */
	size_t n_records;
	struct starvation threads;
	struct starvation_log log;
};

struct starvation_sampler {
	struct event_base *base;
	struct event *timer;
	struct canary *canary; /* NULL: there is none (yet) */
	bool own_pids;
	struct group *groups; /* the first one is that of all descendants */
	struct starvation_log machine_log;
	struct starvation servers;
	pid_t *server_pids;
	size_t n_servers, servers_capacity;
	struct machine_look machine;
	unsigned n_processors;
	uint64_t n_taken; /* dead threads, started since the last look, that were counted */
	int64_t looked_ns, canary_ns, machine_wait_ns;
	bool incomplete; /* a look has missed threads, so later ones can't bound the time either */
};

static struct group *find_group(const struct starvation_sampler *sampler, pid_t root)
{
	struct group *group;

	for (group = sampler->groups; group; group = group->next) {
		if (group->root == root)
			return group;
	}
	return NULL;
}

static bool had(const struct group *group, const struct thread_look *look)
{
	const struct starvation *threads = &group->threads;
	const size_t first =
		BISECT(threads->n_threads, i, threads->threads[i].look.tid >= look->tid);

	return first < threads->n_threads && threads->threads[first].look.tid == look->tid &&
	       threads->threads[first].look.started == look->started;
}

/* Returns the threads of a group; the caller owns its items. */
static struct thread_looks threads_of(const struct group *group, const struct thread_tree *tree)
{
	AUTO_FREE bool *belongs = xzalloc((tree->n_processes + 1) * sizeof(*belongs));
	struct thread_looks looks = {0};

	for (size_t i = 0; i < tree->n_processes; i++) {
		const struct looked_process *process = &tree->processes[i];
		const struct thread_look *threads = &tree->client.items[process->first];

		belongs[i] = !process->server &&
			     (group->root == 0 || process->pid == group->root ||
			      (process->parent != SIZE_MAX && belongs[process->parent]));
		for (size_t k = 0; !process->server && !belongs[i] && k < process->n_threads; k++)
			belongs[i] = had(group, &threads[k]);
		for (size_t k = 0; belongs[i] && k < process->n_threads; k++)
			array_append(looks.items, looks.n_items, looks.capacity, threads[k]);
	}
	return looks;
}

static void add_look(struct starvation_sampler *sampler, const struct thread_tree *tree,
		     const struct machine_look *machine, int64_t began_ns, int64_t ended_ns,
		     bool unseen, bool calm)
{
	/* Sessions that only serve have no threads that come and go. */
	const bool servers_unseen = unseen && tree->server.n_items > sampler->n_servers;
	int64_t server_ns =
		starvation_look(&sampler->servers, tree->server.items, tree->server.n_items,
				began_ns, ended_ns, servers_unseen, calm);
	const struct starvation_entry all = {
		.began_ns = began_ns,
		.ended_ns = ended_ns,
		.client_ns = sampler->machine_wait_ns,
		.server_ns = sampler->servers.bound_ns,
		.canary_ns = sampler->canary_ns,
		.incomplete = machine->waited_ns < 0,
	};
	struct group *group;

	starvation_log_add(&sampler->machine_log, &all, 0, server_ns);
	for (group = sampler->groups; group; group = group->next) {
		struct thread_looks looks = threads_of(group, tree);
		int64_t client_ns = starvation_look(&group->threads, looks.items, looks.n_items,
						    began_ns, ended_ns, unseen, calm);
		const struct starvation_entry entry = {
			.began_ns = began_ns,
			.ended_ns = ended_ns,
			.client_ns = group->threads.bound_ns,
			.server_ns = sampler->servers.bound_ns,
			.canary_ns = sampler->canary_ns,
			.incomplete = sampler->incomplete,
		};

		starvation_log_add(&group->log, &entry, client_ns, server_ns);
		free(looks.items);
	}
}

static void look(struct starvation_sampler *sampler)
{
	int64_t cost_ns = clock_thread_ns(), began_ns = clock_monotonic_ns(), ended_ns;
	struct thread_tree tree;
	struct machine_look machine;
	struct timeval delay;
	bool unseen, late, calm;

	if (!thread_tree_read(sampler->server_pids, sampler->n_servers, &tree))
		sampler->incomplete = true;
	machine = machine_look_read();
	unseen = sampler->own_pids &&
		 !machine_look_saw_all(&sampler->machine, &machine, sampler->n_taken, &tree.client,
				       &tree.server);
	ended_ns = clock_monotonic_ns();
	/* In any case: it also takes over what the canary has seen. */
	late = canary_is_late(sampler->canary, &sampler->canary_ns);
	calm = machine_was_calm(&sampler->machine, &machine, ended_ns - sampler->looked_ns,
				sampler->n_processors) &&
	       !late;
	sampler->machine_wait_ns += machine_wait_ns(
		&sampler->machine, &machine, ended_ns - sampler->looked_ns, sampler->n_processors);
	add_look(sampler, &tree, &machine, began_ns, ended_ns, unseen, calm);
	thread_tree_free(&tree);
	sampler->machine = machine;
	sampler->n_taken = 0;
	sampler->looked_ns = ended_ns;
	cost_ns = clock_thread_ns() - cost_ns;
	delay = duration_timeval(MIN(MAX(COST_RATIO * cost_ns, CLOSE_LOOK_NS), LOOK_NS));
	event_add(sampler->timer, &delay);
}

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	look(userdata);
}

struct starvation_sampler *starvation_sampler_new(struct event_base *base, bool own_pids)
{
	struct starvation_sampler *sampler = xzalloc(sizeof(*sampler));

	sampler->base = base;
	sampler->own_pids = own_pids;
	sampler->n_processors = machine_processors();
	sampler->timer = ALLOCATED(evtimer_new(base, on_timer, sampler));
	return sampler;
}

static void begin(struct starvation_sampler *sampler)
{
	/* It stays: to end a thread that sleeps takes time. */
	if (!sampler->canary)
		sampler->canary = canary_new();
	canary_is_late(sampler->canary, &sampler->canary_ns);
	sampler->machine = machine_look_read();
	sampler->looked_ns = clock_monotonic_ns();
	sampler->n_taken = 0;
	sampler->incomplete = false;
	starvation_begin(&sampler->servers, sampler->looked_ns);
}

static void add_record(struct starvation_sampler *sampler, pid_t root)
{
	struct group *group = find_group(sampler, root);

	if (!group) {
		group = xzalloc(sizeof(*group));
		group->root = root;
		starvation_begin(&group->threads, clock_monotonic_ns());
		DL_APPEND(sampler->groups, group);
	}
	group->n_records++;
}

static void remove_record(struct starvation_sampler *sampler, pid_t root)
{
	struct group *group = find_group(sampler, root);

	if (!group || --group->n_records > 0)
		return;
	DL_DELETE(sampler->groups, group);
	starvation_end(&group->threads);
	starvation_log_free(&group->log);
	free(group);
}

void starvation_sampler_open(struct starvation_sampler *sampler, pid_t root, pid_t server)
{
	const struct group *group = find_group(sampler, root);

	if (!sampler->groups)
		begin(sampler);
	array_append(sampler->server_pids, sampler->n_servers, sampler->servers_capacity, server);
	add_record(sampler, 0);
	if (root != 0)
		add_record(sampler, root);
	if (!group || clock_monotonic_ns() - sampler->looked_ns > RECENT_LOOK_NS)
		look(sampler);
}

void starvation_sampler_close(struct starvation_sampler *sampler, pid_t root, pid_t server)
{
	size_t i = 0;

	while (i < sampler->n_servers && sampler->server_pids[i] != server)
		i++;
	if (i == sampler->n_servers)
		return;
	sampler->server_pids[i] = sampler->server_pids[--sampler->n_servers];
	if (root != 0)
		remove_record(sampler, root);
	remove_record(sampler, 0);
	if (sampler->groups)
		return;
	event_del(sampler->timer);
	starvation_end(&sampler->servers);
	starvation_log_free(&sampler->machine_log);
}

static bool is_server(const struct starvation_sampler *sampler, pid_t pid)
{
	for (size_t i = 0; i < sampler->n_servers; i++) {
		if (sampler->server_pids[i] == pid)
			return true;
	}
	return false;
}

void starvation_sampler_take_dead(struct starvation_sampler *sampler, pid_t pid)
{
	const bool serves = is_server(sampler, pid);
	struct thread_look dead;
	struct group *group;
	bool new;

	if (!sampler->groups || !thread_look_dead(pid, &dead))
		return;
	if (serves)
		starvation_take_last(&sampler->servers, &dead);
	/* One that no look has seen can belong to any group. */
	new = !had(sampler->groups, &dead);
	for (group = sampler->groups; group && !serves; group = group->next) {
		if (new || had(group, &dead))
			starvation_take_last(&group->threads, &dead);
	}
	sampler->n_taken += (uint64_t)dead.tid > sampler->machine.last_pid;
}

void starvation_sampler_complete(struct starvation_sampler *sampler, pid_t root, int64_t origin_ns,
				 struct record *record)
{
	const struct group *group = root == SAMPLER_MACHINE ? NULL : find_group(sampler, root);

	if (!sampler->groups || (!group && root != SAMPLER_MACHINE))
		return;
	look(sampler);
	starvation_log_insert(group ? &group->log : &sampler->machine_log, record, origin_ns,
			      group ? starvation_pending_ns(&group->threads) : 0,
			      starvation_pending_ns(&sampler->servers));
}
