/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault exec`: runs a command whose own code injects faults. */
#ifndef SYNFAULT_RUNNER_COMMAND_EXEC_H
#define SYNFAULT_RUNNER_COMMAND_EXEC_H

#include "runner/command/command.h"

extern const struct command command_exec;

#endif
