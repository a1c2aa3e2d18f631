/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a thread that has stopped, as far as they are about system calls. */
#ifndef SYNFAULT_RUNNER_CLOCK_REGISTERS_H
#define SYNFAULT_RUNNER_CLOCK_REGISTERS_H

#include <sys/types.h>
#include <sys/user.h>

#include "common/util.h"

struct registers {
	struct user_regs_struct user;
};

/* Each returns 0, or a negative errno: -ESRCH when the thread is gone. */
int registers_get(pid_t tid, struct registers *ret);
int registers_set(pid_t tid, const struct registers *registers);

/** registers_call() - the number of the call that it stopped in; -1: none */
long registers_call(const struct registers *registers);
/** registers_arguments() - read the arguments of that call */
void registers_arguments(const struct registers *registers, uint64_t ret[static 6]);
/** registers_result() - what the call is about to return */
long registers_result(const struct registers *registers);
/** registers_was_cut() - whether the call was interrupted, to be begun again or to say so */
bool registers_was_cut(const struct registers *registers);
/** registers_end_call() - let the call return this, and not begin again */
void registers_end_call(struct registers *registers, long result);
/**
 * registers_again() - let a call that was cut short go on as if nothing had happened
 * @has_signal: a signal is about to be delivered, and decides on that
 *
 * The kernel itself begins most calls anew; those that return EINTR instead are begun anew here.
 *
 * Return: whether the call comes through the filter again.
 */
bool registers_again(struct registers *registers, bool has_signal);
/**
 * registers_make_call() - let the thread make another call
 * @at: of an instruction that makes system calls
 */
void registers_make_call(struct registers *registers, uint64_t at, long number,
			 const uint64_t arguments[static 6]);
/** registers_scratch() - memory of the thread's that nothing uses, below its stack */
uint64_t registers_scratch(const struct registers *registers);

#endif
