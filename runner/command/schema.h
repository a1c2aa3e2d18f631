/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault schema`: prints the JSON Schema of scenario files. */
#ifndef SYNFAULT_RUNNER_COMMAND_SCHEMA_H
#define SYNFAULT_RUNNER_COMMAND_SCHEMA_H

#include "runner/command/command.h"

extern const struct command command_schema;

#endif
