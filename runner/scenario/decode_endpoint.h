/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the key "endpoints": names, addresses, servers and fault scripts. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_ENDPOINT_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_ENDPOINT_H

#include "runner/scenario/loader.h"

/* As struct schema_key.decode: reads all endpoints into the scenario. */
void decode_endpoints(struct loader *loader, const struct field *field, void *target);
extern const struct schema_key schema_endpoint;

#endif
