/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of control groups: see limits.h. */
#include "runner/schedule/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>

/* Estimate for one scenario: the supervisor and a client of usual size. */
#define MEMORY_PER_SCENARIO    (INT64_C(24) << 20)
#define PROCESSES_PER_SCENARIO 8

enum { MAX_JOBS = 256 };

/* A kind of limit: its controller's directory in version 1, and its files in both versions. */
struct limit_kind {
	const char *controller;
	const char *most[2], *used[2]; /* files with the limit and the usage, of versions 1 and 2 */
	const char *reclaimable[2];    /* word in memory.stat for what the kernel can reclaim */
};

static const struct limit_kind memory_limit = {
	.controller = "memory",
	.most = {"memory.limit_in_bytes", "memory.max"},
	.used = {"memory.usage_in_bytes", "memory.current"},
	.reclaimable = {"total_inactive_file", "inactive_file"},
};

static const struct limit_kind process_limit = {
	.controller = "pids",
	.most = {"pids.max", "pids.max"},
	.used = {"pids.current", "pids.current"},
};

/* Reads the number in a file. Returns false if it is "max", or there is no such file. */
static bool read_number(const char *directory, const char *name, int64_t *ret)
{
	AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	char line[32];

	return file && fgets(line, sizeof(line), file) && sscanf(line, "%" SCNd64, ret) == 1;
}

/* Returns the number after a word in memory.stat; 0 if it is missing. */
static int64_t read_stat(const char *directory, const char *word)
{
	AUTO_FREE char *path = xasprintf("%s/memory.stat", directory);
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	char line[128], name[64];
	int64_t number;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %" SCNd64, name, &number) == 2 && !strcmp(name, word))
			return number;
	return 0;
}

/* Returns what one group leaves; INT64_MAX without a limit. */
static int64_t left_in_group(const struct limit_kind *kind, int version, const char *directory)
{
	int64_t most, used;

	if (!read_number(directory, kind->most[version], &most) ||
	    !read_number(directory, kind->used[version], &used))
		return INT64_MAX;
	if (kind->reclaimable[version])
		used -= read_stat(directory, kind->reclaimable[version]);
	return MAX(most - used, (int64_t)0);
}

/* Returns the least that a group and those above it leave. @path: from /proc/self/cgroup. */
static int64_t left_in_groups(const struct limit_kind *kind, int version, const char *top,
			      const char *path)
{
	AUTO_FREE char *directory = xasprintf("%s%s", top, path);
	size_t top_length = strlen(top);
	int64_t least = INT64_MAX;

	for (;;) {
		char *slash;

		least = MIN(least, left_in_group(kind, version, directory));
		if (strlen(directory) <= top_length)
			return least;
		slash = strrchr(directory, '/');
		*slash = '\0';
	}
}

/* Returns whether a comma-separated list contains this word. */
static bool names_controller(const char *list, const char *controller)
{
	size_t length = strlen(controller);

	for (const char *word = list; word; word = strchr(word, ',')) {
		word += *word == ',';
		if (!strncmp(word, controller, length) &&
		    (word[length] == ',' || word[length] == '\0'))
			return true;
	}
	return false;
}

static int64_t left(const struct limit_kind *kind, const char *membership, const char *top)
{
	AUTO_FCLOSE FILE *file = fopen(membership, "re");
	AUTO_FREE char *line = NULL;
	int64_t least = INT64_MAX;
	size_t size = 0;

	/* cgroups(7): number:controllers:path. In version 2 number is 0 and controllers empty. */
	while (file && getline(&line, &size, file) > 0) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		controllers++;
		if (!*controllers) {
			least = MIN(least, left_in_groups(kind, 1, top, path));
		} else if (names_controller(controllers, kind->controller)) {
			AUTO_FREE char *mounted = xasprintf("%s/%s", top, kind->controller);

			least = MIN(least, left_in_groups(kind, 0, mounted, path));
		}
	}
	return least;
}

void limits_read(const char *membership, const char *top, struct limits *ret)
{
	*ret = (struct limits){
		.memory = left(&memory_limit, membership, top),
		.processes = left(&process_limit, membership, top),
	};
}

static int64_t memory_available(void)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long long kib;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1)
			return kib * 1024;
	return INT64_MAX;
}

size_t limits_default_jobs(void)
{
	struct rlimit processes;
	struct limits limits;
	int64_t jobs;

	limits_read("/proc/self/cgroup", "/sys/fs/cgroup", &limits);
	jobs = MIN(memory_available(), limits.memory) / MEMORY_PER_SCENARIO;
	jobs = MIN(jobs, limits.processes / PROCESSES_PER_SCENARIO);
	if (getrlimit(RLIMIT_NPROC, &processes) == 0 && processes.rlim_cur != RLIM_INFINITY)
		jobs = MIN(jobs, (int64_t)(processes.rlim_cur / PROCESSES_PER_SCENARIO));
	return (size_t)MAX(MIN(jobs, (int64_t)MAX_JOBS), (int64_t)1);
}

void limits_raise_files(struct rlimit *ret_old)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, ret_old);
	limit = *ret_old;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void limits_keep_heap_tidy(void)
{
#ifdef M_MXFAST
	mallopt(M_MXFAST, 0);
#endif
}
