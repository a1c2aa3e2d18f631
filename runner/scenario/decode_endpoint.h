/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the key "endpoints": names, addresses, servers and fault scripts. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_ENDPOINT_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_ENDPOINT_H

#include "runner/scenario/loader.h"

/** decode_endpoints() - read all endpoints into the scenario, as struct schema_key.decode */
void decode_endpoints(struct loader *loader, const struct field *field, void *target);
extern const struct schema_key schema_endpoint;

#endif
