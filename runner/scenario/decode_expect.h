/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what is expected of the client: the value of "expect". */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_EXPECT_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_EXPECT_H

#include "runner/scenario/loader.h"

/** decode_expect() - add an expectation for each value, as struct schema_key.decode */
void decode_expect(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_expect;

/**
 * check_contradictions() - add errors for expectations that no client can meet, because they
 * contradict each other, the fault scripts or the timeout
 *
 * The document must be free of other errors.
 */
void check_contradictions(struct loader *loader);

#endif
