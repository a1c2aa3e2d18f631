/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims in a network namespace: see netns_lock.h. */
#include "runner/sandbox/netns_lock.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

int netns_lock_take(enum netns_lock_kind kind, uint32_t number)
{
	static const char *const names[] = {
		[NETNS_LOCK_SANDBOX] = "sandbox",
		[NETNS_LOCK_SPACE] = "space",
		[NETNS_LOCK_LOCK] = "lock",
		[NETNS_LOCK_PORT] = "port",
	};
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length;

	if (fd < 0)
		return -errno;
	/* A leading NUL makes the name an abstract one. */
	length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "synfault-%s-%u",
			  names[kind], number);
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) < 0)
		return -errno;
	return steal_fd(&fd);
}

uint32_t netns_lock_parse(const char *name, const char *prefix, char end)
{
	size_t length = strlen(prefix);
	unsigned long number;
	char *after;

	if (strncmp(name, prefix, length) != 0 || name[length] < '1' || name[length] > '9')
		return 0;
	errno = 0;
	number = strtoul(name + length, &after, 10);
	return !errno && *after == end && number <= NETNS_LOCK_LAST_SANDBOX ? (uint32_t)number : 0;
}
