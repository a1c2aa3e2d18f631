/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network of a sandbox on the real kernel: addresses work at once, and SYNs are retransmitted
 * on schedule.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner/record/syn_schedule.h"
#include "runner/sandbox/network.h"
#include "runner/sandbox/orphan_sockets.h"
#include "tests/lib/netns.h"

enum { N_ADDRESSES = 200, PORT = 8080 };

static int listen_anywhere(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 &&
			  listen(fd, N_ADDRESSES) == 0,
		  "no listener: %s", strerror(errno));
	return fd;
}

/* Connects with a blocking socket, and returns how often the kernel had to repeat its SYN. */
static uint32_t connect_to(const struct address *address)
{
	struct sockaddr_in6 server = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	AUTO_CLOSE int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	memcpy(&server.sin6_addr, address->bytes, sizeof(server.sin6_addr));
	cr_assert(connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0, "connect: %s",
		  strerror(errno));
	cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	return info.tcpi_total_retrans;
}

Test(network, first_packet_to_a_new_address_arrives)
{
	AUTO_CLOSE int listener = -1;

	netns_enter();
	listener = listen_anywhere();
	for (int i = 1; i <= N_ADDRESSES; i++) {
		AUTO_FREE char *text = xasprintf("fd73:796e:ffff::%x", (unsigned)i);
		struct address address;

		cr_assert_eq(address_parse(text, PORT, &address), 0, "%s is not an address", text);
		cr_assert_eq(network_change_addresses(&address, 1, true), 0, "%s: not added", text);
		cr_assert_eq(connect_to(&address), 0, "%s: the first SYN was lost", text);
	}
}

static void set(const char *name, const char *value)
{
	AUTO_FREE char *path = xasprintf("/proc/sys/net/ipv4/%s", name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && write(fd, value, strlen(value)) > 0, "%s: %s", name, strerror(errno));
}

Test(network, kernel_gives_up_a_syn_on_schedule)
{
	struct sockaddr_in server = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct sockaddr *to = (struct sockaddr *)&server;
	AUTO_CLOSE int listener = -1;
	AUTO_CLOSE int filling = -1;
	AUTO_CLOSE int client = -1;
	struct syn_schedule schedule;
	int64_t took_ns;

	netns_enter();
	set("tcp_syn_retries", "1");
	if (access("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", F_OK) < 0)
		cr_skip("this kernel has no linear timeouts");
	set("tcp_syn_linear_timeouts", "4");
	syn_schedule_compute(1, 4, 120 * NS_PER_S, &schedule);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	filling = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, to, sizeof(server)), 0);
	/* One connection fills its queue; SYNs after that get no answer. */
	cr_assert_eq(listen(listener, 0), 0);
	cr_assert_eq(connect(filling, to, sizeof(server)), 0);
	took_ns = clock_monotonic_ns();
	cr_assert_eq(connect(client, to, sizeof(server)), -1);
	cr_assert_eq(errno, ETIMEDOUT, "%s", strerror(errno));
	took_ns = clock_monotonic_ns() - took_ns;
	cr_assert_geq(took_ns, schedule.timeout_ns);
	cr_assert_lt(took_ns, schedule.timeout_ns + NS_PER_S * 9 / 10, "%lld ms",
		     (long long)(took_ns / NS_PER_MS));
}

static struct address address_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	struct address address;

	cr_assert_eq(name(fd, (struct sockaddr *)&storage, &length), 0);
	cr_assert_eq(address_from_sockaddr((struct sockaddr *)&storage, &address), 0);
	return address;
}

static int connect_loopback(int listener)
{
	const struct address address = address_of(listener, getsockname);
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&address, &storage);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(client, (struct sockaddr *)&storage, length), 0);
	return client;
}

/* The notice of its death can come later. */
Test(network, a_connection_whose_socket_is_gone_is_known_without_a_notice)
{
	const struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct event established = {.kind = EVENT_ESTABLISHED};
	const struct event closed = {.kind = EVENT_CLOSED};
	struct record *record = record_new();
	int listener, client;

	netns_enter();
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (const struct sockaddr *)&any, sizeof(any)), 0);
	cr_assert_eq(listen(listener, 1), 0);
	client = connect_loopback(listener);
	array_append(record->attempts, record->n_attempts, record->attempts_capacity,
		     (struct record_attempt){
			     .client = address_of(client, getsockname),
			     .server = address_of(client, getpeername),
		     });
	record_add_event(record, &established);
	cr_expect_eq(orphan_sockets_n_gone(record), 0, "it is open");
	close(client);
	close(listener);
	cr_expect_eq(orphan_sockets_n_gone(record), 1, "it is gone, or waits in TIME_WAIT");
	record_add_event(record, &closed);
	cr_expect_eq(orphan_sockets_n_gone(record), 0, "its death is in the record");
	record_free(record);
}
