/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault completion`: scripts by which shells complete synfault's command line. */
#ifndef SYNFAULT_RUNNER_COMMAND_COMPLETION_H
#define SYNFAULT_RUNNER_COMMAND_COMPLETION_H

#include "runner/command/options.h"

extern const struct option_table completion_option_table;

/* @argv: what follows the word "completion". Returns the program's exit status. */
int command_completion(int argc, char **argv, FILE *out, FILE *err);

#endif
