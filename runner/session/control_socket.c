/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket of a daemon: see control_socket.h. */
#include "runner/session/control_socket.h"

#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { BACKLOG = 16 };
#define SUFFIX ".sock"

/* Returns the directories to try, in order; NULL-terminated, owned by the caller. */
static char **directories(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
	char **list = xzalloc(4 * sizeof(*list));
	size_t n = 0;

	if (runtime && runtime[0] == '/')
		list[n++] = xasprintf("%s/synfault", runtime);
	list[n++] = xstrdup("/run/synfault");
	list[n++] = xasprintf("%s/synfault-%u", tmp && tmp[0] == '/' ? tmp : "/tmp",
			      (unsigned)geteuid());
	return list;
}

/* Makes the directory unless it exists. Returns whether it is ours and only we can write to it. */
static bool directory_is_ours(const char *path)
{
	struct stat status;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return false;
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH));
}

static int make_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	strcpy(ret->sun_path, path);
	return 0;
}

int control_socket_connect(const char *path)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int status = make_address(path, &address);

	if (status < 0)
		return status;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* Returns whether it is a socket on which no process listens any more. */
static bool is_stale(const char *path)
{
	AUTO_CLOSE int fd = -1;
	struct stat status;

	if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	fd = control_socket_connect(path);
	return fd == -ECONNREFUSED;
}

static int listen_at(const char *path)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int status = make_address(path, &address);
	mode_t mask;

	if (status < 0)
		return status;
	if (fd < 0)
		return -errno;
	/* The socket's permissions decide who may connect: they must never be wider than this. */
	mask = umask(0177);
	status = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	if (status == -EADDRINUSE && is_stale(path) && unlink(path) == 0)
		status = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (!status && listen(fd, BACKLOG) < 0)
		status = -errno;
	return status < 0 ? status : steal_fd(&fd);
}

static int fail(const char *path, int status, struct diag_list *diags)
{
	diag_add(diags, NULL, "can't listen for commands at %s: %s", path,
		 status == -EADDRINUSE     ? "another program listens there, or it is not a socket"
		 : status == -ENAMETOOLONG ? "the path is longer than 107 bytes"
					   : strerror(-status));
	diag_hint(diags, "choose another path with --control PATH");
	return status;
}

int control_socket_listen(const char *path, struct diag_list *diags, char **ret_path)
{
	AUTO_STRV char **list = directories();
	AUTO_STRV char **others = NULL;
	AUTO_FREE char *tried = NULL;
	int fd = -EACCES;

	if (path) {
		fd = listen_at(path);
		if (fd < 0)
			return fail(path, fd, diags);
		*ret_path = xstrdup(path);
		return fd;
	}
	/* This also removes the sockets of dead daemons. */
	others = control_socket_find();
	for (char **directory = list; *directory; directory++) {
		AUTO_FREE char *name = xasprintf("%s/%d" SUFFIX, *directory, (int)getpid());

		if (directory_is_ours(*directory)) {
			fd = listen_at(name);
			if (fd >= 0) {
				*ret_path = steal_pointer(&name);
				return fd;
			}
		}
		free(tried);
		tried = steal_pointer(&name);
	}
	return fail(tried, fd, diags);
}

static int is_socket_name(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > strlen(SUFFIX) &&
	       strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

char **control_socket_find(void)
{
	AUTO_STRV char **list = directories();
	char **found = xzalloc(sizeof(*found));
	size_t n = 0;

	for (char **directory = list; *directory; directory++) {
		struct dirent **entries;
		int n_entries = scandir(*directory, &entries, is_socket_name, alphasort);

		for (int i = 0; i < n_entries; i++) {
			AUTO_FREE char *path = xasprintf("%s/%s", *directory, entries[i]->d_name);
			AUTO_CLOSE int fd = control_socket_connect(path);

			free(entries[i]);
			if (fd >= 0) {
				found = xrealloc(found, (n + 2) * sizeof(*found));
				found[n++] = steal_pointer(&path);
				found[n] = NULL;
			} else if (fd == -ECONNREFUSED) {
				(void)unlink(path);
			}
		}
		if (n_entries >= 0)
			free(entries);
	}
	return found;
}

char *control_socket_describe(void)
{
	AUTO_STRV char **list = directories();
	AUTO_STRBUF struct strbuf text = {0};

	for (char **directory = list; *directory; directory++)
		strbuf_printf(&text, "%s%s", directory == list ? "" : ", ", *directory);
	return strbuf_steal(&text);
}
