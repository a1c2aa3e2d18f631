/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks into other network namespaces: see namespaces.h. */
#include "runner/diagnose/namespaces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>

#include "runner/diagnose/explain.h"
#include "runner/diagnose/server.h"

/* More containers than this are not looked into. */
enum { MAX_NAMESPACES = 256 };

struct search {
	ino_t seen[MAX_NAMESPACES];
	size_t n_seen;
	/* Called inside of each namespace; returns whether it is the one. */
	bool (*is_wanted)(void *userdata);
	void *userdata;
};

int namespaces_visit(int fd)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (own < 0 || setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	return steal_fd(&own);
}

void namespaces_leave(int own)
{
	/* What is looked at afterwards would be taken for this host's. */
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	close(own);
}

static bool is_new(struct search *search, ino_t inode)
{
	for (size_t i = 0; i < search->n_seen; i++)
		if (search->seen[i] == inode)
			return false;
	if (search->n_seen == MAX_NAMESPACES)
		return false;
	search->seen[search->n_seen++] = inode;
	return true;
}

/* Returns a descriptor of a process's namespace if it is the wanted one, otherwise -ENOENT. */
static int look_at(struct search *search, const char *pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/ns/net", pid);
	AUTO_CLOSE int fd = -1;
	struct stat status;
	bool wanted;
	int own;

	if (stat(path, &status) < 0 || !is_new(search, status.st_ino))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	own = fd < 0 ? -errno : namespaces_visit(fd);
	if (own < 0)
		return -ENOENT;
	wanted = search->is_wanted(search->userdata);
	namespaces_leave(own);
	return wanted ? steal_fd(&fd) : -ENOENT;
}

static int find(bool (*is_wanted)(void *), void *userdata)
{
	struct search search = {.is_wanted = is_wanted, .userdata = userdata};
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	struct stat own;
	int fd = -ENOENT;

	if (!proc)
		return -ENOENT;
	if (stat("/proc/self/ns/net", &own) == 0)
		is_new(&search, own.st_ino);
	while (fd < 0 && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			fd = look_at(&search, entry->d_name);
	closedir(proc);
	return fd;
}

/* Calls a function with each address of the current namespace until it returns true. */
static bool any_address(bool (*is_wanted)(const struct address *, void *), void *userdata)
{
	struct ifaddrs *all;
	struct address address;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
		if (i->ifa_addr && !(i->ifa_flags & IFF_LOOPBACK) &&
		    address_from_sockaddr(i->ifa_addr, &address) == 0)
			found = is_wanted(&address, userdata);
	freeifaddrs(all);
	return found;
}

static bool is_same_host(const struct address *address, void *userdata)
{
	const struct address *wanted = userdata;

	return address->family == wanted->family &&
	       memcmp(address->bytes, wanted->bytes, sizeof(address->bytes)) == 0;
}

static bool has_address(void *userdata)
{
	return any_address(is_same_host, userdata);
}

int namespaces_find_address(const struct address *address)
{
	struct address wanted = *address;

	return find(has_address, &wanted);
}

struct listener_search {
	uint16_t port;
	struct server_evidence server;
	const struct listener *listener;
	struct address *home;
};

static bool is_listened_to(const struct address *address, void *userdata)
{
	struct listener_search *search = userdata;

	if (!listener_takes(search->listener, address) ||
	    (address->family == AF_INET6 && address->bytes[0] == 0xfe))
		return false;
	*search->home = *address;
	search->home->port = search->port;
	return true;
}

static bool has_listener(void *userdata)
{
	struct listener_search *search = userdata;

	server_list(search->port, &search->server);
	if (search->server.n_listeners == 0)
		return false;
	search->listener = &search->server.listeners[0];
	any_address(is_listened_to, search);
	return true;
}

bool namespaces_find_listener(uint16_t port, struct listener *ret, struct address *ret_home)
{
	struct listener_search search = {.port = port, .home = ret_home};
	int fd;

	*ret_home = (struct address){0};
	fd = find(has_listener, &search);
	if (fd < 0)
		return false;
	close(fd);
	*ret = search.server.listeners[0];
	search.server.listeners[0].program = NULL;
	server_free(&search.server);
	return true;
}
