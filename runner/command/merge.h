/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault merge`: one result out of those of several machines. */
#ifndef SYNFAULT_RUNNER_COMMAND_MERGE_H
#define SYNFAULT_RUNNER_COMMAND_MERGE_H

#include "runner/command/options.h"

extern const struct option_table merge_option_table;

/*
 * @argv: what follows the word "merge": where to, then JUnit reports, or directories of records.
 * Returns the program's exit status: that of one run when reports were merged.
 */
int command_merge(int argc, char **argv, FILE *out, FILE *err);

#endif
