/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Temporary directories of shared sandboxes: see tmpdir.h. */
#include "runner/sandbox/tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "runner/sandbox/netns_lock.h"

#define PREFIX "synfault-"
/* An empty file in each directory: its name alone does not show that we made it. */
#define MARK ".synfault-sandbox"
/*
 * Before a directory is marked, and while it is removed, a dot before its name shows that it is
 * ours: we may be killed at any moment.
 */
#define HIDDEN "."

/* Deeper levels are left, since each takes a descriptor. */
enum { MAX_LEVELS = 200, MAX_TRIES = 10 };

/* Returns the @index-th place, or NULL. */
static const char *place(size_t index)
{
	static const char *const usual[] = {"/tmp", "/dev/shm", "/var/tmp"};
	const char *chosen = getenv("TMPDIR");

	if (chosen && chosen[0] == '/')
		return index == 0 ? chosen : index <= ARRAY_SIZE(usual) ? usual[index - 1] : NULL;
	return index < ARRAY_SIZE(usual) ? usual[index] : NULL;
}

/* Opens and locks a directory of ours. Returns the descriptor or a negative errno. */
static int lock(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (status.st_uid != geteuid())
		return -EPERM;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	/* Another process has removed it between its making and its locking. */
	if (fstat(fd, &status) < 0 || status.st_nlink == 0)
		return -ENOENT;
	return steal_fd(&fd);
}

static int set_mark(int fd)
{
	AUTO_CLOSE int mark = openat(fd, MARK, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0400);

	return mark < 0 ? -errno : 0;
}

/* Locks and marks a new directory. Returns the descriptor or a negative errno. */
static int make_ours(const char *path)
{
	AUTO_CLOSE int fd = lock(path);
	int status = fd < 0 ? fd : set_mark(fd);

	return status < 0 ? status : steal_fd(&fd);
}

static bool has_mark(int fd)
{
	struct stat status;

	return fstatat(fd, MARK, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
	       status.st_uid == geteuid();
}

static char *hidden_path(const char *path)
{
	int length = (int)(strrchr(path, '/') + 1 - path);

	return xasprintf("%.*s" HIDDEN "%s", length, path, path + length);
}

static char *visible_path(const char *hidden)
{
	int length = (int)(strrchr(hidden, '/') + 1 - hidden);

	return xasprintf("%.*s%s", length, hidden, hidden + length + strlen(HIDDEN));
}

int tmpdir_make(uint32_t number, char **ret_path)
{
	int status = -ENOENT;

	for (size_t index = 0, tries = 0; place(index);) {
		AUTO_FREE char *hidden =
			xasprintf("%s/" HIDDEN PREFIX "%u-XXXXXX", place(index), number);
		AUTO_FREE char *path = NULL;
		AUTO_CLOSE int fd = -1;

		if (!mkdtemp(hidden)) {
			status = -errno;
			index++;
			continue;
		}
		path = visible_path(hidden);
		fd = make_ours(hidden);
		status = fd < 0 ? fd : rename(hidden, path) < 0 ? -errno : 0;
		if (status >= 0) {
			*ret_path = steal_pointer(&path);
			return steal_fd(&fd);
		}
		if (fd >= 0)
			unlinkat(fd, MARK, 0);
		rmdir(hidden);
		if (++tries == MAX_TRIES)
			break;
	}
	return status;
}

/* Empties a directory without following links or leaving its file system. Takes @fd. */
static void empty(int fd, dev_t device, int level)
{
	DIR *directory = fdopendir(fd);

	if (!directory) {
		close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct stat status;
		int child;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0 ||
		    fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(status.st_mode) || status.st_dev != device || level == MAX_LEVELS)
			continue;
		/* A client may have removed all permissions. */
		if (status.st_uid == geteuid() && (status.st_mode & S_IRWXU) != S_IRWXU)
			fchmodat(fd, entry->d_name, S_IRWXU, 0);
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0)
			empty(child, device, level + 1);
		unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(directory);
}

static void remove_hidden(const char *path, int fd)
{
	struct stat status;
	int copy;

	if (fstat(fd, &status) < 0)
		return;
	fchmod(fd, S_IRWXU);
	copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy >= 0)
		empty(copy, status.st_dev, 0);
	rmdir(path);
}

void tmpdir_remove(const char *path, int fd)
{
	AUTO_FREE char *hidden = hidden_path(path);

	remove_hidden(rename(path, hidden) == 0 ? hidden : path, fd);
}

static bool is_hidden(const char *name)
{
	return !strncmp(name, HIDDEN, strlen(HIDDEN));
}

/* Returns N if it is a name that tmpdir_make() gives: "synfault-N-" and six characters; else 0. */
static uint32_t number_of(const char *name)
{
	const char *dash = strrchr(name, '-');

	if (is_hidden(name))
		name += strlen(HIDDEN);
	return dash && strlen(dash) == 7 ? netns_lock_parse(name, PREFIX, '-') : 0;
}

static void sweep_one(const char *where, const char *name)
{
	/* A sandbox of this namespace claims its number before it makes and locks its directory. */
	AUTO_CLOSE int claim = netns_lock_take(NETNS_LOCK_SANDBOX, number_of(name));
	AUTO_FREE char *path = xasprintf("%s/%s", where, name);
	AUTO_CLOSE int fd = claim >= 0 ? lock(path) : -1;

	if (fd >= 0 && is_hidden(name))
		remove_hidden(path, fd);
	else if (fd >= 0 && has_mark(fd))
		tmpdir_remove(path, fd);
}

void tmpdir_sweep(void)
{
	for (size_t index = 0; place(index); index++) {
		DIR *directory = opendir(place(index));

		for (struct dirent *entry; directory && (entry = readdir(directory));)
			if (number_of(entry->d_name))
				sweep_one(place(index), entry->d_name);
		if (directory)
			closedir(directory);
	}
}
