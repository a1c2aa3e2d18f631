/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault report`: makes reports of a run that is over. */
#ifndef SYNFAULT_RUNNER_COMMAND_REPORT_H
#define SYNFAULT_RUNNER_COMMAND_REPORT_H

#include "runner/command/options.h"

extern const struct option_table report_option_table;

/*
 * @argv: what follows the word "report". Returns the program's exit status: whether the reports
 * could be made, whatever the run's results.
 */
int command_report(int argc, char **argv, FILE *out, FILE *err);

#endif
