/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the supervisor gives up, and what it can't: see supervisor_confine.h. */
#include "runner/sandbox/supervisor_confine.h"

#include <linux/capability.h>

#include "common/confine.h"

#define BIT(capability) (UINT64_C(1) << (capability))

/* Those that a client never has (process.c), but for CAP_NET_ADMIN. */
static const uint64_t never_the_clients =
	BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_MODULE) |
	BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_BOOT) | BIT(CAP_SYS_TIME) | BIT(CAP_BPF) |
	BIT(CAP_PERFMON) | BIT(CAP_MAC_ADMIN);

/*
 * Returns the capabilities to keep: for the queue, the rules and what sock_diag says of sockets; to
 * find the sockets of processes of other users, and what they wait for; to end these processes.
 */
static uint64_t needed(bool shared)
{
	uint64_t capabilities =
		BIT(CAP_NET_ADMIN) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SYS_PTRACE) | BIT(CAP_KILL);

	/*
	 * Without CAP_SYS_PTRACE, only who has all capabilities of a process may look at its
	 * descriptors (security/commoncap.c, cap_ptrace_access_check).
	 */
	if (!(confine_permitted() & BIT(CAP_SYS_PTRACE)))
		return ~never_the_clients;
	return shared ? capabilities | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) : capabilities;
}

void supervisor_confine(bool shared)
{
	(void)confine(CONFINE_KEEP_SOCKETS | (shared ? CONFINE_KEEP_REMOVING : 0));
	(void)confine_capabilities(needed(shared));
}
