/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports readiness: see readiness.h. */
#include "runner/inject/readiness.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

void readiness_manager(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	AUTO_CLOSE int fd = -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = name ? strlen(name) : 0;

	/* A path, or "@" and an abstract name. */
	if (length < 2 || length >= sizeof(address.sun_path) || (*name != '/' && *name != '@'))
		return;
	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
			      (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

void readiness_fd(int fd)
{
	static const char line[] = "ready\n";

	if (fd < 0)
		return;
	(void)!write(fd, line, sizeof(line) - 1);
	close(fd);
}
