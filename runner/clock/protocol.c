/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between the supervisor and the clock process: see protocol.h. */
#include "runner/clock/protocol.h"

#include <errno.h>
#include <sys/socket.h>

int clock_message_send(int fd, const struct clock_message *message)
{
	size_t n = message->kind == CLOCK_ANSWER ? message->n_inodes : 0;
	size_t length = offsetof(struct clock_message, inodes) + n * sizeof(message->inodes[0]);
	ssize_t sent;

	do {
		sent = send(fd, message, length, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int clock_message_receive(int fd, bool wait, struct clock_message *ret)
{
	ssize_t length;

	do {
		length = recv(fd, ret, sizeof(*ret), wait ? 0 : MSG_DONTWAIT);
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (length == 0)
		return -EPIPE;
	if ((size_t)length < offsetof(struct clock_message, inodes))
		return -EPROTO;
	return 1;
}
