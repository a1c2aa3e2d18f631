/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command lines of `synfault check` and `synfault list`, which need no privileges. */
#ifndef SYNFAULT_RUNNER_COMMAND_CHECK_LIST_H
#define SYNFAULT_RUNNER_COMMAND_CHECK_LIST_H

#include "runner/command/options.h"

extern const struct option_table check_option_table, list_option_table;

/* @argv: what follows the command's name. Return the program's exit status. */
int command_check_main(int argc, char **argv, FILE *out, FILE *err);
int command_list_main(int argc, char **argv, FILE *out, FILE *err);

#endif
