/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of system calls, with those that some C libraries lack: the same on all machines. */
#ifndef SYNFAULT_RUNNER_CLOCK_SYSCALL_NUMBERS_H
#define SYNFAULT_RUNNER_CLOCK_SYSCALL_NUMBERS_H

#include <sys/syscall.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif

#endif
