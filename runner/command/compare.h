/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault compare`: shows how the clients of two runs behave differently. */
#ifndef SYNFAULT_RUNNER_COMMAND_COMPARE_H
#define SYNFAULT_RUNNER_COMMAND_COMPARE_H

#include "runner/command/command.h"

/** compare_schema() - add the JSON Schema of what it prints with --format json */
void compare_schema(struct strbuf *out);

#endif
