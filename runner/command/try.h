/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault try 'STEPS' -- CLIENT ARG...`: what does a client do when this happens? */
#ifndef SYNFAULT_RUNNER_COMMAND_TRY_H
#define SYNFAULT_RUNNER_COMMAND_TRY_H

#include <stdio.h>

/*
 * Runs the client once against one endpoint, prints the timeline and what was seen, and judges
 * nothing. Returns the program's exit status: 0 when the client could be observed.
 */
int command_try(int argc, char **argv, FILE *out, FILE *err);

#endif
