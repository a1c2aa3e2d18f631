/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault doctor`: whether scenarios can run on this machine, and what is missing. */
#ifndef SYNFAULT_RUNNER_COMMAND_DOCTOR_H
#define SYNFAULT_RUNNER_COMMAND_DOCTOR_H

#include "runner/command/options.h"

extern const struct option_table doctor_option_table;

/* @argv: what follows the word "doctor". Returns the program's exit status: 0, or 3 when not. */
int command_doctor(int argc, char **argv, FILE *out, FILE *err);

#endif
