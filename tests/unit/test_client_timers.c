/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the client's timers. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/clock/client_timers.h"

TestSuite(client_timers);

static void set(struct client_timers *timers, enum client_timer_kind kind, pid_t process,
		int64_t deadline_ns, int64_t interval_ns)
{
	client_timers_set(timers, &(struct client_timer){.kind = kind,
							 .process = process,
							 .number = 3,
							 .deadline_ns = deadline_ns,
							 .interval_ns = interval_ns});
}

Test(client_timers, the_earliest_is_next)
{
	struct client_timers timers = {0};

	cr_assert_eq(client_timers_next_ns(&timers), INT64_MAX);
	set(&timers, CLIENT_TIMER_FD, 1, 500, 0);
	set(&timers, CLIENT_TIMER_FD, 2, 300, 0);
	cr_assert_eq(client_timers_next_ns(&timers), 300);
	free(timers.items);
}

Test(client_timers, setting_one_again_replaces_it_and_0_takes_it_away)
{
	struct client_timers timers = {0};

	set(&timers, CLIENT_TIMER_FD, 1, 500, 0);
	set(&timers, CLIENT_TIMER_POSIX, 1, 400, 0);
	set(&timers, CLIENT_TIMER_FD, 1, 300, 0);
	cr_assert_eq(timers.n_items, 2);
	cr_assert_eq(client_timers_find(&timers, CLIENT_TIMER_FD, 1, 3)->deadline_ns, 300);
	set(&timers, CLIENT_TIMER_FD, 1, 0, 0);
	cr_assert_null(client_timers_find(&timers, CLIENT_TIMER_FD, 1, 3));
	cr_assert_eq(client_timers_next_ns(&timers), 400);
	free(timers.items);
}

Test(client_timers, one_that_is_due_is_taken_once)
{
	struct client_timers timers = {0};
	struct client_timer timer;
	bool late;

	set(&timers, CLIENT_TIMER_FD, 1, 500, 0);
	cr_assert_not(client_timers_take(&timers, 499, 0, &timer, &late));
	cr_assert(client_timers_take(&timers, 500, 0, &timer, &late));
	cr_assert_eq(timer.number, 3);
	cr_assert_not(late, "the kernel's own comes in time");
	cr_assert_not(client_timers_take(&timers, 500, 0, &timer, &late));
	free(timers.items);
}

Test(client_timers, with_an_interval_it_expires_again_and_the_kernel_counts_from_there)
{
	struct client_timers timers = {0};
	struct client_timer timer;
	bool late;

	set(&timers, CLIENT_TIMER_POSIX, 1, 500, 100);
	cr_assert(client_timers_take(&timers, 500, 50, &timer, &late));
	cr_assert(late, "the clock has jumped since");
	cr_assert_eq(client_timers_next_ns(&timers), 600);
	cr_assert(client_timers_take(&timers, 600, 50, &timer, &late));
	cr_assert_not(late, "it was set off anew, and no jump came after");
	cr_assert(client_timers_take(&timers, 700, 60, &timer, &late));
	cr_assert(late);
	free(timers.items);
}

Test(client_timers, a_time_by_a_clock_that_is_ahead_is_late_for_the_kernel)
{
	struct client_timers timers = {0};
	struct client_timer timer = {
		.process = 1, .deadline_ns = 500, .began_ahead_ns = 70, .absolute = true};
	bool late;

	client_timers_set(&timers, &timer);
	cr_assert(client_timers_take(&timers, 500, 70, &timer, &late));
	cr_assert(late);
	free(timers.items);
}

Test(client_timers, only_the_alarm_outlives_an_execution_and_none_its_process)
{
	struct client_timers timers = {0};

	set(&timers, CLIENT_TIMER_ALARM, 1, 500, 0);
	set(&timers, CLIENT_TIMER_FD, 1, 500, 0);
	set(&timers, CLIENT_TIMER_POSIX, 1, 500, 0);
	set(&timers, CLIENT_TIMER_FD, 2, 500, 0);
	client_timers_executed(&timers, 1);
	cr_assert_eq(timers.n_items, 2);
	cr_assert_not_null(client_timers_find(&timers, CLIENT_TIMER_ALARM, 1, 3));
	client_timers_forget(&timers, 1);
	cr_assert_eq(timers.n_items, 1);
	cr_assert_not_null(client_timers_find(&timers, CLIENT_TIMER_FD, 2, 3));
	free(timers.items);
}
