/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault check`: finds all errors in scenario files, and runs nothing. */
#ifndef SYNFAULT_RUNNER_COMMAND_CHECK_H
#define SYNFAULT_RUNNER_COMMAND_CHECK_H

#include "runner/command/command.h"

extern const struct command command_check;

#endif
