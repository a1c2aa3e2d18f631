/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `synfault diagnose HOST:PORT`: why a connection is refused, dropped or slow (runner/diagnose).
 *
 * Exit status: 0 every handshake was completed in time, 1 a cause was found, 3 it could not look,
 * 4 usage.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_DIAGNOSE_H
#define SYNFAULT_RUNNER_COMMAND_DIAGNOSE_H

#include "runner/command/command.h"

extern const struct command command_diagnose;

#endif
