/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what a client does after an attempt: "gives-up", "retry-on", "order" and the like. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_BEHAVIOUR_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_BEHAVIOUR_H

#include "runner/scenario/loader.h"

/**
 * decode_concurrent_attempts() - read the value of its key into @expectation, or add errors
 *
 * So do the functions below.
 */
void decode_concurrent_attempts(struct loader *loader, const struct field *field,
				struct expectation *expectation);
void decode_concurrent_connections(struct loader *loader, const struct field *field,
				   struct expectation *expectation);
void decode_reconnects(struct loader *loader, const struct field *field,
		       struct expectation *expectation);
void decode_gives_up(struct loader *loader, const struct field *field,
		     struct expectation *expectation);
void decode_retry_on(struct loader *loader, const struct field *field,
		     struct expectation *expectation);
void decode_fallback(struct loader *loader, const struct field *field,
		     struct expectation *expectation);
/**
 * decode_order() - add an expectation for a list, or for each key of a mapping, as struct
 * schema_key.decode
 */
void decode_order(struct loader *loader, const struct field *field, void *target);

extern const struct schema schema_reconnects, schema_gives_up, schema_fallback, schema_herd;
extern const struct schema_key schema_reconnects_named, schema_gives_up_named,
	schema_retry_on_named, schema_order_named, schema_herd_named;

#endif
