/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of how long system calls wait. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/duration.h"
#include "runner/clock/wait.h"

TestSuite(wait);

/* Addresses in the tests are those of this process. */
static int read_own(void *userdata, uint64_t address, void *data, size_t size)
{
	(void)userdata;
	if (address < 4096)
		return -EFAULT;
	memcpy(data, (const void *)(uintptr_t)address, size);
	return 0;
}

static const struct wait_clocks now = {
	.monotonic_ns = 1000 * NS_PER_S,
	.realtime_ns = 500000 * NS_PER_S,
	.boottime_ns = 2000 * NS_PER_S,
	.tai_ns = 500037 * NS_PER_S,
};

static uint64_t address_of(const void *data)
{
	return (uint64_t)(uintptr_t)data;
}

static int decode(long number, const uint64_t arguments[6], struct wait *ret)
{
	struct wait_call call = {.number = number};

	memcpy(call.arguments, arguments, sizeof(call.arguments));
	return wait_decode(&call, read_own, NULL, &now, ret);
}

Test(wait, a_length_of_time_counts_from_now_in_each_call)
{
	const struct timespec length = {.tv_sec = 30, .tv_nsec = 500000000};
	const uint64_t at = address_of(&length);
	const struct {
		long number;
		uint64_t arguments[6];
		int result;
	} cases[] = {
		{SYS_nanosleep, {at}, 0},
		{SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, at}, 0},
		{SYS_clock_nanosleep, {CLOCK_REALTIME, 0, at}, 0},
		{SYS_ppoll, {0, 0, at}, 0},
		{SYS_pselect6, {0, 0, 0, 0, at}, 0},
		{SYS_rt_sigtimedwait, {0, 0, at}, -EAGAIN},
		{SYS_semtimedop, {0, 0, 0, at}, -EAGAIN},
		{SYS_io_getevents, {0, 0, 0, 0, at}, 0},
		{SYS_futex, {0, FUTEX_WAIT, 0, at}, -ETIMEDOUT},
		{SYS_futex, {0, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, at}, -ETIMEDOUT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wait wait;

		cr_assert_eq(decode(cases[i].number, cases[i].arguments, &wait), 1, "case %zu", i);
		cr_assert_eq(wait.deadline_ns, now.monotonic_ns + 30500 * NS_PER_MS, "case %zu", i);
		cr_assert_eq(wait.result, cases[i].result, "case %zu", i);
		cr_assert_not(wait.absolute, "case %zu", i);
	}
}

Test(wait, milliseconds_count_from_now)
{
	struct wait wait;

	cr_assert_eq(decode(SYS_epoll_pwait, (uint64_t[6]){3, 0, 1, 1500}, &wait), 1);
	cr_assert_eq(wait.deadline_ns, now.monotonic_ns + 1500 * NS_PER_MS);
#ifdef SYS_poll
	cr_assert_eq(decode(SYS_poll, (uint64_t[6]){0, 0, 1500}, &wait), 1);
	cr_assert_eq(wait.deadline_ns, now.monotonic_ns + 1500 * NS_PER_MS);
#endif
}

Test(wait, a_time_is_by_its_own_clock)
{
	const struct timespec in_10_s[] = {{1010, 0}, {500010, 0}, {2010, 0}, {500047, 0}};
	const struct {
		long number;
		uint64_t arguments[6];
	} cases[] = {
		{SYS_clock_nanosleep, {CLOCK_MONOTONIC, TIMER_ABSTIME, address_of(&in_10_s[0])}},
		{SYS_clock_nanosleep, {CLOCK_REALTIME, TIMER_ABSTIME, address_of(&in_10_s[1])}},
		{SYS_clock_nanosleep, {CLOCK_BOOTTIME, TIMER_ABSTIME, address_of(&in_10_s[2])}},
		{SYS_clock_nanosleep, {CLOCK_TAI, TIMER_ABSTIME, address_of(&in_10_s[3])}},
		{SYS_futex, {0, FUTEX_WAIT_BITSET, 0, address_of(&in_10_s[0])}},
		{SYS_futex,
		 {0, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, address_of(&in_10_s[1])}},
		{SYS_futex, {0, FUTEX_LOCK_PI, 0, address_of(&in_10_s[1])}},
		{SYS_mq_timedreceive, {0, 0, 0, 0, address_of(&in_10_s[1])}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wait wait;

		cr_assert_eq(decode(cases[i].number, cases[i].arguments, &wait), 1, "case %zu", i);
		cr_assert_eq(wait.deadline_ns, now.monotonic_ns + 10 * NS_PER_S, "case %zu", i);
		cr_assert(wait.absolute, "case %zu", i);
	}
}

Test(wait, without_a_limit_is_none)
{
	const struct timespec second = {.tv_sec = 1};
	const uint64_t at = address_of(&second);
	const struct {
		long number;
		uint64_t arguments[6];
	} cases[] = {
		{SYS_ppoll, {0, 0, 0}},
		{SYS_epoll_pwait, {0, 0, 0, (uint64_t)-1}},
		{SYS_futex, {0, FUTEX_WAIT, 0, 0}},
		/* the most common: the flag names a clock, but there is no time */
		{SYS_futex, {0, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, 0}},
		{SYS_futex, {0, FUTEX_WAKE, 1, at}},
		{SYS_clock_nanosleep, {CLOCK_THREAD_CPUTIME_ID, 0, at}},
		{SYS_clock_nanosleep, {(uint64_t)-6, 0, at}},
		{SYS_read, {0, at, 8}},
	};
	struct wait wait;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(decode(cases[i].number, cases[i].arguments, &wait), 0, "case %zu", i);
}

Test(wait, that_the_kernel_refuses_is_none)
{
	const struct timespec bad[] = {{-1, 0}, {1, -1}, {1, 1000000000}};
	struct wait wait;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(decode(SYS_nanosleep, (uint64_t[6]){address_of(&bad[i])}, &wait), 0,
			     "case %zu", i);
	cr_assert_eq(decode(SYS_nanosleep, (uint64_t[6]){8}, &wait), -EFAULT);
}

Test(wait, for_longer_than_the_kernel_counts_does_not_overflow)
{
	const struct timespec forever = {.tv_sec = INT64_MAX, .tv_nsec = 999999999};
	struct wait wait;

	cr_assert_eq(decode(SYS_nanosleep, (uint64_t[6]){address_of(&forever)}, &wait), 1);
	cr_assert_gt(wait.deadline_ns, now.monotonic_ns + 3600 * NS_PER_S);
}

Test(wait, says_where_what_is_left_goes)
{
	const struct timespec second = {.tv_sec = 1};
	const uint64_t at = address_of(&second);
	struct wait wait;

	cr_assert_eq(decode(SYS_nanosleep, (uint64_t[6]){at, 7777}, &wait), 1);
	cr_assert_eq(wait.left, WAIT_LEFT_TIMESPEC);
	cr_assert_eq(wait.left_at, 7777);
	cr_assert_eq(decode(SYS_nanosleep, (uint64_t[6]){at, 0}, &wait), 1);
	cr_assert_eq(wait.left, WAIT_LEFT_NONE);
	/* the kernel writes nothing back for a point in time */
	cr_assert_eq(decode(SYS_clock_nanosleep,
			    (uint64_t[6]){CLOCK_MONOTONIC, TIMER_ABSTIME, at, 7777}, &wait),
		     1);
	cr_assert_eq(wait.left, WAIT_LEFT_NONE);
}

Test(wait, of_select_says_which_sets_to_empty)
{
	const struct timespec second = {.tv_sec = 1};
	struct wait wait;

	cr_assert_eq(decode(SYS_pselect6, (uint64_t[6]){65, 11, 0, 33, address_of(&second)}, &wait),
		     1);
	cr_assert_eq(wait.set_size, 16, "two words of 64 bits");
	cr_assert_eq(wait.sets[0], 11);
	cr_assert_eq(wait.sets[1], 0);
	cr_assert_eq(wait.sets[2], 33);
}

Test(wait, of_select_leaves_out_descriptors_beyond_the_table)
{
	const struct timespec second = {.tv_sec = 1};
	const uint64_t at = address_of(&second);
	struct wait wait;

	cr_assert_eq(decode(SYS_pselect6, (uint64_t[6]){1000000, 11, 0, 0, at}, &wait), 1);
	cr_expect_eq(wait.set_size, 125000);
	wait_limit_sets(&wait, 1024);
	cr_expect_eq(wait.set_size, 128);
	wait_limit_sets(&wait, 40000);
	cr_expect_eq(wait.set_size, 128, "it never grows");
	cr_assert_eq(decode(SYS_pselect6, (uint64_t[6]){UINT64_MAX, 11, 0, 0, at}, &wait), 1);
	cr_expect_eq(wait.set_size, 1 << 20);
	wait_limit_sets(&wait, 0);
	cr_expect_eq(wait.set_size, 0);
}

Test(wait, ends_late_by_the_kernel_once_the_clock_is_ahead_of_where_it_began)
{
	struct wait length = {.absolute = false}, time = {.absolute = true};

	cr_assert_not(wait_ends_late(&length, 0, 0));
	cr_assert_not(wait_ends_late(&length, 5, 5));
	cr_assert(wait_ends_late(&length, 5, 6));
	cr_assert_not(wait_ends_late(&time, 0, 0));
	cr_assert(wait_ends_late(&time, 5, 5), "the kernel's clock has yet to get there");
}

Test(wait, goes_on_in_a_call_with_the_same_arguments_only)
{
	struct wait_call begun = {.number = SYS_futex, .arguments = {1, 2, 3, 4096}}, is = begun;

	cr_assert(wait_goes_on(&begun, &is));
	is.number = SYS_restart_syscall;
	cr_assert(wait_goes_on(&begun, &is), "after a signal without a handler");
	is.arguments[3] = 0;
	cr_assert_not(wait_goes_on(&begun, &is), "one without a limit began after it");
	is.number = SYS_futex;
	cr_assert_not(wait_goes_on(&begun, &is));
	is = begun;
	is.number = SYS_read;
	cr_assert_not(wait_goes_on(&begun, &is));
}

Test(wait, may_sleep_only_where_others_or_time_are_waited_for)
{
	cr_assert(wait_may_sleep(SYS_read));
	cr_assert(wait_may_sleep(SYS_wait4));
	cr_assert(wait_may_sleep(SYS_futex));
	cr_assert_not(wait_may_sleep(SYS_openat));
	cr_assert_not(wait_may_sleep(SYS_fsync));
	cr_assert_not(wait_may_sleep(SYS_close), "it may linger");
}

Test(wait, is_split_as_its_form_has_it)
{
	int64_t parts[2];

	wait_split(1500000001, WAIT_LEFT_TIMESPEC, parts);
	cr_assert_eq(parts[0], 1);
	cr_assert_eq(parts[1], 500000001);
	wait_split(1500000001, WAIT_LEFT_TIMEVAL, parts);
	cr_assert_eq(parts[1], 500000);
	wait_split(-1, WAIT_LEFT_TIMESPEC, parts);
	cr_assert_eq(parts[0], 0);
	cr_assert_eq(parts[1], 0);
}
