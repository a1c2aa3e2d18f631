/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault report`: renders reports from a finished run. */
#ifndef SYNFAULT_RUNNER_COMMAND_REPORT_H
#define SYNFAULT_RUNNER_COMMAND_REPORT_H

#include "runner/command/command.h"

extern const struct command command_report;

#endif
