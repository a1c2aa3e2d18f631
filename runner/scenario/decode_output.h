/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what the client's output must hold: the values of "stdout" and "stderr". */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_OUTPUT_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_OUTPUT_H

#include "runner/scenario/loader.h"

/** decode_output() - add an expectation for each text, as struct schema_key.decode */
void decode_output(struct loader *loader, const struct field *field, void *target);

extern const struct schema schema_output;

#endif
