/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter for the client's system calls: see filter.h. It has one block of instructions for each
 * call, and jumps over the blocks of the others. Each instruction costs time, so the waits come
 * first: they are the most frequent of these calls (Documentation/userspace-api/seccomp_filter).
 */
#include "runner/clock/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "runner/clock/syscall_numbers.h"
#include "runner/clock/vdso.h"

/* SO_RCVTIMEO and SO_SNDTIMEO with 64-bit times (asm-generic/socket.h). */
#define RCVTIMEO_NEW 66
#define SNDTIMEO_NEW 67

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define OWN_ARCHITECTURE 0
#endif
/* Marks the numbers of x32 system calls. */
#define X32_BIT 0x40000000

static void add(struct filter *filter, uint16_t code, uint32_t value, uint8_t jump_true,
		uint8_t jump_false)
{
	filter->lines[filter->n_lines++] = (struct sock_filter){code, jump_true, jump_false, value};
}

static void load(struct filter *filter, size_t offset)
{
	add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Loads the lower or upper half of an argument; both supported machines are little-endian. */
static void load_argument(struct filter *filter, unsigned argument, bool upper)
{
	load(filter,
	     offsetof(struct seccomp_data, args) + 8 * (size_t)argument + 4 * (size_t)upper);
}

static void answer(struct filter *filter, uint32_t action)
{
	add(filter, BPF_RET | BPF_K, action, 0, 0);
}

/* Begins the block of a call. Returns what end() needs. */
static size_t begin(struct filter *filter, long number)
{
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 0);
	return filter->n_lines - 1;
}

/* Ends a block, which has to answer: it has loaded arguments over the call's number. */
static void end(struct filter *filter, size_t begun)
{
	filter->lines[begun].jf = (uint8_t)(filter->n_lines - begun - 1);
}

static void always(struct filter *filter, long number, uint32_t action)
{
	size_t begun = begin(filter, number);

	answer(filter, action);
	end(filter, begun);
}

/* For a call with a pointer to a timeout; NULL means no limit. */
static void unless_null(struct filter *filter, long number, unsigned argument)
{
	size_t begun = begin(filter, number);

	load_argument(filter, argument, false);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
	load_argument(filter, argument, true);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	answer(filter, SECCOMP_RET_TRACE);
	answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* For a call with milliseconds; 0 does not wait, and a negative number means no limit. */
static void if_positive(struct filter *filter, long number, unsigned argument)
{
	size_t begun = begin(filter, number);

	load_argument(filter, argument, false);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
	add(filter, BPF_JMP | BPF_JSET | BPF_K, 0x80000000, 1, 0);
	answer(filter, SECCOMP_RET_TRACE);
	answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* For a call that the code in the vDSO makes, too. */
static void unless_ours(struct filter *filter, long number, unsigned argument)
{
	size_t begun = begin(filter, number);

	load_argument(filter, argument, false);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, VDSO_MAGIC, 1, 0);
	answer(filter, SECCOMP_RET_TRACE);
	answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* For a call that is traced if an argument has one of these values. */
static void if_one_of(struct filter *filter, long number, unsigned argument, const uint32_t *values,
		      size_t n)
{
	size_t begun = begin(filter, number);

	load_argument(filter, argument, false);
	for (size_t i = 0; i < n; i++)
		add(filter, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(n - i), 0);
	answer(filter, SECCOMP_RET_ALLOW);
	answer(filter, SECCOMP_RET_TRACE);
	end(filter, begun);
}

static void futex(struct filter *filter)
{
	static const uint32_t commands[] = {
		FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, FUTEX_WAIT_REQUEUE_PI,
		13, /* FUTEX_LOCK_PI2 */
	};
	const size_t n = ARRAY_SIZE(commands);
	size_t begun = begin(filter, SYS_futex);

	load_argument(filter, 1, false);
	add(filter, BPF_ALU | BPF_AND | BPF_K, (uint32_t)FUTEX_CMD_MASK, 0, 0);
	for (size_t i = 0; i < n; i++)
		add(filter, BPF_JMP | BPF_JEQ | BPF_K, commands[i], (uint8_t)(n - i), 0);
	answer(filter, SECCOMP_RET_ALLOW);
	load_argument(filter, 3, false);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
	load_argument(filter, 3, true);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	answer(filter, SECCOMP_RET_TRACE);
	answer(filter, SECCOMP_RET_ALLOW);
	end(filter, begun);
}

/* Options of sockets and of TCP share numbers. The clock process looks at the level. */
static void setsockopt_times(struct filter *filter)
{
	static const uint32_t options[] = {
		SO_RCVTIMEO, SO_SNDTIMEO, RCVTIMEO_NEW, SNDTIMEO_NEW, TCP_USER_TIMEOUT, TCP_SYNCNT,
	};

	if_one_of(filter, SYS_setsockopt, 2, options, ARRAY_SIZE(options));
}

static void clocks(struct filter *filter)
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

static void waits(struct filter *filter)
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

static void timers(struct filter *filter)
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
static void datagrams(struct filter *filter)
{
	unless_null(filter, SYS_sendto, 4);
	always(filter, SYS_sendmsg, SECCOMP_RET_TRACE);
	always(filter, SYS_sendmmsg, SECCOMP_RET_TRACE);
}

void filter_make(bool shared, struct filter *ret)
{
	ret->n_lines = 0;
	load(ret, offsetof(struct seccomp_data, arch));
	add(ret, BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
	answer(ret, SECCOMP_RET_TRACE);
	load(ret, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	add(ret, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1);
	answer(ret, SECCOMP_RET_TRACE);
#endif
	waits(ret);
	clocks(ret);
	timers(ret);
	if (shared)
		datagrams(ret);
	answer(ret, SECCOMP_RET_ALLOW);
}

int filter_install(const struct filter *filter)
{
	const struct sock_fprog program = {
		.len = (unsigned short)filter->n_lines,
		.filter = (struct sock_filter *)(uintptr_t)filter->lines,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return -errno;
	return 0;
}
