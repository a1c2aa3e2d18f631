/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program's commands as one table, from which the program runs them and makes help, manual
 * pages and completion. A command that is added here is added everywhere.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_COMMANDS_H
#define SYNFAULT_RUNNER_COMMAND_COMMANDS_H

#include "runner/command/command.h"

/* NULL-terminated. */
extern const struct command *const commands[];

#endif
