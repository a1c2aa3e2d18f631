/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves bytes over one TCP connection as fast as possible: both ends of the established-throughput
 * figure. `bulk serve ADDRESS PORT` takes one connection and reads it to its end; `bulk send
 * ADDRESS PORT BYTES FILE` sends and writes bytes per second to FILE. Each end stays on its own
 * processor if there are two: the scheduler's choice would make more of a difference than what is
 * measured.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "common/duration.h"

enum { CHUNK = 1 << 17 };

static int fail(const char *what)
{
	fprintf(stderr, "bulk: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

/* Pins the process to the first or the last permitted processor. */
static void stay(bool last)
{
	cpu_set_t all, one;
	int chosen = -1;

	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all) && (last || chosen < 0))
			chosen = i;
	CPU_ZERO(&one);
	if (chosen >= 0)
		CPU_SET(chosen, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

static int serve(const struct sockaddr_in *address)
{
	AUTO_CLOSE int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_CLOSE int connection = -1;
	AUTO_FREE char *chunk = xzalloc(CHUNK);
	const int on = 1;
	ssize_t length;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (const void *)address, sizeof(*address)) < 0 || listen(listener, 16) < 0)
		return fail("listen");
	connection = accept(listener, NULL, NULL);
	while ((length = read(connection, chunk, CHUNK)) > 0)
		;
	/* The client waits for this byte: all has arrived. */
	if (length == 0 && write(connection, "!", 1) != 1)
		return fail("write");
	if (length < 0 && errno != ECONNRESET)
		return fail("read");
	/* The harness ends this server; one that exits before the client is an error. */
	pause();
	return EXIT_SUCCESS;
}

static int send_all(const struct sockaddr_in *address, int64_t bytes, const char *result)
{
	AUTO_CLOSE int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_FREE char *chunk = xzalloc(CHUNK);
	AUTO_FCLOSE FILE *file = fopen(result, "w");
	int64_t started_ns, left = bytes;
	double seconds;

	if (!file)
		return fail(result);
	if (connect(connection, (const void *)address, sizeof(*address)) < 0)
		return fail("connect");
	started_ns = clock_monotonic_ns();
	while (left > 0) {
		ssize_t length = write(connection, chunk, (size_t)MIN(left, (int64_t)CHUNK));

		if (length < 0)
			return fail("write");
		left -= length;
	}
	shutdown(connection, SHUT_WR);
	/* or the connection was reset after the last byte, as intended */
	if (read(connection, chunk, 1) != 1 && errno != ECONNRESET)
		return fail("read");
	seconds = (double)(clock_monotonic_ns() - started_ns) / (double)NS_PER_S;
	fprintf(file, "%.0f\n", (double)bytes / seconds);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	if (argc < 4 || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) {
		fputs("usage: bulk serve ADDRESS PORT | bulk send ADDRESS PORT BYTES FILE\n",
		      stderr);
		return 64;
	}
	stay(!strcmp(argv[1], "serve"));
	address.sin_port = htons((uint16_t)atoi(argv[3]));
	if (!strcmp(argv[1], "serve"))
		return serve(&address);
	if (!strcmp(argv[1], "send") && argc == 6)
		return send_all(&address, atoll(argv[4]), argv[5]);
	return 64;
}
