/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault judge`: judges the records of a run again, and runs nothing. */
#ifndef SYNFAULT_RUNNER_COMMAND_JUDGE_H
#define SYNFAULT_RUNNER_COMMAND_JUDGE_H

#include "runner/command/options.h"

extern const struct option_table judge_option_table;

/* @argv: what follows the word "judge". Returns the program's exit status, as `run` would. */
int command_judge(int argc, char **argv, FILE *out, FILE *err);

#endif
