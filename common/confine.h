/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives up what a process needs no more (seccomp(2), capabilities(7)), before it reads what others
 * wrote: an error in a parser must not become a way to do what the parser never does. It does not
 * keep a hijacked process from reading files, or from using what it has open: SECURITY.md.
 */
#ifndef SYNFAULT_COMMON_CONFINE_H
#define SYNFAULT_COMMON_CONFINE_H

#include "common/util.h"

/* What a confined process may still do. */
enum confine_kept {
	CONFINE_KEEP_WRITING = 1,  /* open files for writing, make, rename and remove them */
	CONFINE_KEEP_REMOVING = 2, /* remove files and directories */
	CONFINE_KEEP_SOCKETS = 4,  /* make sockets */
};

/**
 * confine() - confine this process, all of its threads, for ever
 * @kept: bits of enum confine_kept
 *
 * No program can be executed and no process made. Namespaces, mounts, other processes' memory, and
 * what administers the machine are out of reach; calls fail with EPERM. Threads can still be made,
 * and files opened for reading.
 *
 * Return: 0; -ENOSYS where there is no filter for this machine or kernel; another negative errno of
 * seccomp(2).
 */
int confine(unsigned kept);

/**
 * confine_capabilities() - give up all capabilities of this thread but some
 * @kept: bits, 1 << CAP_…; a capability that the thread lacks is not gained
 *
 * Threads that it makes afterwards have no more than it has.
 *
 * Return: 0 or a negative errno of capset(2).
 */
int confine_capabilities(uint64_t kept);
/** confine_permitted() - return this thread's permitted capabilities, as bits */
uint64_t confine_permitted(void);

#endif
