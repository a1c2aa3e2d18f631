/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket of a daemon: see control_socket.h. */
#include "runner/session/control_socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/duration.h"
#include "common/text.h"

enum { BACKLOG = 16 };
/* Bytes of a token: less could be guessed. */
enum { MIN_TOKEN = 16 };
/* How long to wait for the lock of a directory, which others hold for microseconds. */
enum { LOCK_TRIES = 50, LOCK_WAIT_MS = 10 };
#define SUFFIX ".sock"
#define TCP    "tcp:"

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

/*
 * Finds the socket address of "PORT", "HOST:PORT" or "[HOST]:PORT". Returns a list to free with
 * freeaddrinfo(), or NULL.
 */
static struct addrinfo *resolve(const char *text)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	AUTO_FREE char *host =
		colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup("127.0.0.1");
	const size_t length = strlen(host);
	const bool in_brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
	struct addrinfo *found = NULL;
	int64_t number;

	if (in_brackets)
		host[length - 1] = '\0';
	/* Without brackets the last part of an IPv6 address would be the port. */
	if (length == 0 || !text_to_integer(port, 0, UINT16_MAX, &number) ||
	    (!in_brackets && strchr(host, ':')))
		return NULL;
	if (getaddrinfo(in_brackets                 ? host + 1
			: strcmp(host, "localhost") ? host
						    : "127.0.0.1",
			port, &hints, &found) != 0)
		return NULL;
	return found;
}

bool control_socket_is_tcp(const char *path)
{
	return strncmp(path, TCP, strlen(TCP)) == 0;
}

/* Connects a socket that blocks. Returns 0, or a negative errno: -ETIMEDOUT after @patience_ns. */
static int connect_in_time(int fd, const struct sockaddr *address, socklen_t length,
			   int64_t patience_ns)
{
	const struct timeval patience = duration_timeval(patience_ns);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	if (connect(fd, address, length) == 0)
		return 0;
	/* What Unix sockets and TCP say once this time has elapsed. */
	return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
}

static int connect_tcp(const char *text, int64_t patience_ns)
{
	struct addrinfo *address = resolve(text);
	AUTO_CLOSE int fd = -1;
	int status;

	if (!address)
		return -EDESTADDRREQ;
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	status = fd < 0 ? -errno
			: connect_in_time(fd, address->ai_addr, address->ai_addrlen, patience_ns);
	freeaddrinfo(address);
	return status < 0 ? status : steal_fd(&fd);
}

int control_socket_connect(const char *path, int64_t patience_ns)
{
	AUTO_CLOSE int fd = -1;
	struct sockaddr_un address;
	int status;

	if (control_socket_is_tcp(path))
		return connect_tcp(path + strlen(TCP), patience_ns);
	status = make_address(path, &address);
	if (status < 0)
		return status;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	status = connect_in_time(fd, (struct sockaddr *)&address, sizeof(address), patience_ns);
	return status < 0 ? status : steal_fd(&fd);
}

/*
 * Returns 0 if a process listens on a Unix socket, or a negative errno. A daemon that is too busy
 * to take the connection keeps no one waiting.
 */
static int probe(const char *path)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int status = fd < 0 ? -errno : make_address(path, &address);

	if (status < 0)
		return status;
	status = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	return status == -EAGAIN ? 0 : status;
}

/*
 * Locks the directory of a socket: between bind() and listen(), a new one looks like that of a dead
 * daemon. Returns a descriptor or a negative errno: -EWOULDBLOCK if another process holds it.
 */
static int lock_directory(const char *path)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_CLOSE int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd < 0 ? -errno : -EWOULDBLOCK;

	for (int i = 0; status == -EWOULDBLOCK && i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return steal_fd(&fd);
		status = -errno;
		if (status == -EWOULDBLOCK)
			poll(NULL, 0, LOCK_WAIT_MS);
	}
	return status;
}

/* Returns whether it is a socket on which no process listens any more. */
static bool is_stale(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) &&
	       probe(path) == -ECONNREFUSED;
}

void control_socket_remove(const char *path)
{
	AUTO_CLOSE int lock = lock_directory(path);

	if (lock != -EWOULDBLOCK && is_stale(path))
		(void)unlink(path);
}

static int listen_at(const char *path)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	AUTO_CLOSE int lock = lock_directory(path);
	struct sockaddr_un address;
	int status = make_address(path, &address);
	mode_t mask;

	/* Held until we return; if others hold it for too long, we go on. */
	(void)lock;
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

/* Returns "tcp:HOST:PORT" of a bound socket; the caller's. */
static char *describe_bound(int fd)
{
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&bound, &length) < 0 ||
	    getnameinfo((struct sockaddr *)&bound, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return NULL;
	return strchr(host, ':') ? xasprintf(TCP "[%s]:%s", host, port)
				 : xasprintf(TCP "%s:%s", host, port);
}

int control_socket_listen_tcp(const char *address, struct diag_list *diags, char **ret_address)
{
	struct addrinfo *found = resolve(address);
	AUTO_CLOSE int fd = -1;
	char *bound = NULL;
	int on = 1, status = 0;

	if (!found) {
		diag_add(
			diags, NULL,
			"--listen takes PORT, HOST:PORT or [HOST]:PORT with an address, not \"%s\"",
			address);
		return -EINVAL;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ||
	    !(bound = describe_bound(fd)))
		status = -errno;
	freeaddrinfo(found);
	if (status < 0) {
		diag_add(diags, NULL, "can't listen for commands at %s: %s", address,
			 strerror(-status));
		return status;
	}
	*ret_address = bound;
	return steal_fd(&fd);
}

const char *control_socket_token(struct diag_list *diags)
{
	const char *token = getenv("SYNFAULT_TOKEN");

	if (token && strlen(token) >= MIN_TOKEN)
		return token;
	diag_add(diags, NULL, "--listen needs a secret of at least %d characters in SYNFAULT_TOKEN",
		 MIN_TOKEN);
	return NULL;
}

int control_socket_listen(const char *path, struct diag_list *diags, char **ret_path)
{
	AUTO_STRV char **list = directories();
	AUTO_STRV char **others = NULL;
	AUTO_FREE char *tried = NULL;
	int fd = -EACCES;

	if (path && control_socket_is_tcp(path)) {
		diag_add(diags, NULL, "can't listen for commands at %s: that is not a path", path);
		diag_hint(diags, "--listen ADDRESS is for TCP");
		return -EINVAL;
	}
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
			const int status = probe(path);

			free(entries[i]);
			if (status == 0) {
				found = xrealloc(found, (n + 2) * sizeof(*found));
				found[n++] = steal_pointer(&path);
				found[n] = NULL;
			} else if (status == -ECONNREFUSED) {
				control_socket_remove(path);
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
