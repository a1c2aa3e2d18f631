/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counts in a network namespace: see net_counts.h. */
#include "runner/clock/net_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

/*
 * The kernel hands out no more than a page at once, in whole lines. There are few devices in a
 * sandbox; a text that may have been cut counts as unknown.
 */
enum { TEXT_SIZE = 4096, MAX_LINE = 160 };
/* Of the numbers of a device: those that were received, and the bytes that were sent, come before.
 */
enum { NUMBERS_BEFORE_SENT = 9 };

static bool add_device(struct net_counts *counts, const char *numbers)
{
	char *end = NULL;

	for (int i = 0; i < NUMBERS_BEFORE_SENT; i++) {
		(void)strtoull(numbers, &end, 10);
		if (end == numbers)
			return false;
		numbers = end;
	}
	counts->sent += strtoull(numbers, &end, 10);
	return end != numbers;
}

bool net_counts_add_devices(struct net_counts *counts, const char *text)
{
	bool any = false;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *end, *colon;

		line += *line == '\n';
		end = strchrnul(line, '\n');
		colon = memchr(line, ':', (size_t)(end - line));
		/* The two lines above the devices have none. */
		if (!colon)
			continue;
		if (!add_device(counts, colon + 1))
			return false;
		any = true;
	}
	return any;
}

static void add_number(const char *text, const char *key, uint64_t *count)
{
	const char *found = strstr(text, key);

	if (found)
		*count += strtoull(found + strlen(key), NULL, 10);
}

void net_counts_add_sockets(struct net_counts *counts, const char *text)
{
	add_number(text, "sockets: used ", &counts->sockets);
	add_number(text, "TCP: inuse ", &counts->tcp);
	add_number(text, " tw ", &counts->tcp_waiting);
	add_number(text, "UDP: inuse ", &counts->udp);
	add_number(text, "TCP6: inuse ", &counts->tcp6);
	add_number(text, "UDP6: inuse ", &counts->udp6);
}

bool net_counts_are_same(const struct net_counts *a, const struct net_counts *b)
{
	return a->sent == b->sent && a->sockets == b->sockets && a->tcp == b->tcp &&
	       a->tcp_waiting == b->tcp_waiting && a->udp == b->udp && a->tcp6 == b->tcp6 &&
	       a->udp6 == b->udp6;
}

int net_count_files_open(struct net_count_files *ret)
{
	*ret = (struct net_count_files){
		.devices_fd = open("/proc/net/dev", O_RDONLY | O_CLOEXEC),
		.sockets_fd = open("/proc/net/sockstat", O_RDONLY | O_CLOEXEC),
		.sockets6_fd = open("/proc/net/sockstat6", O_RDONLY | O_CLOEXEC),
	};
	if (ret->devices_fd >= 0 && ret->sockets_fd >= 0)
		return 0;
	net_count_files_close(ret);
	return -ENOENT;
}

void net_count_files_close(struct net_count_files *files)
{
	cleanup_close(&files->devices_fd);
	cleanup_close(&files->sockets_fd);
	cleanup_close(&files->sockets6_fd);
}

/* Returns whether it is all of the file. */
static bool read_text(int fd, char text[static TEXT_SIZE])
{
	ssize_t length = pread(fd, text, TEXT_SIZE - 1, 0);

	text[MAX(length, 0)] = '\0';
	return length > 0 && length < TEXT_SIZE - MAX_LINE;
}

bool net_counts_read(const struct net_count_files *files, struct net_counts *ret)
{
	char text[TEXT_SIZE];

	*ret = (struct net_counts){0};
	if (!read_text(files->devices_fd, text) || !net_counts_add_devices(ret, text) ||
	    !read_text(files->sockets_fd, text))
		return false;
	net_counts_add_sockets(ret, text);
	if (files->sockets6_fd < 0)
		return true;
	if (!read_text(files->sockets6_fd, text))
		return false;
	net_counts_add_sockets(ret, text);
	return true;
}
