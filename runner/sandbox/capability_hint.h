/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gives a process a capability that it lacks, in the words of each system that starts
 * containers. There are two cases: the container may not have the capability at all, or it may, and
 * only root in it holds it, which the process is not.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CAPABILITY_HINT_H
#define SYNFAULT_RUNNER_SANDBOX_CAPABILITY_HINT_H

#include "common/strbuf.h"

enum capability_hint {
	CAPABILITY_HINT_HELD,
	CAPABILITY_HINT_CONTAINER, /* it is not in the bounding set: the container has to be given
				      it */
	CAPABILITY_HINT_USER,      /* it is, but this user does not hold it */
};

/* @capability: a number, such as CAP_NET_ADMIN. Of the calling process. */
enum capability_hint capability_hint_needed(unsigned capability);

/* The systems, by index. NULL behind the last one. */
const char *capability_hint_platform(size_t index);

/*
 * What to write there: for the capabilities (names without CAP_, separated by blanks), or (for
 * CAPABILITY_HINT_USER) for being root. Owned by the caller.
 */
char *capability_hint_text(size_t index, enum capability_hint grant, const char *names);

/* What is not a matter of how a container is started: sudo, or a file that has the capability. */
#define CAPABILITY_HINT_USER_ELSE "sudo; or setcap cap_net_admin+ep on the program's file"

/* A sentence about the one that is missing (CAP_NET_ADMIN), with all of that; the caller's. */
char *capability_hint_sentence(unsigned capability, const char *name);

#endif
