/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a fault step that is written as a text. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_STEP_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_STEP_H

#include "runner/scenario/loader.h"

/**
 * decode_step_text() - read a step from a text
 * @last: it is the last of its list
 *
 * Return: false after adding an error.
 */
bool decode_step_text(struct loader *loader, const struct node *node, bool last, struct step *ret);

#endif
