/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds and installs filters for system calls: see syscall_filter.h. */
#include "common/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define OWN_ARCHITECTURE 0
#endif
/* Marks the numbers of x32 system calls. */
#define X32_BIT 0x40000000

bool syscall_filter_is_possible(void)
{
	return OWN_ARCHITECTURE != 0;
}

void syscall_filter_add(struct syscall_filter *filter, uint16_t code, uint32_t value,
			uint8_t jump_true, uint8_t jump_false)
{
	filter->lines[filter->n_lines++] = (struct sock_filter){code, jump_true, jump_false, value};
}

static void load(struct syscall_filter *filter, size_t offset)
{
	syscall_filter_add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

void syscall_filter_begin(struct syscall_filter *ret, uint32_t foreign)
{
	ret->n_lines = 0;
	load(ret, offsetof(struct seccomp_data, arch));
	syscall_filter_add(ret, BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
	syscall_filter_answer(ret, foreign);
	load(ret, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	syscall_filter_add(ret, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1);
	syscall_filter_answer(ret, foreign);
#endif
}

void syscall_filter_load_argument(struct syscall_filter *filter, unsigned argument, bool upper)
{
	/* Both supported machines are little-endian. */
	load(filter,
	     offsetof(struct seccomp_data, args) + 8 * (size_t)argument + 4 * (size_t)upper);
}

void syscall_filter_answer(struct syscall_filter *filter, uint32_t action)
{
	syscall_filter_add(filter, BPF_RET | BPF_K, action, 0, 0);
}

int syscall_filter_install(const struct syscall_filter *filter, unsigned flags)
{
	const struct sock_fprog program = {
		.len = (unsigned short)filter->n_lines,
		.filter = (struct sock_filter *)(uintptr_t)filter->lines,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) < 0)
		return -errno;
	return 0;
}
