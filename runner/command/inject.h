/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault inject`: injects faults for a client that another process starts. */
#ifndef SYNFAULT_RUNNER_COMMAND_INJECT_H
#define SYNFAULT_RUNNER_COMMAND_INJECT_H

#include "runner/command/command.h"

extern const struct command command_inject;

#endif
