/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault check`: finds every error in scenario files, and runs nothing. */
#ifndef SYNFAULT_RUNNER_COMMAND_CHECK_H
#define SYNFAULT_RUNNER_COMMAND_CHECK_H

#include "common/util.h"

/*
 * Checks all scenario files that @n paths stand for. Errors go to @err with their places, followed
 * by "N errors in M files"; when there are none, "N scenarios in M files, all fine" goes to @out.
 * Returns the exit status: 0 (fine), 4 (errors), 5 (no scenario was found).
 */
int command_check(char *const *paths, size_t n, FILE *out, FILE *err, bool color);

#endif
