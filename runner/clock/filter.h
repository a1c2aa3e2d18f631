/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter for the client's system calls (seccomp(2)): calls that wait for a finite time, set a
 * timer or read a clock stop for the clock process. All others go on untouched.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_FILTER_H
#define SYNFAULT_RUNNER_CLOCK_FILTER_H

#include "common/syscall_filter.h"

/**
 * filter_make() - build the filter
 * @shared: also stop for calls that may send datagrams to other users of the network
 */
void filter_make(bool shared, struct syscall_filter *ret);

#endif
