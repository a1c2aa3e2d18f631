/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of signals, without "SIG": the same in scenario files, findings, reports and baselines. */
#ifndef SYNFAULT_COMMON_SIGNAL_NAMES_H
#define SYNFAULT_COMMON_SIGNAL_NAMES_H

/**
 * signal_name() - return the name of a signal ("TERM"), or NULL for a real-time or unknown number
 */
const char *signal_name(int number);

/**
 * signal_number() - return the number of a signal, "TERM" or "SIGTERM", or 0 if the name is unknown
 */
int signal_number(const char *name);

/** signal_names() - return all names, NULL-terminated, for suggestions */
const char *const *signal_names(void);

#endif
