/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confines a process: see confine.h. The filter is a list of calls that are refused. A list of
 * those that are allowed would be shorter and stricter, but what a C library and its allocator call
 * differs between versions, and a call that is refused by mistake would end a run in an error.
 */
#include "common/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>

#include "common/syscall_filter.h"

/* Calls that newer kernels have have the same number on all machines. */
enum newer {
	NUMBER_OPEN_TREE = 428,
	NUMBER_MOVE_MOUNT = 429,
	NUMBER_FSOPEN = 430,
	NUMBER_FSMOUNT = 432,
	NUMBER_FSPICK = 433,
	NUMBER_CLONE3 = 435,
	NUMBER_OPENAT2 = 437,
	NUMBER_PIDFD_GETFD = 438,
	NUMBER_MOUNT_SETATTR = 442,
	NUMBER_FCHMODAT2 = 452,
	NUMBER_SETXATTRAT = 463,
};

static void refuse_with(struct syscall_filter *filter, long number, uint32_t error)
{
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
	syscall_filter_answer(filter, SECCOMP_RET_ERRNO | error);
}

static void refuse(struct syscall_filter *filter, const long *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		refuse_with(filter, numbers[i], EPERM);
}

/* Refuses a call if one of these bits is set in an argument, or (@unless) if none is. */
static void refuse_bits(struct syscall_filter *filter, long number, unsigned argument,
			uint32_t bits, bool unless)
{
	syscall_filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4);
	syscall_filter_load_argument(filter, argument, false);
	syscall_filter_add(filter, BPF_JMP | BPF_JSET | BPF_K, bits, !unless, unless);
	syscall_filter_answer(filter, SECCOMP_RET_ALLOW);
	syscall_filter_answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

static void refuse_always(struct syscall_filter *filter)
{
	static const long numbers[] = {
		/* programs and processes */
		SYS_execve,
		SYS_execveat,
#ifdef SYS_fork
		SYS_fork,
		SYS_vfork,
#endif
		SYS_ptrace,
		SYS_process_vm_readv,
		SYS_process_vm_writev,
		NUMBER_PIDFD_GETFD,
		SYS_personality,
		/* namespaces, mounts and roots */
		SYS_unshare,
		SYS_setns,
		SYS_chroot,
		SYS_pivot_root,
		SYS_mount,
		SYS_umount2,
		NUMBER_OPEN_TREE,
		NUMBER_MOVE_MOUNT,
		NUMBER_FSOPEN,
		NUMBER_FSMOUNT,
		NUMBER_FSPICK,
		NUMBER_MOUNT_SETATTR,
		SYS_open_by_handle_at,
		/* parts of the kernel that are large, and of no use to us */
		SYS_bpf,
		SYS_perf_event_open,
		SYS_userfaultfd,
		SYS_io_uring_setup,
		SYS_io_uring_enter,
		SYS_io_uring_register,
		SYS_add_key,
		SYS_request_key,
		SYS_keyctl,
		/* the machine */
		SYS_init_module,
		SYS_finit_module,
		SYS_delete_module,
		SYS_kexec_load,
		SYS_reboot,
		SYS_swapon,
		SYS_swapoff,
		SYS_acct,
		SYS_quotactl,
		SYS_syslog,
		SYS_sethostname,
		SYS_setdomainname,
		SYS_settimeofday,
		SYS_clock_settime,
		SYS_adjtimex,
		SYS_clock_adjtime,
	};

	refuse(filter, numbers, ARRAY_SIZE(numbers));
	/* The arguments are in memory; the C library then uses the older call. */
	refuse_with(filter, NUMBER_CLONE3, ENOSYS);
	refuse_with(filter, NUMBER_OPENAT2, ENOSYS);
	refuse_bits(filter, SYS_clone, 0, CLONE_THREAD, true);
}

static void refuse_writing(struct syscall_filter *filter)
{
	static const long numbers[] = {
#ifdef SYS_creat
		SYS_creat,        SYS_link,      SYS_symlink,   SYS_rename,
		SYS_mkdir,        SYS_mknod,     SYS_chmod,     SYS_chown,
		SYS_lchown,       SYS_utime,     SYS_utimes,
#endif
#ifdef SYS_renameat
		SYS_renameat,
#endif
		SYS_linkat,       SYS_symlinkat, SYS_renameat2, SYS_mkdirat,
		SYS_mknodat,      SYS_truncate,  SYS_fchmod,    SYS_fchmodat,
		NUMBER_FCHMODAT2, SYS_fchown,    SYS_fchownat,  SYS_utimensat,
		SYS_setxattr,     SYS_lsetxattr, SYS_fsetxattr, NUMBER_SETXATTRAT,
	};
	const uint32_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

	refuse(filter, numbers, ARRAY_SIZE(numbers));
	refuse_bits(filter, SYS_openat, 2, writing, false);
#ifdef SYS_open
	refuse_bits(filter, SYS_open, 1, writing, false);
#endif
}

static void refuse_removing(struct syscall_filter *filter)
{
	static const long numbers[] = {
#ifdef SYS_unlink
		SYS_unlink,
		SYS_rmdir,
#endif
		SYS_unlinkat,
	};

	refuse(filter, numbers, ARRAY_SIZE(numbers));
}

int confine(unsigned kept)
{
	static const long sockets[] = {SYS_socket};
	struct syscall_filter filter;
	int status;

	if (!syscall_filter_is_possible())
		return -ENOSYS;
	syscall_filter_begin(&filter, SECCOMP_RET_ERRNO | EPERM);
	refuse_always(&filter);
	if (!(kept & CONFINE_KEEP_WRITING))
		refuse_writing(&filter);
	if (!(kept & (CONFINE_KEEP_WRITING | CONFINE_KEEP_REMOVING)))
		refuse_removing(&filter);
	if (!(kept & CONFINE_KEEP_SOCKETS))
		refuse(&filter, sockets, ARRAY_SIZE(sockets));
	syscall_filter_answer(&filter, SECCOMP_RET_ALLOW);
	status = syscall_filter_install(&filter, SECCOMP_FILTER_FLAG_TSYNC);
	return status == -EINVAL ? -ENOSYS : status;
}

uint64_t confine_permitted(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return 0;
	return sets[0].permitted | (uint64_t)sets[1].permitted << 32;
}

int confine_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const uint32_t half = (uint32_t)(kept >> (32 * i));

		sets[i].effective &= half;
		sets[i].permitted &= half;
		sets[i].inheritable &= half;
	}
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}
