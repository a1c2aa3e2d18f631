/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault inject`: the faults alone, for a client that somebody else starts. */
#ifndef SYNFAULT_RUNNER_COMMAND_INJECT_H
#define SYNFAULT_RUNNER_COMMAND_INJECT_H

#include <stdio.h>

/* Returns the program's exit status. */
int command_inject(int argc, char **argv, FILE *out, FILE *err);

#endif
