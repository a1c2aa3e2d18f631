/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program's commands as one table: the program runs them from it, and makes help, manual pages
 * and completion from it. A command that is added here is everywhere.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_COMMANDS_H
#define SYNFAULT_RUNNER_COMMAND_COMMANDS_H

#include "runner/command/command.h"

/* NULL-terminated. */
extern const struct command *const commands[];

#endif
