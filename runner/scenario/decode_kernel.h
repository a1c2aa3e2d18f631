/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the key "kernel": settings of the scenario's own network namespace. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_KERNEL_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_KERNEL_H

#include "runner/scenario/loader.h"

/** decode_kernel() - add each setting to the scenario, as struct schema_key.decode */
void decode_kernel(struct loader *loader, const struct field *field, void *target);
extern const struct schema_key schema_kernel_named;

#endif
