/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a system call waits for: see wait.h. */
#include "runner/clock/wait.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "common/duration.h"
#include "runner/clock/syscall_numbers.h"

/* Longer waits count as this long, about 127 years; the kernel has a limit, too (KTIME_MAX). */
#define LONGEST_S INT64_C(4000000000)
/* The most bytes of a set of select(): enough for 8 million descriptors. */
enum { MAX_SET = 1 << 20 };

enum form { FORM_MILLISECONDS, FORM_TIMESPEC, FORM_TIMEVAL };
enum base { BASE_NOW, BASE_REALTIME, BASE_NANOSLEEP, BASE_FUTEX, BASE_WAITV, BASE_WAIT };

struct kind {
	long number;
	enum form form;
	enum base base;
	int result;
	uint8_t argument; /* which one is the timeout */
	int8_t left;      /* which argument is where the time left is written; -1: none */
	bool sets;
};

static const struct kind kinds[] = {
#ifdef SYS_poll
	{SYS_poll, FORM_MILLISECONDS, BASE_NOW, 0, 2, -1, false},
	{SYS_select, FORM_TIMEVAL, BASE_NOW, 0, 4, 4, true},
	{SYS_epoll_wait, FORM_MILLISECONDS, BASE_NOW, 0, 3, -1, false},
#endif
	{SYS_nanosleep, FORM_TIMESPEC, BASE_NOW, 0, 0, 1, false},
	{SYS_clock_nanosleep, FORM_TIMESPEC, BASE_NANOSLEEP, 0, 2, 3, false},
	{SYS_ppoll, FORM_TIMESPEC, BASE_NOW, 0, 2, 2, false},
	{SYS_pselect6, FORM_TIMESPEC, BASE_NOW, 0, 4, 4, true},
	{SYS_epoll_pwait, FORM_MILLISECONDS, BASE_NOW, 0, 3, -1, false},
	{SYS_epoll_pwait2, FORM_TIMESPEC, BASE_NOW, 0, 3, -1, false},
	{SYS_futex, FORM_TIMESPEC, BASE_FUTEX, -ETIMEDOUT, 3, -1, false},
	{SYS_futex_waitv, FORM_TIMESPEC, BASE_WAITV, -ETIMEDOUT, 3, -1, false},
	{SYS_futex_wait, FORM_TIMESPEC, BASE_WAIT, -ETIMEDOUT, 4, -1, false},
	{SYS_rt_sigtimedwait, FORM_TIMESPEC, BASE_NOW, -EAGAIN, 2, -1, false},
	{SYS_semtimedop, FORM_TIMESPEC, BASE_NOW, -EAGAIN, 3, -1, false},
	{SYS_mq_timedsend, FORM_TIMESPEC, BASE_REALTIME, -ETIMEDOUT, 4, -1, false},
	{SYS_mq_timedreceive, FORM_TIMESPEC, BASE_REALTIME, -ETIMEDOUT, 4, -1, false},
	{SYS_io_getevents, FORM_TIMESPEC, BASE_NOW, 0, 4, -1, false},
#ifdef SYS_io_pgetevents
	{SYS_io_pgetevents, FORM_TIMESPEC, BASE_NOW, 0, 4, -1, false},
#endif
};

static const struct kind *find_kind(long number)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].number == number)
			return &kinds[i];
	return NULL;
}

/* Reads a duration or a point in time; -1: there is none, or the kernel will refuse it. */
static int read_time(const struct kind *kind, const struct wait_call *call, wait_read_fn read,
		     void *userdata, int64_t *ret_ns)
{
	const uint64_t argument = call->arguments[kind->argument];
	const int64_t unit_ns = kind->form == FORM_TIMEVAL ? NS_PER_US : 1;
	int64_t parts[2];

	*ret_ns = -1;
	if (kind->form == FORM_MILLISECONDS) {
		if ((int32_t)argument >= 0)
			*ret_ns = (int32_t)argument * NS_PER_MS;
		return 0;
	}
	if (argument == 0)
		return 0;
	if (read(userdata, argument, parts, sizeof(parts)) < 0)
		return -EFAULT;
	/* select() accepts more than a million microseconds. */
	if (parts[0] < 0 || parts[1] < 0 || (unit_ns == 1 && parts[1] >= NS_PER_S))
		return 0;
	*ret_ns = MIN(parts[0], LONGEST_S) * NS_PER_S + MIN(parts[1], LONGEST_S) * unit_ns;
	return 0;
}

/* Returns the clock of a deadline (clock_gettime(2)); -1: it is a duration; -2: no wait. */
static int clock_of(enum base base, const struct wait_call *call)
{
	const uint64_t *arguments = call->arguments;

	switch (base) {
	case BASE_REALTIME:
		return CLOCK_REALTIME;
	case BASE_NANOSLEEP:
		/* Clocks of processor time run only while the client does. */
		if ((int32_t)arguments[0] < 0 || arguments[0] == CLOCK_PROCESS_CPUTIME_ID ||
		    arguments[0] == CLOCK_THREAD_CPUTIME_ID)
			return -2;
		return (arguments[1] & TIMER_ABSTIME) != 0 ? (int)arguments[0] : -1;
	case BASE_FUTEX:
		switch (arguments[1] & (uint64_t)FUTEX_CMD_MASK) {
		case FUTEX_WAIT:
			return -1;
		case FUTEX_LOCK_PI:
			return CLOCK_REALTIME;
		case FUTEX_WAIT_BITSET:
		case FUTEX_WAIT_REQUEUE_PI:
		case 13: /* FUTEX_LOCK_PI2 */
			return (arguments[1] & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME
									  : CLOCK_MONOTONIC;
		default:
			return -2;
		}
	case BASE_WAITV:
		return (int)arguments[4];
	case BASE_WAIT:
		return (int)arguments[5];
	case BASE_NOW:
	default:
		return -1;
	}
}

/* Converts a time of one of the clocks to CLOCK_MONOTONIC. */
static int64_t to_monotonic(int clock, int64_t at_ns, const struct wait_clocks *now)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return at_ns - now->realtime_ns + now->monotonic_ns;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return at_ns - now->boottime_ns + now->monotonic_ns;
	case CLOCK_TAI:
		return at_ns - now->tai_ns + now->monotonic_ns;
	default:
		return at_ns;
	}
}

/* The kernel uses whole 64-bit words (fs/select.c, FDS_BYTES). */
static size_t set_size(uint64_t n_descriptors)
{
	return MIN(MIN(n_descriptors, (uint64_t)MAX_SET * 8) + 63, (uint64_t)MAX_SET * 8) / 64 * 8;
}

static void note_results(const struct kind *kind, struct wait *wait)
{
	const uint64_t *arguments = wait->call.arguments;

	wait->result = kind->result;
	if (kind->left >= 0 && !wait->absolute && arguments[kind->left]) {
		wait->left = kind->form == FORM_TIMEVAL ? WAIT_LEFT_TIMEVAL : WAIT_LEFT_TIMESPEC;
		wait->left_at = arguments[kind->left];
	}
	if (!kind->sets)
		return;
	wait->set_size = set_size(arguments[0]);
	for (size_t i = 0; i < ARRAY_SIZE(wait->sets); i++)
		wait->sets[i] = arguments[1 + i];
}

int wait_decode(const struct wait_call *call, wait_read_fn read, void *userdata,
		const struct wait_clocks *now, struct wait *ret)
{
	const struct kind *kind = find_kind(call->number);
	struct wait wait = {.call = *call};
	int64_t ns;
	int clock;

	if (!kind)
		return 0;
	clock = clock_of(kind->base, call);
	if (clock == -2)
		return 0;
	if (read_time(kind, call, read, userdata, &ns) < 0)
		return -EFAULT;
	if (ns < 0)
		return 0;
	wait.absolute = clock >= 0;
	wait.deadline_ns = wait.absolute ? to_monotonic(clock, ns, now) : now->monotonic_ns + ns;
	note_results(kind, &wait);
	*ret = wait;
	return 1;
}

void wait_limit_sets(struct wait *wait, size_t n_descriptors)
{
	wait->set_size = MIN(wait->set_size, set_size(n_descriptors));
}

bool wait_ends_late(const struct wait *wait, int64_t began_ns, int64_t ahead_ns)
{
	return wait->absolute ? ahead_ns != 0 : ahead_ns != began_ns;
}

bool wait_goes_on(const struct wait_call *begun, const struct wait_call *now)
{
	return (now->number == begun->number || now->number == SYS_restart_syscall) &&
	       memcmp(now->arguments, begun->arguments, sizeof(now->arguments)) == 0;
}

bool wait_may_sleep(long number)
{
	static const long calls[] = {
#ifdef SYS_poll
		SYS_poll,
		SYS_select,
		SYS_epoll_wait,
		SYS_pause,
#endif
		SYS_nanosleep,
		SYS_clock_nanosleep,
		SYS_ppoll,
		SYS_pselect6,
		SYS_epoll_pwait,
		SYS_epoll_pwait2,
		SYS_futex,
		SYS_futex_waitv,
		SYS_futex_wait,
		SYS_rt_sigtimedwait,
		SYS_rt_sigsuspend,
		SYS_semop,
		SYS_semtimedop,
		SYS_msgrcv,
		SYS_msgsnd,
		SYS_mq_timedsend,
		SYS_mq_timedreceive,
		SYS_io_getevents,
		SYS_read,
		SYS_readv,
		SYS_write,
		SYS_writev,
		SYS_recvfrom,
		SYS_recvmsg,
		SYS_recvmmsg,
		SYS_sendto,
		SYS_sendmsg,
		SYS_accept,
		SYS_accept4,
		SYS_connect,
		SYS_wait4,
		SYS_waitid,
		SYS_fcntl,
		SYS_flock,
		SYS_restart_syscall,
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i] == number)
			return true;
	return false;
}

void wait_split(int64_t ns, enum wait_left form, int64_t ret[static 2])
{
	ns = MAX(ns, INT64_C(0));
	ret[0] = ns / NS_PER_S;
	ret[1] = ns % NS_PER_S / (form == WAIT_LEFT_TIMEVAL ? NS_PER_US : 1);
}
