/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault ctl`: sends a command to a running synfault inject. */
#ifndef SYNFAULT_RUNNER_COMMAND_CTL_H
#define SYNFAULT_RUNNER_COMMAND_CTL_H

#include "runner/command/command.h"

extern const struct command command_ctl;

#endif
