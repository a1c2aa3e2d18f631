/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault run`: runs scenarios and judges the client. */
#ifndef SYNFAULT_RUNNER_COMMAND_RUN_H
#define SYNFAULT_RUNNER_COMMAND_RUN_H

#include "runner/command/command.h"

extern const struct command command_run;

#endif
