/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key "requires": what the machine has to have, or the scenario is skipped. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_REQUIRES_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_REQUIRES_H

#include "runner/scenario/loader.h"

void decode_requires(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_requires;

#endif
