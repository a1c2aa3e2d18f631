/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control groups still allow, read from trees of files made for it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

#include "runner/schedule/limits.h"

#define MIB (INT64_C(1) << 20)

struct group_file {
	const char *path, *text; /* below the top; NULL: the last */
};

struct limits_case {
	const char *name;
	const char *membership;
	struct group_file files[8];
	int64_t memory, processes;
};

static const struct limits_case cases[] = {
	{"no groups at all", "", {{NULL, NULL}}, INT64_MAX, INT64_MAX},
	{"version 2, its own group on top",
	 "0::/\n",
	 {{"memory.max", "268435456\n"},
	  {"memory.current", "1048576\n"},
	  {"pids.max", "100\n"},
	  {"pids.current", "3\n"}},
	 255 * MIB,
	 97},
	{"version 2 without limits",
	 "0::/\n",
	 {{"memory.max", "max\n"},
	  {"memory.current", "1048576\n"},
	  {"pids.max", "max\n"},
	  {"pids.current", "3\n"}},
	 INT64_MAX,
	 INT64_MAX},
	{"version 2, the limit in a group above",
	 "0::/a/b\n",
	 {{"a/pids.max", "50\n"},
	  {"a/pids.current", "20\n"},
	  {"a/b/pids.max", "100\n"},
	  {"a/b/pids.current", "10\n"}},
	 INT64_MAX,
	 30},
	{"a path that is not to be seen, and the group on top",
	 "0::/docker/0123\n",
	 {{"pids.max", "50\n"}, {"pids.current", "20\n"}},
	 INT64_MAX,
	 30},
	{"the page cache counts as available",
	 "0::/\n",
	 {{"memory.max", "104857600\n"},
	  {"memory.current", "94371840\n"},
	  {"memory.stat", "anon 5\ninactive_file 52428800\n"}},
	 60 * MIB,
	 INT64_MAX},
	{"more used than allowed",
	 "0::/\n",
	 {{"pids.max", "10\n"}, {"pids.current", "12\n"}},
	 INT64_MAX,
	 0},
	{"version 1, controllers together and alone",
	 "5:cpu,pids:/x\n4:memory:/y\n1:name=systemd:/z\n0::/\n",
	 {{"pids/x/pids.max", "100\n"},
	  {"pids/x/pids.current", "1\n"},
	  {"memory/y/memory.limit_in_bytes", "268435456\n"},
	  {"memory/y/memory.usage_in_bytes", "2097152\n"},
	  {"memory/y/memory.stat", "inactive_file 7\ntotal_inactive_file 1048576\n"}},
	 255 * MIB,
	 99},
	{"a controller whose name only begins alike",
	 "5:pids2:/\n",
	 {{"pids/pids.max", "100\n"}, {"pids/pids.current", "1\n"}},
	 INT64_MAX,
	 INT64_MAX},
	{"lines that are none", "nonsense\n0\n:\n", {{NULL, NULL}}, INT64_MAX, INT64_MAX},
};

static void write_text(const char *directory, const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
	FILE *file;

	for (char *slash = strchr(path + strlen(directory) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "we");
	cr_assert_not_null(file, "%s: %s", path, strerror(errno));
	fputs(text, file);
	fclose(file);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

Test(limits, reads_what_control_groups_still_allow)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct limits_case *it = &cases[i];
		char top[] = "/tmp/test-limits-XXXXXX";
		AUTO_FREE char *membership = NULL;
		struct limits limits;

		cr_assert_not_null(mkdtemp(top));
		for (const struct group_file *file = it->files; file->path; file++)
			write_text(top, file->path, file->text);
		write_text(top, "membership", it->membership);
		membership = xasprintf("%s/membership", top);
		limits_read(membership, top, &limits);
		cr_expect_eq(limits.memory, it->memory, "%s: memory is %lld", it->name,
			     (long long)limits.memory);
		cr_expect_eq(limits.processes, it->processes, "%s: processes are %lld", it->name,
			     (long long)limits.processes);
		nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
}

Test(limits, knows_no_limit_if_nothing_can_be_read)
{
	struct limits limits = {0};

	limits_read("/nonexistent/membership", "/nonexistent", &limits);
	cr_expect_eq(limits.memory, INT64_MAX);
	cr_expect_eq(limits.processes, INT64_MAX);
}
