/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault try`: shows how a client behaves under given faults. */
#ifndef SYNFAULT_RUNNER_COMMAND_TRY_H
#define SYNFAULT_RUNNER_COMMAND_TRY_H

#include "runner/command/command.h"

extern const struct command command_try;

#endif
