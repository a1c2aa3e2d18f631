/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault steps as one text, "refuse x3, accept", as command lines and requests give them. */
#ifndef SYNFAULT_RUNNER_SCENARIO_STEP_LIST_H
#define SYNFAULT_RUNNER_SCENARIO_STEP_LIST_H

#include "common/util.h"

/**
 * step_list_split() - split "refuse x3, accept" at its commas
 * @text: steps; brackets and braces keep the commas inside them
 *
 * Return: a vector of steps without surrounding blanks, possibly empty; owned by the caller.
 */
char **step_list_split(const char *text);

/**
 * step_list_fault() - find out what is wrong with steps
 * @steps: as step_list_split() returns them; the loader checks those in the long form
 *
 * Return: one sentence about the first wrong step, owned by the caller; NULL: none is wrong.
 */
char *step_list_fault(char *const *steps);

#endif
