/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what the kernel counts in a network namespace. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/socket.h>

#include "runner/clock/net_counts.h"

TestSuite(net_counts);

#define HEADER                                                                                     \
	"Inter-|   Receive                                                |  Transmit\n"           \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs " \
	"drop fifo colls carrier compressed\n"

Test(net_counts, are_the_packets_that_all_devices_sent)
{
	struct net_counts counts = {0};

	cr_assert(net_counts_add_devices(&counts, HEADER
					 "    lo:  600   5 0 0 0 0 0 0  700   6 0 0 0 0 0 0\n"
					 "veth0:100000  90 0 0 0 0 0 0  800 100 0 0 0 0 0 0\n"));
	cr_assert_eq(counts.sent, 106);
}

Test(net_counts, are_unknown_in_another_format)
{
	static const char *const texts[] = {
		"",
		HEADER,
		HEADER "lo: 1 2 3\n",
		HEADER "lo: none\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct net_counts counts = {0};

		cr_expect_not(net_counts_add_devices(&counts, texts[i]), "case %zu", i);
	}
}

Test(net_counts, are_the_sockets_of_both_families)
{
	struct net_counts counts = {0};

	net_counts_add_sockets(&counts, "sockets: used 93\n"
					"TCP: inuse 14 orphan 105 tw 67 alloc 120 mem 236\n"
					"UDP: inuse 3 mem 0\nUDPLITE: inuse 9\n");
	net_counts_add_sockets(&counts, "TCP6: inuse 1\nUDP6: inuse 2\nUDPLITE6: inuse 9\n");
	cr_assert_eq(counts.sockets, 93);
	cr_assert_eq(counts.tcp, 14);
	cr_assert_eq(counts.tcp_waiting, 67);
	cr_assert_eq(counts.udp, 3);
	cr_assert_eq(counts.tcp6, 1);
	cr_assert_eq(counts.udp6, 2);
}

Test(net_counts, differ_as_soon_as_one_does)
{
	const struct net_counts none = {0};
	static const struct net_counts others[] = {
		{.sent = 1}, {.sockets = 1}, {.tcp = 1},  {.tcp_waiting = 1},
		{.udp = 1},  {.tcp6 = 1},    {.udp6 = 1},
	};

	cr_assert(net_counts_are_same(&none, &none));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		cr_expect_not(net_counts_are_same(&none, &others[i]), "case %zu", i);
}

/* Other processes may send and open, too; counts that only grow are enough here. */
Test(net_counts, grow_with_each_packet_and_socket_of_this_machine)
{
	struct net_count_files files;
	struct net_counts before, after;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(net_count_files_open(&files), 0);
	if (!net_counts_read(&files, &before)) {
		net_count_files_close(&files);
		cr_skip_test("this machine has too many network devices");
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(fd, 0);
	if (sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1) {
		close(fd);
		net_count_files_close(&files);
		cr_skip_test("the loopback device is down");
	}
	cr_assert(net_counts_read(&files, &after));
	cr_assert_gt(after.sent, before.sent);
	cr_assert_not(net_counts_are_same(&before, &after));
	close(fd);
	net_count_files_close(&files);
}
