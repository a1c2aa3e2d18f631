/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * retry HOST:PORT TRIES BASE FACTOR [TIMEOUT]: connects, and pauses between its attempts for BASE
 * seconds, then FACTOR times as long. Each client in this directory does that in its language's
 * own way. Without TIMEOUT, in seconds, connect() blocks until the kernel ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int wait_for(int fd, double timeout_s)
{
	struct pollfd writable = {.fd = fd, .events = POLLOUT};
	socklen_t length = sizeof(int);
	int error = ETIMEDOUT;

	if (poll(&writable, 1, (int)(timeout_s * 1000)) > 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error;
}

static int attempt(const struct sockaddr_in *server, double timeout_s)
{
	int fd = socket(AF_INET, SOCK_STREAM | (timeout_s > 0 ? SOCK_NONBLOCK : 0), 0);
	int error = 0;

	if (connect(fd, (const struct sockaddr *)server, sizeof(*server)) < 0)
		error = errno == EINPROGRESS ? wait_for(fd, timeout_s) : errno;
	close(fd);
	return error;
}

int main(int argc, char **argv)
{
	struct sockaddr_in server = {.sin_family = AF_INET};
	char host[64];
	unsigned port;
	double pause_s;

	if (argc < 5 || sscanf(argv[1], "%63[^:]:%u", host, &port) != 2 ||
	    inet_pton(AF_INET, host, &server.sin_addr) != 1)
		return 2;
	server.sin_port = htons((uint16_t)port);
	pause_s = atof(argv[3]);
	for (int left = atoi(argv[2]); left > 0; left--) {
		struct timespec length = {.tv_sec = (time_t)pause_s};
		int error = attempt(&server, argc > 5 ? atof(argv[5]) : 0);

		if (!error)
			return 0;
		fprintf(stderr, "%s\n", strerror(error));
		length.tv_nsec = (long)((pause_s - (double)length.tv_sec) * 1e9);
		if (left > 1)
			nanosleep(&length, NULL);
		pause_s *= atof(argv[4]);
	}
	return 1;
}
