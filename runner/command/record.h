/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault record -- CLIENT ARG...`: how does a client behave, all in all? */
#ifndef SYNFAULT_RUNNER_COMMAND_RECORD_H
#define SYNFAULT_RUNNER_COMMAND_RECORD_H

#include <stdio.h>

/*
 * Runs the client through the standard standard_faults, says in a page what it did, and writes it
 * down as scenarios when told to. Returns the program's exit status: 0 when all parts could be
 * observed.
 */
int command_record(int argc, char **argv, FILE *out, FILE *err);

#endif
