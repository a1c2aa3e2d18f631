/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests whether scenarios may run side by side if they share the ports of a network namespace. */
#include <criterion/criterion.h>
#include <errno.h>

#include "runner/schedule/ports.h"

TestSuite(ports);

/* Another program has port 9000; claims need privileges on port 9100. */
static int claim(uint16_t port)
{
	return port == 9000 ? -EADDRINUSE : port == 9100 ? -EACCES : dup(2);
}

static struct endpoint_spec endpoint(uint16_t port, enum serve_kind serve)
{
	return (struct endpoint_spec){.port = port, .serve = serve};
}

static struct scenario with(struct endpoint_spec *endpoints, size_t n)
{
	return (struct scenario){.endpoints = endpoints, .n_endpoints = n};
}

Test(ports, built_in_servers_share_a_port_and_a_server_of_the_users_has_it_alone)
{
	CLEANUP(ports_deinit) struct ports ports = {.claim = claim};
	struct endpoint_spec built_in[] = {endpoint(8080, SERVE_HTTP), endpoint(8080, SERVE_ECHO)};
	struct endpoint_spec own[] = {endpoint(0, SERVE_HTTP), endpoint(8080, SERVE_COMMAND)};
	struct scenario first = with(built_in, 2), second = with(own, 2);

	cr_assert(ports_take(&ports, &first));
	cr_assert(ports_take(&ports, &first), "another one of the kind");
	cr_assert_not(ports_take(&ports, &second));
	ports_give(&ports, &first);
	cr_assert_not(ports_take(&ports, &second), "one has it still");
	ports_give(&ports, &first);
	cr_assert(ports_take(&ports, &second));
	cr_assert_not(ports_take(&ports, &second));
	cr_assert_not(ports_take(&ports, &first));
	ports_give(&ports, &second);
	cr_expect_eq(ports.n_uses, 0);
}

Test(ports, are_claimed_all_or_none)
{
	CLEANUP(ports_deinit) struct ports ports = {.claim = claim};
	struct endpoint_spec both[] = {endpoint(8080, SERVE_COMMAND),
				       endpoint(8081, SERVE_COMMAND)};
	struct scenario first = with(&both[1], 1), second = with(both, 2), third = with(both, 1);

	cr_assert(ports_take(&ports, &first));
	cr_assert_not(ports_take(&ports, &second));
	cr_assert(ports_take(&ports, &third), "8080 is free");
}

Test(ports, in_use_by_other_programs_are_waited_for)
{
	CLEANUP(ports_deinit) struct ports ports = {.claim = claim};
	struct endpoint_spec foreign = endpoint(9000, SERVE_HTTP);
	struct endpoint_spec unclaimed = endpoint(9100, SERVE_COMMAND);
	struct scenario first = with(&foreign, 1), second = with(&unclaimed, 1);

	cr_assert_not(ports_take(&ports, &first));
	cr_assert(ports_take(&ports, &second), "where there are no claims, it goes without");
	cr_assert_not(ports_take(&ports, &second));
}

Test(ports, chosen_by_the_sandbox_are_not_claimed)
{
	CLEANUP(ports_deinit) struct ports ports = {.claim = claim};
	struct endpoint_spec chosen = endpoint(0, SERVE_COMMAND);
	struct scenario scenario = with(&chosen, 1);

	cr_assert(ports_take(&ports, &scenario));
	cr_assert(ports_take(&ports, &scenario));
	ports_give(&ports, &scenario);
	cr_expect_eq(ports.n_uses, 0);
}
