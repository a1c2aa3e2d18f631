/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How to give a process a capability that it lacks, in the words of each system that starts
 * containers. There are two cases: the container lacks the capability altogether, or the container
 * has it but only for root, and the process does not run as root.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CAPABILITY_HINT_H
#define SYNFAULT_RUNNER_SANDBOX_CAPABILITY_HINT_H

#include "common/strbuf.h"

enum capability_hint {
	CAPABILITY_HINT_HELD,
	CAPABILITY_HINT_CONTAINER, /* not in the bounding set: the container needs it */
	CAPABILITY_HINT_USER,      /* in the bounding set, but this user does not hold it */
};

/**
 * capability_hint_needed() - find out what the calling process needs to hold a capability
 * @capability: its number, such as CAP_NET_ADMIN
 */
enum capability_hint capability_hint_needed(unsigned capability);

/**
 * capability_hint_platform() - return the name of a system that starts containers
 *
 * Return: NULL if @index is past the last one.
 */
const char *capability_hint_platform(size_t index);

/**
 * capability_hint_text() - say what to configure on a system
 * @index: of the system, as for capability_hint_platform()
 * @grant: CAPABILITY_HINT_CONTAINER, or CAPABILITY_HINT_USER for running as root
 * @names: capabilities without CAP_, separated by blanks; ignored for CAPABILITY_HINT_USER
 *
 * Return: the text, owned by the caller.
 */
char *capability_hint_text(size_t index, enum capability_hint grant, const char *names);

/* Two ways that need no change to the container: sudo, and a file capability. */
#define CAPABILITY_HINT_USER_ELSE "sudo; or setcap cap_net_admin+ep on the program's file"

/**
 * capability_hint_sentence() - say that a capability is missing and how each system gives it
 * @capability: its number
 * @name: its name without CAP_
 *
 * Return: one sentence, owned by the caller.
 */
char *capability_hint_sentence(unsigned capability, const char *name);

#endif
