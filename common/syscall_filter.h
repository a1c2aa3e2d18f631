/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds and installs filters for system calls (seccomp(2)), as instructions of classic BPF. */
#ifndef SYNFAULT_COMMON_SYSCALL_FILTER_H
#define SYNFAULT_COMMON_SYSCALL_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "common/util.h"

enum { SYSCALL_FILTER_MAX = 512 };

struct syscall_filter {
	struct sock_filter lines[SYSCALL_FILTER_MAX];
	size_t n_lines;
};

/** syscall_filter_is_possible() - return whether there are filters for this machine */
bool syscall_filter_is_possible(void);
/**
 * syscall_filter_begin() - begin a filter, which has loaded the call's number
 * @foreign: the action for calls of other architectures, x32 included
 */
void syscall_filter_begin(struct syscall_filter *ret, uint32_t foreign);
/** syscall_filter_add() - add an instruction */
void syscall_filter_add(struct syscall_filter *filter, uint16_t code, uint32_t value,
			uint8_t jump_true, uint8_t jump_false);
/** syscall_filter_load_argument() - load the lower or upper half of an argument */
void syscall_filter_load_argument(struct syscall_filter *filter, unsigned argument, bool upper);
/** syscall_filter_answer() - end with a SECCOMP_RET_… action */
void syscall_filter_answer(struct syscall_filter *filter, uint32_t action);

/**
 * syscall_filter_install() - put the calling thread and its descendants under the filter
 * @flags: SECCOMP_FILTER_FLAG_…
 *
 * Afterwards they can't gain privileges by executing programs (PR_SET_NO_NEW_PRIVS).
 * Async-signal-safe.
 *
 * Return: 0 or a negative errno of prctl(2) or seccomp(2).
 */
int syscall_filter_install(const struct syscall_filter *filter, unsigned flags);

#endif
