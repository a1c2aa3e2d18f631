/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault completion`: prints the script by which a shell completes command lines. */
#ifndef SYNFAULT_RUNNER_COMMAND_COMPLETION_H
#define SYNFAULT_RUNNER_COMMAND_COMPLETION_H

#include "runner/command/command.h"

extern const struct command command_completion;

#endif
