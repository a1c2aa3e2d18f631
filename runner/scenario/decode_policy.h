/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads retry policies: the values of "backoff" and "attempt-delay". */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_POLICY_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_POLICY_H

#include "runner/scenario/loader.h"

/** decode_policy() - read a policy into @expectation, or add errors */
void decode_policy(struct loader *loader, const struct field *field,
		   struct expectation *expectation);

extern const struct schema schema_policy;
extern const struct schema_key schema_policy_named;

/* The keys of a policy, which can't be names of endpoints; ends with NULL. */
extern const char *const policy_words[];
/**
 * is_policy() - return whether a mapping is a policy rather than a mapping of endpoints to policies
 */
bool is_policy(const struct node *mapping);
/**
 * lacks_family() - return whether a mapping has only parameters of a policy, such as "base", but
 * not its kind
 */
bool lacks_family(const struct node *mapping);

#endif
