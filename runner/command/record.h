/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault record`: records a client's behavior as scenarios. */
#ifndef SYNFAULT_RUNNER_COMMAND_RECORD_H
#define SYNFAULT_RUNNER_COMMAND_RECORD_H

#include "runner/command/command.h"

extern const struct command command_record;

#endif
