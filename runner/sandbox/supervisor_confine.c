/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What processes that parse packets give up, and what they can't: see supervisor_confine.h. */
#include "runner/sandbox/supervisor_confine.h"

#include <linux/capability.h>

#include "common/confine.h"

#define BIT(capability) (UINT64_C(1) << (capability))
/* The queue, the rules, and what sock_diag says of sockets. */
#define PACKETS BIT(CAP_NET_ADMIN)
/* To find the sockets of other users' processes, and what these wait for; to end them. */
#define CLIENTS (BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SYS_PTRACE) | BIT(CAP_KILL))
/* To remove a directory in which other users' processes wrote. */
#define DIRECTORY (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER))
/* To arm another scenario: raw packets (reinject.h), and the ports of built-in servers. */
#define AGAIN (BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE))
/* To replace a file of another user, and leave it to them. */
#define REPORTS (BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_CHOWN) | BIT(CAP_FSETID))

/*
 * What each still needs. All can read files, which /proc and names of hosts take.
 *
 * Those that start programs get no filter: the programs, which are the user's servers, would
 * inherit it, and capabilities only go as far as the programs' own.
 */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): a short table */
static const struct {
	unsigned kept;         /* enum confine_kept */
	uint64_t capabilities; /* those that it has */
	bool looks_at_clients; /* at descriptors of processes that it did not start */
	bool starts_programs;
} needs[ROLE_N_ROLES] = {
	/* Its /tmp and the client's directory go with the mount namespace. */
	[ROLE_PRIVATE] = {CONFINE_KEEP_SOCKETS, PACKETS | CLIENTS, true},
	[ROLE_SHARED] = {CONFINE_KEEP_SOCKETS | CONFINE_KEEP_REMOVING,
			 PACKETS | CLIENTS | DIRECTORY, true},
	[ROLE_SESSION] = {CONFINE_KEEP_SOCKETS | CONFINE_KEEP_REMOVING,
			  PACKETS | CLIENTS | DIRECTORY, true},
	/* It knows nothing of clients, but ends the server command of its only scenario. */
	[ROLE_INJECT] = {CONFINE_KEEP_SOCKETS | CONFINE_KEEP_REMOVING,
			 PACKETS | AGAIN | DIRECTORY | BIT(CAP_KILL), false},
	[ROLE_INJECT_REPORTS] = {CONFINE_KEEP_SOCKETS | CONFINE_KEEP_WRITING,
				 PACKETS | AGAIN | DIRECTORY | REPORTS | BIT(CAP_KILL), false},
	[ROLE_INJECT_SERVERS] = {.capabilities = PACKETS | AGAIN, .starts_programs = true},
	/* Its sessions have no more than it has. */
	[ROLE_HOST] = {.capabilities = PACKETS | CLIENTS | AGAIN, .starts_programs = true},
};

/* Those that a client never has (process.c), but for CAP_NET_ADMIN. */
static const uint64_t never_the_clients =
	BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_MODULE) |
	BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_BOOT) | BIT(CAP_SYS_TIME) | BIT(CAP_BPF) |
	BIT(CAP_PERFMON) | BIT(CAP_MAC_ADMIN);

void supervisor_confine(enum supervisor_role role)
{
	uint64_t capabilities = needs[role].capabilities;

	/*
	 * Without CAP_SYS_PTRACE, only who has all capabilities of a process may look at its
	 * descriptors (security/commoncap.c, cap_ptrace_access_check).
	 */
	if (needs[role].starts_programs)
		capabilities |= ~never_the_clients;
	else if (needs[role].looks_at_clients && !(confine_permitted() & BIT(CAP_SYS_PTRACE)))
		capabilities = ~never_the_clients;
	if (!needs[role].starts_programs)
		(void)confine(needs[role].kept);
	(void)confine_capabilities(capabilities);
}
