/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every key below "expect" needs: new expectations, and the endpoints that they are about. */
#ifndef SYNFAULT_RUNNER_SCENARIO_EXPECTATION_H
#define SYNFAULT_RUNNER_SCENARIO_EXPECTATION_H

#include "runner/scenario/loader.h"

/*
 * A new expectation with what all have; it is the scenario's at once, and may move with the next.
 * @value: the node that states it
 */
struct expectation *add_expectation(struct loader *loader, enum expectation_kind kind,
				    const struct node *value);
/*
 * The index of the endpoint that a key names, or an error. @policies: the key could have been the
 * name of a policy, too.
 */
bool find_endpoint(struct loader *loader, const struct node *key, bool policies,
		   size_t *ret_endpoint);

#endif
