/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a stopped thread, as far as system calls use them. */
#ifndef SYNFAULT_RUNNER_CLOCK_REGISTERS_H
#define SYNFAULT_RUNNER_CLOCK_REGISTERS_H

#include <sys/types.h>
#include <sys/user.h>

#include "common/util.h"

struct registers {
	struct user_regs_struct user;
};

/** registers_get() - read them; return 0 or a negative errno: -ESRCH if the thread is gone */
int registers_get(pid_t tid, struct registers *ret);
/** registers_set() - write them; return as registers_get() does */
int registers_set(pid_t tid, const struct registers *registers);

/** registers_call() - return the number of the call that the thread stopped in; -1: none */
long registers_call(const struct registers *registers);
/** registers_arguments() - return the arguments of that call */
void registers_arguments(const struct registers *registers, uint64_t ret[static 6]);
/** registers_result() - return what that call is about to return: a negative errno on failure */
long registers_result(const struct registers *registers);
/** registers_was_cut() - return whether the call was cut short: it restarts, or returns EINTR */
bool registers_was_cut(const struct registers *registers);
/** registers_end_call() - make the call return @result and not restart */
void registers_end_call(struct registers *registers, long result);
/**
 * registers_again() - make an interrupted call continue as if nothing had happened
 * @has_signal: whether a signal is about to be delivered; the kernel then decides
 *
 * The kernel itself restarts most calls. This restarts those that would return EINTR instead.
 *
 * Return: whether the call passes the filter again.
 */
bool registers_again(struct registers *registers, bool has_signal);
/**
 * registers_make_call() - make the thread execute another system call
 * @at: the address of a syscall instruction in the process
 * @number: of the system call
 * @arguments: of the call
 */
void registers_make_call(struct registers *registers, uint64_t at, long number,
			 const uint64_t arguments[static 6]);
/** registers_scratch() - return the address of 384 unused bytes below the thread's stack */
uint64_t registers_scratch(const struct registers *registers);

#endif
