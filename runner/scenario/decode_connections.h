/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads how connections end as their client sees it: "ended". */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_CONNECTIONS_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_CONNECTIONS_H

#include "runner/scenario/loader.h"

/** decode_ended() - read the value of "ended" into @expectation, or add errors */
void decode_ended(struct loader *loader, const struct field *field,
		  struct expectation *expectation);

extern const char *const connection_ends[]; /* ends with NULL */
extern const struct schema_key schema_ended_named;

#endif
