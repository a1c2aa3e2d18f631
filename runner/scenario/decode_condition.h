/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads fault steps with a condition: {when: CONDITION, do: STEP}. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_CONDITION_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_CONDITION_H

#include "runner/scenario/loader.h"

/**
 * decode_conditional() - read a step with a condition
 *
 * Return: false after adding an error; @ret is then untouched.
 */
bool decode_conditional(struct loader *loader, const struct node *mapping, struct step *ret);
/** check_conditions() - add an error for each step of @endpoint whose condition can't be met */
void check_conditions(struct loader *loader, const struct endpoint_spec *endpoint);

extern const struct schema schema_conditional;

#endif
