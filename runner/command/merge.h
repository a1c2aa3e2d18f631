/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault merge`: merges the results of a suite's shards. */
#ifndef SYNFAULT_RUNNER_COMMAND_MERGE_H
#define SYNFAULT_RUNNER_COMMAND_MERGE_H

#include "runner/command/command.h"

extern const struct command command_merge;

#endif
