/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter for the client's system calls (seccomp(2)): calls that wait for a finite time, set a
 * timer or read a clock stop for the clock process. All others go on untouched.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_FILTER_H
#define SYNFAULT_RUNNER_CLOCK_FILTER_H

#include <linux/filter.h>

#include "common/util.h"

enum { FILTER_MAX = 512 };

struct filter {
	struct sock_filter lines[FILTER_MAX];
	size_t n_lines;
};

/**
 * filter_make() - build the filter
 * @shared: also stop for calls that may send datagrams to other users of the network
 */
void filter_make(bool shared, struct filter *ret);

/**
 * filter_install() - put the calling process and its descendants under the filter
 *
 * Afterwards they can't gain privileges by executing programs (PR_SET_NO_NEW_PRIVS).
 * Async-signal-safe.
 *
 * Return: 0 or a negative errno of prctl(2) or seccomp(2).
 */
int filter_install(const struct filter *filter);

#endif
