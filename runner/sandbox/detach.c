/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Separates a forked process from what it inherited: see detach.h. */
#include "runner/sandbox/detach.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Higher than the final number of any kept descriptor. */
enum { FIRST_TEMPORARY = 10 };

static void reset_signals(void)
{
	static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGCHLD};

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_IGN);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		signal(crashes[i], SIG_DFL);
}

void detach_from_parent(int *const kept[], size_t n_kept)
{
	/* Two passes, so that none overwrites another: far up first, then down to 3, 4 … */
	for (size_t i = 0; i < n_kept; i++) {
		if (*kept[i] < 0)
			continue;
		*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, FIRST_TEMPORARY);
		if (*kept[i] < 0)
			_exit(EXIT_FAILURE);
	}
	for (size_t i = 0; i < n_kept; i++)
		if (*kept[i] >= 0 && dup3(*kept[i], (int)(3 + i), O_CLOEXEC) >= 0)
			*kept[i] = (int)(3 + i);
	syscall(SYS_close_range, (unsigned)(3 + n_kept), ~0U, 0);
	for (size_t i = 0; i < n_kept; i++)
		if (*kept[i] < 0)
			close((int)(3 + i));
	reset_signals();
	setsid();
}
