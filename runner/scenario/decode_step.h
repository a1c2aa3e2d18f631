/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault step as a text. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_STEP_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_STEP_H

#include "runner/scenario/loader.h"

/* @last: no step follows it. */
bool decode_step_text(struct loader *loader, const struct node *node, bool last, struct step *ret);

#endif
