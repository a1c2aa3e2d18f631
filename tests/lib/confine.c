/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container allows a program: see confine.h. The filter of system calls answers as Docker's
 * default one does where CAP_SYS_ADMIN is missing (moby, profiles/seccomp/default.json).
 */
#include "tests/lib/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"
#include "tests/lib/program.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

static void forbid_namespaces(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 2),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {.len = ARRAY_SIZE(program), .filter = program};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		abort();
}

/* Keeps these capabilities in all sets except the ambient one; executing a program adds none. */
static void keep(const int *capabilities, size_t n)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < n; i++)
		capng_update(CAPNG_ADD,
			     (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET),
			     (unsigned)capabilities[i]);
	if (capng_apply(CAPNG_SELECT_ALL) < 0)
		abort();
}

void confine_to_net_admin(void)
{
	static const int capabilities[] = {CAP_NET_ADMIN};

	forbid_namespaces();
	keep(capabilities, ARRAY_SIZE(capabilities));
}

void confine_as_docker(void)
{
	static const int capabilities[] = {
		CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,           CAP_FOWNER,
		CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,           CAP_SETUID,
		CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
		CAP_KILL,    CAP_AUDIT_WRITE,  CAP_NET_ADMIN,
	};

	forbid_namespaces();
	keep(capabilities, ARRAY_SIZE(capabilities));
}

void confine_as_podman(void)
{
	static const int capabilities[] = {
		CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,           CAP_FSETID,
		CAP_KILL,    CAP_SETGID,       CAP_NET_BIND_SERVICE, CAP_SETFCAP,
		CAP_SETPCAP, CAP_SETUID,       CAP_SYS_CHROOT,       CAP_NET_ADMIN,
	};

	forbid_namespaces();
	keep(capabilities, ARRAY_SIZE(capabilities));
}

void confine_without_net_admin(void)
{
	static const int capabilities[] = {
		CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,           CAP_FOWNER,
		CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,           CAP_SETUID,
		CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
		CAP_KILL,    CAP_AUDIT_WRITE,
	};

	forbid_namespaces();
	keep(capabilities, ARRAY_SIZE(capabilities));
}

void confine_to_user_with_net_admin(void)
{
	static const int capabilities[] = {CAP_NET_ADMIN, CAP_SETUID, CAP_SETGID};
	const unsigned wanted = CAP_NET_ADMIN;

	forbid_namespaces();
	keep(capabilities, ARRAY_SIZE(capabilities));
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setgid(PROGRAM_NOBODY) < 0 || setuid(PROGRAM_NOBODY) < 0)
		abort();
	capng_clear(CAPNG_SELECT_CAPS);
	capng_update(CAPNG_ADD,
		     (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE), wanted);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted, 0, 0) < 0)
		abort();
}

void confine_to_user(void)
{
	confine_as_docker();
	if (setgroups(0, NULL) < 0 || setgid(PROGRAM_NOBODY) < 0 || setuid(PROGRAM_NOBODY) < 0)
		abort();
}
