/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether each fault step can happen at its endpoint. */
#ifndef SYNFAULT_RUNNER_SCENARIO_CHECK_STEPS_H
#define SYNFAULT_RUNNER_SCENARIO_CHECK_STEPS_H

#include "runner/scenario/loader.h"

void check_steps(struct loader *loader, const struct endpoint_spec *endpoint);

#endif
