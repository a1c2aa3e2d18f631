/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the attempts that the kernel may have to end. */
#include <criterion/criterion.h>

#include "runner/clock/connects.h"

TestSuite(connects);

static void add(struct connects *connects, uint64_t inode, int64_t began_ns, bool blocks)
{
	connects_add(connects,
		     &(struct connecting){.inode = inode, .began_ns = began_ns, .blocks = blocks});
}

Test(connects, the_oldest_that_does_not_block_is_next)
{
	struct connects connects = {0};

	cr_assert_null(connects_next(&connects));
	add(&connects, 1, 100, true);
	cr_assert_null(connects_next(&connects), "its call is ended instead");
	add(&connects, 2, 300, false);
	add(&connects, 3, 200, false);
	cr_assert_eq(connects_next(&connects)->inode, 3);
	free(connects.items);
	free(connects.times);
}

Test(connects, those_whose_sockets_wait_no_more_are_forgotten)
{
	struct connects connects = {0};

	add(&connects, 1, 100, false);
	add(&connects, 2, 200, false);
	connects_keep(&connects, (uint64_t[]){7, 2}, 2);
	cr_assert_eq(connects.n_items, 1);
	cr_assert_eq(connects_next(&connects)->inode, 2);
	connects_keep(&connects, NULL, 0);
	cr_assert_null(connects_next(&connects));
	free(connects.items);
	free(connects.times);
}

Test(connects, a_socket_that_connects_again_begins_anew)
{
	struct connects connects = {0};

	add(&connects, 1, 100, false);
	add(&connects, 1, 500, false);
	cr_assert_eq(connects.n_items, 1);
	cr_assert_eq(connects_next(&connects)->began_ns, 500);
	free(connects.items);
	free(connects.times);
}

Test(connects, times_of_a_socket_are_set_one_by_one)
{
	struct connects connects = {0};

	cr_assert_null(connects_times(&connects, 1));
	connects_set_times(&connects, 1, 300, -1);
	connects_set_times(&connects, 1, -1, 400);
	connects_set_times(&connects, 2, 0, -1);
	cr_assert_eq(connects_times(&connects, 1)->receive_ns, 300);
	cr_assert_eq(connects_times(&connects, 1)->send_ns, 400);
	cr_assert_eq(connects_times(&connects, 2)->receive_ns, 0);
	free(connects.items);
	free(connects.times);
}
