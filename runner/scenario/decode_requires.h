/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the key "requires": what the machine must have, or the scenario is skipped. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_REQUIRES_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_REQUIRES_H

#include "runner/scenario/loader.h"

/** decode_requires() - read the requirements into the scenario, as struct schema_key.decode */
void decode_requires(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_requires;

#endif
