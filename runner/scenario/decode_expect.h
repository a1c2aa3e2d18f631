/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is expected of the client: the value of "expect". */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_EXPECT_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_EXPECT_H

#include "runner/scenario/loader.h"

void decode_expect(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_expect;

/*
 * Adds errors for expectations that no client can meet: with each other, with the fault scripts,
 * with the timeout. For a document without other errors.
 */
void check_contradictions(struct loader *loader);

#endif
