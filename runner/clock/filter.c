/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter for the client's system calls: see filter.h. It has one block of instructions for each
 * call, and jumps over the blocks of the others. Each instruction costs time, so the waits come
 * first: they are the most frequent of these calls (Documentation/userspace-api/seccomp_filter).
 */
#include "runner/clock/filter.h"

#include <errno.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "runner/clock/syscall_numbers.h"
#include "runner/clock/vdso.h"

/* SO_RCVTIMEO and SO_SNDTIMEO with 64-bit times (asm-generic/socket.h). */
#define RCVTIMEO_NEW 66
#define SNDTIMEO_NEW 67

/* Begins the block of a call. Returns what end() needs. */
static size_t begin(struct syscall_filter *filter, long number)
{
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 0);
	return filter->n_lines - 1;
}

/* Ends a block, which has to answer: it has loaded arguments over the call's number. */
static void end(struct syscall_filter *filter, size_t begun)
{
	filter->lines[begun].jf = (uint8_t)(filter->n_lines - begun - 1);
}

static void always(struct syscall_filter *filter, long number, uint32_t action)
{
	size_t begun = begin(filter, number);

	syscall_filter_answer(filter, action);
	end(filter, begun);
}

/* For a call with a pointer to a timeout; NULL means no limit. */
static void unless_null(struct syscall_filter *filter, long number, unsigned argument)
{
	size_t begun = begin(filter, number);

	syscall_filter_load_argument(filter, argument, false);
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
	syscall_filter_load_argument(filter, argument, true);
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	syscall_filter_answer(filter, SECCOMP_RET_TRACE);
	syscall_filter_answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* For a call with milliseconds; 0 does not wait, and a negative number means no limit. */
static void if_positive(struct syscall_filter *filter, long number, unsigned argument)
{
	size_t begun = begin(filter, number);

	syscall_filter_load_argument(filter, argument, false);
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
	syscall_filter_add(filter, BPF_JMP | BPF_JSET | BPF_K, 0x80000000, 1, 0);
	syscall_filter_answer(filter, SECCOMP_RET_TRACE);
	syscall_filter_answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* For a call that the code in the vDSO makes, too. */
static void unless_ours(struct syscall_filter *filter, long number, unsigned argument)
{
	size_t begun = begin(filter, number);

	syscall_filter_load_argument(filter, argument, false);
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, VDSO_MAGIC, 1, 0);
	syscall_filter_answer(filter, SECCOMP_RET_TRACE);
	syscall_filter_answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* For a call that is traced if an argument has one of these values. */
static void if_one_of(struct syscall_filter *filter, long number, unsigned argument,
		      const uint32_t *values, size_t n)
{
	size_t begun = begin(filter, number);

	syscall_filter_load_argument(filter, argument, false);
	for (size_t i = 0; i < n; i++)
		syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(n - i),
				   0);
	syscall_filter_answer(filter, SECCOMP_RET_ALLOW);
	syscall_filter_answer(filter, SECCOMP_RET_TRACE);
	end(filter, begun);
}

static void futex(struct syscall_filter *filter)
{
	static const uint32_t commands[] = {
		FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, FUTEX_WAIT_REQUEUE_PI,
		13, /* FUTEX_LOCK_PI2 */
	};
	const size_t n = ARRAY_SIZE(commands);
	size_t begun = begin(filter, SYS_futex);

	syscall_filter_load_argument(filter, 1, false);
	syscall_filter_add(filter, BPF_ALU | BPF_AND | BPF_K, (uint32_t)FUTEX_CMD_MASK, 0, 0);
	for (size_t i = 0; i < n; i++)
		syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, commands[i], (uint8_t)(n - i),
				   0);
	syscall_filter_answer(filter, SECCOMP_RET_ALLOW);
	syscall_filter_load_argument(filter, 3, false);
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
	syscall_filter_load_argument(filter, 3, true);
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	syscall_filter_answer(filter, SECCOMP_RET_TRACE);
	syscall_filter_answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* Options of sockets and of TCP share numbers. The clock process looks at the level. */
static void setsockopt_times(struct syscall_filter *filter)
{
	static const uint32_t options[] = {
		SO_RCVTIMEO, SO_SNDTIMEO, RCVTIMEO_NEW, SNDTIMEO_NEW, TCP_USER_TIMEOUT, TCP_SYNCNT,
	};

	if_one_of(filter, SYS_setsockopt, 2, options, ARRAY_SIZE(options));
}

static void clocks(struct syscall_filter *filter)
{
	static const uint32_t filters[] = {PR_SET_SECCOMP};

	unless_ours(filter, SYS_clock_gettime, 2);
	unless_ours(filter, SYS_gettimeofday, 2);
#ifdef SYS_time
	always(filter, SYS_time, SECCOMP_RET_TRACE);
#endif
	always(filter, SYS_ptrace, SECCOMP_RET_TRACE);
	always(filter, SYS_seccomp, SECCOMP_RET_TRACE);
	if_one_of(filter, SYS_prctl, 0, filters, ARRAY_SIZE(filters));
	/* Refused as in containers; programs fall back to other calls. */
	always(filter, SYS_io_uring_setup, SECCOMP_RET_ERRNO | EPERM);
}

static void waits(struct syscall_filter *filter)
{
#ifdef SYS_poll
	if_positive(filter, SYS_poll, 2);
	if_positive(filter, SYS_epoll_wait, 3);
	unless_null(filter, SYS_select, 4);
#endif
	if_positive(filter, SYS_epoll_pwait, 3);
	futex(filter);
	always(filter, SYS_nanosleep, SECCOMP_RET_TRACE);
	always(filter, SYS_clock_nanosleep, SECCOMP_RET_TRACE);
	unless_null(filter, SYS_ppoll, 2);
	unless_null(filter, SYS_pselect6, 4);
	unless_null(filter, SYS_epoll_pwait2, 3);
	unless_null(filter, SYS_rt_sigtimedwait, 2);
	unless_null(filter, SYS_semtimedop, 3);
	unless_null(filter, SYS_futex_waitv, 3);
	unless_null(filter, SYS_futex_wait, 4);
	unless_null(filter, SYS_mq_timedreceive, 4);
	unless_null(filter, SYS_mq_timedsend, 4);
	unless_null(filter, SYS_io_getevents, 4);
#ifdef SYS_io_pgetevents
	unless_null(filter, SYS_io_pgetevents, 4);
#endif
	unless_null(filter, SYS_recvmmsg, 4);
}

static void timers(struct syscall_filter *filter)
{
	always(filter, SYS_connect, SECCOMP_RET_TRACE);
	setsockopt_times(filter);
#ifdef SYS_alarm
	always(filter, SYS_alarm, SECCOMP_RET_TRACE);
#endif
	always(filter, SYS_setitimer, SECCOMP_RET_TRACE);
	always(filter, SYS_getitimer, SECCOMP_RET_TRACE);
	unless_ours(filter, SYS_timerfd_settime, 4);
	always(filter, SYS_timerfd_gettime, SECCOMP_RET_TRACE);
	unless_ours(filter, SYS_timer_settime, 4);
	always(filter, SYS_timer_gettime, SECCOMP_RET_TRACE);
}

/* UDP sockets need no connect(). */
static void datagrams(struct syscall_filter *filter)
{
	unless_null(filter, SYS_sendto, 4);
	always(filter, SYS_sendmsg, SECCOMP_RET_TRACE);
	always(filter, SYS_sendmmsg, SECCOMP_RET_TRACE);
}

void filter_make(bool shared, struct syscall_filter *ret)
{
	syscall_filter_begin(ret, SECCOMP_RET_TRACE);
	waits(ret);
	clocks(ret);
	timers(ret);
	if (shared)
		datagrams(ret);
	syscall_filter_answer(ret, SECCOMP_RET_ALLOW);
}
