/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault doctor`: checks what this machine can do. */
#ifndef SYNFAULT_RUNNER_COMMAND_DOCTOR_H
#define SYNFAULT_RUNNER_COMMAND_DOCTOR_H

#include "runner/command/command.h"

extern const struct command command_doctor;

#endif
