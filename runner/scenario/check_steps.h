/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds fault steps that can't happen at their endpoint. */
#ifndef SYNFAULT_RUNNER_SCENARIO_CHECK_STEPS_H
#define SYNFAULT_RUNNER_SCENARIO_CHECK_STEPS_H

#include "runner/scenario/loader.h"

/** check_steps() - add an error for each step of @endpoint that can't happen there */
void check_steps(struct loader *loader, const struct endpoint_spec *endpoint);

#endif
