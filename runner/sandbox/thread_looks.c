/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at all threads of descendants: see thread_looks.h. */
#include "runner/sandbox/thread_looks.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/duration.h"
#include "runner/clock/jump.h"
#include "runner/sandbox/process.h"

/* A look fails if there are more threads than this. */
enum { MAX_THREADS = 20000 };

struct look {
	const pid_t *servers;
	size_t n_servers;
	struct thread_tree *tree; /* its processes: those that are done, and those still to look at
				   */
	struct stat netns;        /* the calling thread's */
	bool complete, knows_netns;
};

/* Reads a small file below /proc. Returns its length, or -1. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, text, size - 1) : -1;

	if (length >= 0)
		text[length] = '\0';
	return length;
}

/*
 * Reads the state before the counts: if the thread was not ready then, the counts include all its
 * waits.
 */
static bool look_at_thread(pid_t pid, pid_t tid, struct thread_look *ret, pid_t *ret_session)
{
	char path[64], text[1024];
	struct thread_look look = {.tid = tid};
	uint64_t minor, major;
	const char *begin, *end;
	char state;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return false;
	/* The name can contain anything; proc_pid_stat(5) describes what follows. */
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (!begin || !end ||
	    sscanf(end + 1,
		   " %c %*d %*d %d %*d %*d %*u %*u %" SCNu64 " %*u %" SCNu64
		   " %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
		   &state, ret_session, &minor, &major, &look.started) != 5)
		return false;
	look.ready = state == 'R';
	look.chore = jump_is_chore(begin + 1);
	/* The kernel counts these for the process. */
	look.reaped = tid == pid ? minor + major : 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	if (read_text(path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNu64, &look.run_ns, &look.wait_ns,
		   &look.slices) != 3)
		return false;
	*ret = look;
	return true;
}

/* Returns whether a thread is in another network namespace than the calling one. */
static bool is_elsewhere(const struct look *self, pid_t pid, pid_t tid)
{
	char path[64];
	struct stat netns;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/net", pid, tid);
	return self->knows_netns && stat(path, &netns) == 0 && netns.st_ino != self->netns.st_ino;
}

static bool is_servers(const struct look *self, pid_t pid)
{
	for (size_t i = 0; i < self->n_servers; i++)
		if (pid != 0 && self->servers[i] == pid)
			return true;
	return false;
}

/* Adds the children of a thread. @parent: index of its process, or SIZE_MAX for our own */
static void add_children(struct look *self, pid_t pid, pid_t tid, size_t parent)
{
	struct thread_tree *tree = self->tree;
	const bool server = parent != SIZE_MAX && tree->processes[parent].server;
	char path[64], number[16];
	size_t length = 0;
	AUTO_CLOSE int fd = -1;
	char text[4096];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Another process's thread may have ended; the calling process's have not. */
	if (fd < 0 && pid == getpid())
		self->complete = false;
	while (fd >= 0 && (got = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (text[i] != ' ' && length < sizeof(number) - 1) {
				number[length++] = text[i];
				continue;
			}
			number[length] = '\0';
			length = 0;
			array_append(tree->processes, tree->n_processes, tree->capacity,
				     (struct looked_process){.pid = atoi(number),
							     .parent = parent,
							     .server = server});
		}
	}
}

static bool is_full(const struct look *self)
{
	return self->tree->client.n_items + self->tree->server.n_items >= MAX_THREADS;
}

static struct thread_looks *looks_of(struct thread_tree *tree, bool server)
{
	return server ? &tree->server : &tree->client;
}

static void look_at_process(struct look *self, size_t index)
{
	struct thread_tree *tree = self->tree;
	const pid_t pid = tree->processes[index].pid;
	bool server = tree->processes[index].server || is_servers(self, pid), known = false;
	char path[32];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct thread_look look;
		pid_t tid = atoi(entry->d_name), session;

		if (tid <= 0)
			continue;
		if (is_full(self)) {
			self->complete = false;
			break;
		}
		if (look_at_thread(pid, tid, &look, &session)) {
			struct thread_looks *looks;

			server = server || is_servers(self, session);
			looks = looks_of(tree, server);
			if (!known)
				tree->processes[index].first = looks->n_items;
			known = true;
			array_append(looks->items, looks->n_items, looks->capacity, look);
			looks->other_netns |= is_elsewhere(self, pid, tid);
		}
		tree->processes[index].server = server;
		add_children(self, pid, tid, index);
	}
	if (known)
		tree->processes[index].n_threads =
			looks_of(tree, server)->n_items - tree->processes[index].first;
	if (directory)
		closedir(directory);
}

/* Adds the calling process's children, no matter which thread started them. */
static void add_own_children(struct look *self)
{
	DIR *directory = opendir("/proc/self/task");

	for (struct dirent *entry; directory && (entry = readdir(directory));)
		if (atoi(entry->d_name) > 0)
			add_children(self, getpid(), atoi(entry->d_name), SIZE_MAX);
	if (directory)
		closedir(directory);
	else
		self->complete = false;
}

bool thread_tree_read(const pid_t *servers, size_t n_servers, struct thread_tree *ret)
{
	struct look self = {
		.servers = servers,
		.n_servers = n_servers,
		.tree = ret,
		.complete = process_proc_is_ours(),
	};

	*ret = (struct thread_tree){0};
	if (!self.complete)
		return false;
	self.knows_netns = stat("/proc/thread-self/ns/net", &self.netns) == 0;
	add_own_children(&self);
	for (size_t i = 0; i < ret->n_processes; i++)
		look_at_process(&self, i);
	return self.complete;
}

void thread_tree_free(struct thread_tree *tree)
{
	free(tree->client.items);
	free(tree->server.items);
	free(tree->processes);
	*tree = (struct thread_tree){0};
}

bool thread_looks_read(const pid_t *servers, size_t n_servers, struct thread_looks *client,
		       struct thread_looks *server)
{
	struct thread_tree tree;
	bool complete = thread_tree_read(servers, n_servers, &tree);

	*client = tree.client;
	*server = tree.server;
	free(tree.processes);
	return complete;
}

bool thread_look_self(struct thread_look *ret)
{
	pid_t session;

	return process_proc_is_ours() &&
	       look_at_thread(getpid(), (pid_t)syscall(SYS_gettid), ret, &session);
}

bool thread_look_dead(pid_t pid, struct thread_look *ret)
{
	pid_t session;

	return process_proc_is_ours() && look_at_thread(pid, pid, ret, &session);
}

struct machine_look machine_look_read(void)
{
	struct machine_look look = {.waited_ns = -1};
	const char *total;
	char text[256];

	if (read_text("/proc/loadavg", text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*s %*s %*s %u/%*u %" SCNu64, &look.n_running, &look.last_pid) != 2)
		look.n_running = UINT_MAX;
	/* The first line says how many microseconds some thread waited. */
	if (read_text("/proc/pressure/cpu", text, sizeof(text)) > 0 &&
	    (total = strstr(text, " total=")) &&
	    sscanf(total, " total=%" SCNd64, &look.waited_ns) == 1)
		look.waited_ns *= NS_PER_US;
	return look;
}

bool machine_look_saw_all(const struct machine_look *before, const struct machine_look *now,
			  uint64_t n_taken, const struct thread_looks *client,
			  const struct thread_looks *server)
{
	const struct thread_looks *looks[] = {client, server};
	uint64_t n_new = n_taken;

	for (size_t k = 0; k < ARRAY_SIZE(looks); k++)
		for (size_t i = 0; i < looks[k]->n_items; i++)
			n_new += (uint64_t)looks[k]->items[i].tid > before->last_pid &&
				 (uint64_t)looks[k]->items[i].tid <= now->last_pid;
	return now->last_pid >= before->last_pid && n_new >= now->last_pid - before->last_pid;
}

unsigned machine_processors(void)
{
	cpu_set_t allowed;

	return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? (unsigned)CPU_COUNT(&allowed)
								    : 1;
}
