/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault ctl`: orders for a running `synfault inject` (docs/inject.md). */
#ifndef SYNFAULT_RUNNER_COMMAND_CTL_H
#define SYNFAULT_RUNNER_COMMAND_CTL_H

#include <stdio.h>

#include "runner/command/options.h"

extern const struct option_table ctl_option_table;

/* Returns the program's exit status. */
int command_ctl(int argc, char **argv, FILE *out, FILE *err);

#endif
