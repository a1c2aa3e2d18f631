/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault compare`: what changed in behaviour between two runs, of two versions of a client. */
#ifndef SYNFAULT_RUNNER_COMMAND_COMPARE_H
#define SYNFAULT_RUNNER_COMMAND_COMPARE_H

#include "runner/command/options.h"

extern const struct option_table compare_option_table;

/*
 * @argv: what follows the word "compare". Returns the program's exit status: 0 when nothing is
 * different, 1 when something is, 4 when the runs can't be read.
 */
int command_compare(int argc, char **argv, FILE *out, FILE *err);

#endif
