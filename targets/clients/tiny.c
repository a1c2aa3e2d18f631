/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest client, for benchmarks: a blocking connect() to a literal address without name
 * look-up, linked statically if possible so that it starts at next to no cost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum exit_status {
	STATUS_CONNECTED = 0,
	STATUS_REFUSED = 1,
	STATUS_OTHER = 2,
	STATUS_USAGE = 64,
};

union target {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

static int usage(void)
{
	fputs("Usage: synfault-tiny [--tries N] [--sleep MS] ADDRESS:PORT | [ADDRESS]:PORT\n"
	      "Connects; tries again when refused, N times in all (1), MS apart (0).\n"
	      "Exit status: 0 connected, 1 refused, 2 another error, 64 usage.\n",
	      stderr);
	return STATUS_USAGE;
}

/* Returns the number, or -1 if @text is not a number in [0, @high]. */
static long parse_count(const char *text, long high)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	return errno != 0 || end == text || *end != '\0' || value < 0 || value > high ? -1 : value;
}

/*
 * Returns the length of the address in @ret, or 0 if @text is not an address. Splits @text in
 * place.
 */
static socklen_t parse_target(char *text, union target *ret)
{
	char *colon = strrchr(text, ':');
	long port = colon ? parse_count(colon + 1, 65535) : -1;

	if (port < 0 || colon == text)
		return 0;
	memset(ret, 0, sizeof(*ret));
	*colon = '\0';
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		ret->ipv6.sin6_family = AF_INET6;
		ret->ipv6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, text + 1, &ret->ipv6.sin6_addr) == 1 ? sizeof(ret->ipv6)
										: 0;
	}
	ret->ipv4.sin_family = AF_INET;
	ret->ipv4.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, text, &ret->ipv4.sin_addr) == 1 ? sizeof(ret->ipv4) : 0;
}

static enum exit_status connect_once(const union target *target, socklen_t length)
{
	enum exit_status status = STATUS_CONNECTED;
	int fd = socket(target->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return STATUS_OTHER;
	if (connect(fd, &target->any, length) < 0)
		status = errno == ECONNREFUSED ? STATUS_REFUSED : STATUS_OTHER;
	close(fd);
	return status;
}

int main(int argc, char **argv)
{
	long tries = 1, milliseconds = 0;
	union target target;
	enum exit_status status;
	struct timespec pause;
	socklen_t length;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--tries") == 0)
			tries = parse_count(argv[i + 1], 1000000000);
		else if (strcmp(argv[i], "--sleep") == 0)
			milliseconds = parse_count(argv[i + 1], 86400000);
		else
			return usage();
	}
	length = i == argc - 1 ? parse_target(argv[i], &target) : 0;
	if (length == 0 || tries < 1 || milliseconds < 0)
		return usage();

	pause.tv_sec = milliseconds / 1000;
	pause.tv_nsec = milliseconds % 1000 * 1000000;
	status = connect_once(&target, length);
	for (long n = 1; n < tries && status == STATUS_REFUSED; n++) {
		if (milliseconds > 0)
			nanosleep(&pause, NULL);
		status = connect_once(&target, length);
	}
	return (int)status;
}
