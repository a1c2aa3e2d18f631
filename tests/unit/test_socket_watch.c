/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at a table of sockets that is kept here, by a clock that is turned by hand. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>

#include "injector/socket_watch.h"

#define MAX_SOCKETS 256

struct report {
	char kind; /* 'o'pen, 'g'one, 'b'lind */
	uint32_t attempt;
	int64_t earliest_ns, at_ns;
};

struct table {
	struct socket_watch *watch;
	struct sock_found sockets[MAX_SOCKETS]; /* by client port; cookie 0: none */
	int error;
	int64_t now_ns;
	unsigned n_looks;
	struct report reports[MAX_SOCKETS];
	size_t n_reports;
};

static int find(void *context, const struct address *local, const struct address *remote,
		struct sock_found *ret)
{
	struct table *table = context;

	table->n_looks++;
	if (table->error)
		return table->error;
	if (!table->sockets[local->port].cookie)
		return -ENOENT;
	*ret = table->sockets[local->port];
	return 0;
}

static int64_t now_ns(void *context)
{
	const struct table *table = context;

	return table->now_ns;
}

static void add(struct table *table, struct report report)
{
	cr_assert_lt(table->n_reports, MAX_SOCKETS);
	table->reports[table->n_reports++] = report;
}

static void on_open(void *context, uint32_t attempt, int64_t at_ns, uint8_t state)
{
	add(context, (struct report){'o', attempt, at_ns, at_ns});
}

static void on_gone(void *context, uint32_t attempt, int64_t earliest_ns, int64_t at_ns)
{
	add(context, (struct report){'g', attempt, earliest_ns, at_ns});
}

static void on_seen(void *context, uint32_t attempt, int64_t at_ns)
{
}

static void on_blind(void *context, int error)
{
	add(context, (struct report){'b', 0, error, error});
}

static struct table *table_new(void)
{
	struct table *table = xzalloc(sizeof(*table));

	table->watch = socket_watch_new(&(struct socket_watch_host){find, now_ns, on_open, on_seen,
								    on_gone, on_blind, table});
	return table;
}

static void table_free(struct table *table)
{
	socket_watch_free(table->watch);
	free(table);
}

static void open_socket(struct table *table, uint16_t port, uint64_t cookie)
{
	table->sockets[port] =
		(struct sock_found){.cookie = cookie, .inode = cookie, .state = TCP_SYN_SENT};
}

static void close_socket(struct table *table, uint16_t port)
{
	table->sockets[port] = (struct sock_found){0};
}

/* Returns the first SYN of an attempt from this port; looks at the others. */
static int begin(struct table *table, uint32_t id, uint16_t port)
{
	struct attempt_info attempt = {.id = id, .started_ns = table->now_ns};
	struct sock_found found;
	int r;

	cr_assert_eq(address_parse("127.0.0.1", port, &attempt.key.client), 0);
	cr_assert_eq(address_parse("127.0.0.1", 80, &attempt.key.server), 0);
	r = socket_watch_begin(table->watch, &attempt, &found);
	socket_watch_look(table->watch, id);
	return r;
}

static void expect_reports(const struct table *table, const char *kinds)
{
	char text[MAX_SOCKETS + 1] = "";

	for (size_t i = 0; i < table->n_reports; i++)
		text[i] = table->reports[i].kind;
	cr_expect_str_eq(text, kinds);
}

Test(socket_watch, reports_a_socket_once_and_again_at_the_end_when_it_was_seen_later)
{
	struct table *table = table_new();

	for (uint16_t k = 0; k < 4; k++) {
		open_socket(table, k + 1, k + 1);
		table->now_ns = k * 10;
		cr_expect_eq(begin(table, k, k + 1), 0);
	}
	expect_reports(table, "ooo");
	for (uint32_t k = 0; k < 3; k++) {
		cr_expect_eq(table->reports[k].attempt, k);
		cr_expect_eq(table->reports[k].at_ns, (k + 1) * 10);
	}
	socket_watch_finish(table->watch);
	/* attempt 2 was last seen when it was reported, attempt 3 never */
	expect_reports(table, "ooooo");
	cr_expect_eq(table->reports[3].attempt, 0);
	cr_expect_eq(table->reports[3].at_ns, 30);
	cr_expect_eq(table->reports[4].attempt, 1);
	table_free(table);
}

Test(socket_watch, unanswered_attempt_is_gone_between_two_looks)
{
	struct table *table = table_new();

	open_socket(table, 1, 11);
	cr_expect_eq(begin(table, 0, 1), 0);
	table->now_ns = 10;
	cr_expect(socket_watch_poll(table->watch));
	close_socket(table, 1);
	table->now_ns = 20;
	cr_expect_not(socket_watch_poll(table->watch), "none is left");
	expect_reports(table, "g");
	cr_expect_eq(table->reports[0].earliest_ns, 10);
	cr_expect_eq(table->reports[0].at_ns, 20);
	table_free(table);
}

Test(socket_watch, second_connect_of_a_socket_ends_its_first_attempt)
{
	struct table *table = table_new();
	uint32_t attempt;

	open_socket(table, 1, 11);
	cr_expect_eq(begin(table, 0, 1), 0);
	close_socket(table, 1);
	open_socket(table, 2, 11);
	table->now_ns = 5;
	cr_expect_eq(begin(table, 1, 2), 0);
	expect_reports(table, "g");
	cr_expect_eq(table->reports[0].attempt, 0);
	cr_expect_eq(table->reports[0].at_ns, 5);
	cr_assert_eq(socket_watch_find(table->watch, 11, &attempt), 0);
	cr_expect_eq(attempt, 1);
	cr_assert_eq(socket_watch_earlier(table->watch, 1, &attempt), 0);
	cr_expect_eq(attempt, 0);
	cr_expect_eq(socket_watch_earlier(table->watch, 0, &attempt), -ENOENT);
	cr_expect_eq(socket_watch_find(table->watch, 12, &attempt), -ENOENT);
	table_free(table);
}

Test(socket_watch, another_socket_with_the_same_addresses_is_not_the_attempts)
{
	struct table *table = table_new();

	open_socket(table, 1, 11);
	cr_expect_eq(begin(table, 0, 1), 0);
	open_socket(table, 1, 12);
	(void)socket_watch_poll(table->watch);
	expect_reports(table, "g");
	table_free(table);
}

Test(socket_watch, socket_that_no_process_has_open_is_not_open)
{
	struct table *table = table_new();

	open_socket(table, 1, 11);
	cr_expect_eq(begin(table, 0, 1), 0);
	socket_watch_answered(table->watch, 0);
	table->sockets[1].inode = 0;
	open_socket(table, 2, 12);
	cr_expect_eq(begin(table, 1, 2), 0);
	expect_reports(table, "");
	table_free(table);
}

Test(socket_watch, answered_attempt_that_leaves_the_table_is_not_reported_as_gone)
{
	struct table *table = table_new();

	open_socket(table, 1, 11);
	cr_expect_eq(begin(table, 0, 1), 0);
	socket_watch_answered(table->watch, 0);
	close_socket(table, 1);
	cr_expect_not(socket_watch_poll(table->watch));
	open_socket(table, 2, 12);
	cr_expect_eq(begin(table, 1, 2), 0);
	expect_reports(table, "");
	table_free(table);
}

Test(socket_watch, looks_only_at_the_newest_attempts)
{
	struct table *table = table_new();

	for (uint16_t k = 0; k < 100; k++) {
		open_socket(table, k + 1, k + 1);
		cr_expect_eq(begin(table, k, k + 1), 0);
	}
	table->n_looks = 0;
	table->n_reports = 0;
	open_socket(table, 200, 200);
	cr_expect_eq(begin(table, 100, 200), 0);
	cr_expect_eq(table->n_looks, 1 + SOCKET_WATCH_MAX_LOOKS);
	cr_assert_eq(table->n_reports, 1);
	cr_expect_eq(table->reports[0].attempt, 99);
	table_free(table);
}

Test(socket_watch, gives_up_when_the_kernel_can_not_say)
{
	struct table *table = table_new();

	open_socket(table, 1, 11);
	cr_expect_eq(begin(table, 0, 1), 0);
	table->error = -EPERM;
	cr_expect_not(socket_watch_poll(table->watch));
	cr_expect_eq(begin(table, 1, 2), -EOPNOTSUPP);
	expect_reports(table, "b");
	table_free(table);
}
