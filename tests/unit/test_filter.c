/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests that the right system calls stop, by running the filter as the kernel would. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "runner/clock/filter.h"
#include "runner/clock/vdso.h"

TestSuite(filter);

/* The instructions that the filter uses, of those that seccomp allows (net/core/filter.c). */
static uint32_t run(const struct syscall_filter *filter, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t i = 0; i < filter->n_lines; i++) {
		const struct sock_filter *line = &filter->lines[i];
		bool jump = false;

		switch (line->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert_leq(line->k + 4, sizeof(*data));
			memcpy(&a, (const char *)data + line->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= line->k;
			continue;
		case BPF_RET | BPF_K:
			return line->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == line->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = a & line->k;
			break;
		default:
			cr_assert_fail("instruction %zu is %#x", i, line->code);
		}
		i += jump ? line->jt : line->jf;
		cr_assert_lt(i + 1, filter->n_lines, "a jump leads out of the filter");
	}
	cr_assert_fail("it ends without an answer");
	return 0;
}

#if defined(__x86_64__)
#define OWN AUDIT_ARCH_X86_64
#else
#define OWN AUDIT_ARCH_AARCH64
#endif

static uint32_t answer(long number, const uint64_t arguments[6])
{
	struct seccomp_data data = {.nr = (int)number, .arch = OWN};
	struct syscall_filter filter;

	filter_make(false, &filter);
	memcpy(data.args, arguments, sizeof(data.args));
	return run(&filter, &data);
}

Test(filter, waits_stop_if_they_have_a_limit)
{
	const struct {
		long number;
		uint64_t limited[6], unlimited[6];
	} cases[] = {
		{SYS_epoll_pwait, {0, 0, 0, 10}, {0, 0, 0, (uint32_t)-1}},
		{SYS_epoll_pwait, {0, 0, 0, 10}, {0, 0, 0, 0}},
		{SYS_ppoll, {0, 0, 4096}, {0}},
		/* a pointer whose lower half is 0 */
		{SYS_ppoll, {0, 0, UINT64_C(1) << 32}, {0}},
		{SYS_pselect6, {0, 0, 0, 0, 4096}, {0}},
		{SYS_rt_sigtimedwait, {0, 0, 4096}, {0}},
		{SYS_futex, {0, FUTEX_WAIT, 0, 4096}, {0, FUTEX_WAIT, 0, 0}},
		{SYS_futex, {0, FUTEX_WAIT, 0, UINT64_C(7) << 32}, {0, FUTEX_WAKE, 0, 4096}},
		{SYS_futex,
		 {0, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 0, 4096},
		 {0, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 0, 0}},
		{SYS_futex, {0, FUTEX_LOCK_PI, 0, 4096}, {0, FUTEX_UNLOCK_PI, 0, 4096}},
#ifdef SYS_poll
		{SYS_poll, {0, 0, 1}, {0, 0, (uint32_t)-1}},
		{SYS_select, {0, 0, 0, 0, 4096}, {0}},
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(answer(cases[i].number, cases[i].limited), SECCOMP_RET_TRACE,
			     "case %zu", i);
		cr_assert_eq(answer(cases[i].number, cases[i].unlimited), SECCOMP_RET_ALLOW,
			     "case %zu", i);
	}
}

Test(filter, clocks_stop_unless_our_own_code_reads_them)
{
	cr_assert_eq(answer(SYS_clock_gettime, (uint64_t[6]){1, 4096, 0}), SECCOMP_RET_TRACE);
	cr_assert_eq(answer(SYS_clock_gettime, (uint64_t[6]){1, 4096, VDSO_MAGIC}),
		     SECCOMP_RET_ALLOW);
	cr_assert_eq(answer(SYS_gettimeofday, (uint64_t[6]){4096, 0, VDSO_MAGIC}),
		     SECCOMP_RET_ALLOW);
}

Test(filter, sockets_stop_where_they_get_times)
{
	cr_assert_eq(answer(SYS_setsockopt, (uint64_t[6]){3, SOL_SOCKET, SO_RCVTIMEO}),
		     SECCOMP_RET_TRACE);
	cr_assert_eq(answer(SYS_setsockopt, (uint64_t[6]){3, IPPROTO_TCP, TCP_USER_TIMEOUT}),
		     SECCOMP_RET_TRACE);
	cr_assert_eq(answer(SYS_setsockopt, (uint64_t[6]){3, SOL_SOCKET, SO_REUSEADDR}),
		     SECCOMP_RET_ALLOW);
	cr_assert_eq(answer(SYS_connect, (uint64_t[6]){3}), SECCOMP_RET_TRACE);
}

Test(filter, what_ends_the_trust_stops)
{
	cr_assert_eq(answer(SYS_ptrace, (uint64_t[6]){0}), SECCOMP_RET_TRACE);
	cr_assert_eq(answer(SYS_seccomp, (uint64_t[6]){1}), SECCOMP_RET_TRACE);
	cr_assert_eq(answer(SYS_prctl, (uint64_t[6]){PR_SET_SECCOMP}), SECCOMP_RET_TRACE);
	cr_assert_eq(answer(SYS_prctl, (uint64_t[6]){PR_SET_NAME}), SECCOMP_RET_ALLOW);
	cr_assert_eq(answer(SYS_io_uring_setup, (uint64_t[6]){0}), SECCOMP_RET_ERRNO | EPERM);
}

Test(filter, all_else_goes_on)
{
	static const long calls[] = {SYS_read,   SYS_write, SYS_openat, SYS_close,
				     SYS_sendto, SYS_mmap,  SYS_exit,   SYS_execve};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		cr_assert_eq(answer(calls[i], (uint64_t[6]){1, 2, 3, 4, 5, 6}), SECCOMP_RET_ALLOW,
			     "case %zu", i);
}

Test(filter, datagrams_stop_in_a_shared_network_only)
{
	const struct {
		struct seccomp_data data;
		bool stops;
	} cases[] = {
		{{.nr = SYS_sendto, .arch = OWN, .args = {[4] = 1}}, true},
		{{.nr = SYS_sendto, .arch = OWN}, false},
		{{.nr = SYS_sendmsg, .arch = OWN}, true},
		{{.nr = SYS_sendmmsg, .arch = OWN}, true},
		{{.nr = SYS_write, .arch = OWN}, false},
	};
	struct syscall_filter filter;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		filter_make(true, &filter);
		cr_assert_leq(filter.n_lines, SYSCALL_FILTER_MAX);
		cr_expect_eq(run(&filter, &cases[i].data),
			     cases[i].stops ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW, "case %zu", i);
		filter_make(false, &filter);
		cr_expect_eq(run(&filter, &cases[i].data), SECCOMP_RET_ALLOW, "case %zu", i);
	}
}

Test(filter, programs_of_another_kind_stop_at_once)
{
	struct seccomp_data data = {.nr = 3, .arch = AUDIT_ARCH_I386};
	struct syscall_filter filter;

	filter_make(false, &filter);
	cr_assert_eq(run(&filter, &data), SECCOMP_RET_TRACE);
	cr_assert_leq(filter.n_lines, SYSCALL_FILTER_MAX);
}
