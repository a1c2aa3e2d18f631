/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault run`: loads, runs, judges, reports. */
#ifndef SYNFAULT_RUNNER_COMMAND_RUN_H
#define SYNFAULT_RUNNER_COMMAND_RUN_H

#include "runner/command/options.h"

/* @argv: what follows the word "run". Returns the program's exit status. */
int command_run(int argc, char **argv, FILE *out, FILE *err);

#endif
