/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault compare`: shows how the clients of two runs behave differently. */
#ifndef SYNFAULT_RUNNER_COMMAND_COMPARE_H
#define SYNFAULT_RUNNER_COMMAND_COMPARE_H

#include "runner/command/command.h"
#include "runner/record/json_fields.h"

extern const struct json_type compare_type; /* what it prints with --format json */

#endif
