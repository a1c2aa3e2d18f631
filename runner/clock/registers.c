/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a thread that has stopped: see registers.h. */
#include "runner/clock/registers.h"

#include <errno.h>
#include <sys/ptrace.h>

/* What a call that a signal cuts short returns inside the kernel (include/linux/errno.h). */
#define RESTARTSYS           512
#define RESTARTNOINTR        513
#define RESTARTNOHAND        514
#define RESTART_RESTARTBLOCK 516

static bool is_cut(long result)
{
	return result == -RESTARTSYS || result == -RESTARTNOINTR || result == -RESTARTNOHAND ||
	       result == -RESTART_RESTARTBLOCK || result == -EINTR;
}

#ifdef __x86_64__

/* The length of the instruction `syscall`. */
enum { SYSCALL_SIZE = 2 };
/* Farther below the stack than a function may use it: 128 bytes (System V ABI, red zone). */
enum { BELOW_STACK = 512 };

int registers_get(pid_t tid, struct registers *ret)
{
	return ptrace(PTRACE_GETREGS, tid, NULL, &ret->user) < 0 ? -errno : 0;
}

int registers_set(pid_t tid, const struct registers *registers)
{
	return ptrace(PTRACE_SETREGS, tid, NULL, &registers->user) < 0 ? -errno : 0;
}

long registers_call(const struct registers *registers)
{
	return (long)registers->user.orig_rax;
}

void registers_arguments(const struct registers *registers, uint64_t ret[static 6])
{
	ret[0] = registers->user.rdi;
	ret[1] = registers->user.rsi;
	ret[2] = registers->user.rdx;
	ret[3] = registers->user.r10;
	ret[4] = registers->user.r8;
	ret[5] = registers->user.r9;
}

long registers_result(const struct registers *registers)
{
	return (long)registers->user.rax;
}

void registers_end_call(struct registers *registers, long result)
{
	registers->user.rax = (unsigned long long)result;
	registers->user.orig_rax = (unsigned long long)-1;
}

bool registers_again(struct registers *registers, bool has_signal)
{
	const long result = registers_result(registers);

	if (registers_call(registers) < 0 || !is_cut(result) || has_signal)
		return false;
	if (result != -EINTR)
		return result != -RESTART_RESTARTBLOCK;
	registers->user.rip -= SYSCALL_SIZE;
	registers->user.rax = registers->user.orig_rax;
	registers->user.orig_rax = (unsigned long long)-1;
	return true;
}

void registers_make_call(struct registers *registers, uint64_t at, long number,
			 const uint64_t arguments[static 6])
{
	registers->user.rip = at;
	registers->user.rax = (unsigned long long)number;
	registers->user.orig_rax = (unsigned long long)-1;
	registers->user.rdi = arguments[0];
	registers->user.rsi = arguments[1];
	registers->user.rdx = arguments[2];
	registers->user.r10 = arguments[3];
	registers->user.r8 = arguments[4];
	registers->user.r9 = arguments[5];
}

uint64_t registers_scratch(const struct registers *registers)
{
	return (registers->user.rsp - BELOW_STACK) & ~UINT64_C(15);
}

#else

int registers_get(pid_t tid, struct registers *ret)
{
	return -EOPNOTSUPP;
}

int registers_set(pid_t tid, const struct registers *registers)
{
	return -EOPNOTSUPP;
}

long registers_call(const struct registers *registers)
{
	return -1;
}

void registers_arguments(const struct registers *registers, uint64_t ret[static 6])
{
	memset(ret, 0, 6 * sizeof(*ret));
}

long registers_result(const struct registers *registers)
{
	return 0;
}

void registers_end_call(struct registers *registers, long result)
{
}

bool registers_again(struct registers *registers, bool has_signal)
{
	return false;
}

void registers_make_call(struct registers *registers, uint64_t at, long number,
			 const uint64_t arguments[static 6])
{
}

uint64_t registers_scratch(const struct registers *registers)
{
	return 0;
}

#endif

bool registers_was_cut(const struct registers *registers)
{
	return is_cut(registers_result(registers));
}
