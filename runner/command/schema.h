/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault schema`: the scenario language for editors and for manual pages. */
#ifndef SYNFAULT_RUNNER_COMMAND_SCHEMA_H
#define SYNFAULT_RUNNER_COMMAND_SCHEMA_H

#include "runner/command/options.h"

extern const struct option_table schema_option_table;

/* @argv: what follows the word "schema". Returns the program's exit status. */
int command_schema(int argc, char **argv, FILE *out, FILE *err);

#endif
