/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every key below "expect" needs: new expectations, and endpoints by name. */
#ifndef SYNFAULT_RUNNER_SCENARIO_EXPECTATION_H
#define SYNFAULT_RUNNER_SCENARIO_EXPECTATION_H

#include "runner/scenario/loader.h"

/**
 * add_expectation() - add an expectation to the scenario, with its place and tolerance
 * @value: the node that states it
 *
 * The scenario owns it; the pointer is valid until the next call.
 */
struct expectation *add_expectation(struct loader *loader, enum expectation_kind kind,
				    const struct node *value);
/**
 * find_endpoint() - find the endpoint that a key names
 * @policies: the key may also have been meant as the name of a policy
 *
 * Return: false after adding an error.
 */
bool find_endpoint(struct loader *loader, const struct node *key, bool policies,
		   size_t *ret_endpoint);

#endif
