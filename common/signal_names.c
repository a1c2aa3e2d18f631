/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of signals: see signal_names.h. sigabbrev_np() is not in every C library. */
#include "common/signal_names.h"

#include <signal.h>

#include "common/util.h"

/* At index number - 1: the standard signals are 1 to 31 on every architecture (signal(7)). */
static const char *const names[32] = {
	[SIGHUP - 1] = "HUP",       [SIGINT - 1] = "INT",   [SIGQUIT - 1] = "QUIT",
	[SIGILL - 1] = "ILL",       [SIGTRAP - 1] = "TRAP", [SIGABRT - 1] = "ABRT",
	[SIGBUS - 1] = "BUS",       [SIGFPE - 1] = "FPE",   [SIGKILL - 1] = "KILL",
	[SIGUSR1 - 1] = "USR1",     [SIGSEGV - 1] = "SEGV", [SIGUSR2 - 1] = "USR2",
	[SIGPIPE - 1] = "PIPE",     [SIGALRM - 1] = "ALRM", [SIGTERM - 1] = "TERM",
#ifdef SIGSTKFLT
	[SIGSTKFLT - 1] = "STKFLT",
#else
	[SIGEMT - 1] = "EMT", /* MIPS, SPARC */
#endif
	[SIGCHLD - 1] = "CHLD",     [SIGCONT - 1] = "CONT", [SIGSTOP - 1] = "STOP",
	[SIGTSTP - 1] = "TSTP",     [SIGTTIN - 1] = "TTIN", [SIGTTOU - 1] = "TTOU",
	[SIGURG - 1] = "URG",       [SIGXCPU - 1] = "XCPU", [SIGXFSZ - 1] = "XFSZ",
	[SIGVTALRM - 1] = "VTALRM", [SIGPROF - 1] = "PROF", [SIGWINCH - 1] = "WINCH",
	[SIGIO - 1] = "IO",         [SIGPWR - 1] = "PWR",   [SIGSYS - 1] = "SYS",
};

const char *signal_name(int number)
{
	return number >= 1 && number < (int)ARRAY_SIZE(names) ? names[number - 1] : NULL;
}

int signal_number(const char *name)
{
	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	if (strcmp(name, "POLL") == 0)
		return SIGIO;
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i + 1;
	return 0;
}

const char *const *signal_names(void)
{
	return names;
}
