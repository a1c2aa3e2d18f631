/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault judge`: judges the records of a run again. */
#ifndef SYNFAULT_RUNNER_COMMAND_JUDGE_H
#define SYNFAULT_RUNNER_COMMAND_JUDGE_H

#include "runner/command/command.h"

extern const struct command command_judge;

#endif
