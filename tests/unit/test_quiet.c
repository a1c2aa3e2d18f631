/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of how a socket shows that something is under way. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "runner/clock/quiet.h"

TestSuite(quiet);

static bool always(void *userdata, const struct quiet_socket *socket)
{
	return true;
}

static bool never(void *userdata, const struct quiet_socket *socket)
{
	return false;
}

Test(quiet, is_a_socket_without_anything_to_send_read_or_answer)
{
	static const struct {
		uint8_t state;
		uint32_t unread, unsent;
		bool calm;
	} cases[] = {
		{TCP_ESTABLISHED, 0, 0, true},  {TCP_ESTABLISHED, 0, 1, false},
		{TCP_ESTABLISHED, 1, 0, false}, {TCP_FIN_WAIT2, 0, 0, true},
		{TCP_CLOSE_WAIT, 0, 0, true},   {TCP_CLOSE_WAIT, 1, 0, true},
		{TCP_CLOSE_WAIT, 2, 0, false},  {TCP_LISTEN, 0, 128, true},
		{TCP_LISTEN, 1, 128, false},    {TCP_TIME_WAIT, 0, 0, true},
		{TCP_CLOSE, 0, 0, true},        {TCP_SYN_SENT, 0, 0, false},
		{TCP_SYN_RECV, 0, 0, false},    {TCP_FIN_WAIT1, 0, 0, false},
		{TCP_LAST_ACK, 0, 0, false},    {TCP_CLOSING, 0, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct quiet_socket socket = {
			.protocol = IPPROTO_TCP,
			.state = cases[i].state,
			.unread = cases[i].unread,
			.unsent = cases[i].unsent,
		};

		cr_assert_eq(quiet_is_calm(&socket, never, NULL), cases[i].calm, "case %zu", i);
	}
}

Test(quiet, is_a_socket_whose_answer_a_step_withholds)
{
	struct quiet_socket socket = {.protocol = IPPROTO_TCP, .state = TCP_SYN_SENT, .timer = 1};

	cr_assert(quiet_is_calm(&socket, always, NULL));
	socket.state = TCP_ESTABLISHED;
	socket.unsent = 100;
	cr_assert(quiet_is_calm(&socket, always, NULL));
	socket.timer = 2;
	cr_assert_not(quiet_is_calm(&socket, always, NULL), "keep-alive ends it by the kernel");
}

Test(quiet, is_not_a_listener_with_connections_to_accept_even_if_withheld)
{
	struct quiet_socket socket = {.protocol = IPPROTO_TCP, .state = TCP_LISTEN, .unread = 1};

	cr_assert_not(quiet_is_calm(&socket, always, NULL));
}

Test(quiet, is_a_datagram_socket_that_has_been_read)
{
	struct quiet_socket socket = {.protocol = IPPROTO_UDP, .state = TCP_ESTABLISHED};

	cr_assert(quiet_is_calm(&socket, never, NULL));
	socket.unread = 10;
	cr_assert_not(quiet_is_calm(&socket, never, NULL));
}
