/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which scenarios can't run in virtual time. Pure. */
#ifndef SYNFAULT_RUNNER_CLOCK_OBSTACLE_H
#define SYNFAULT_RUNNER_CLOCK_OBSTACLE_H

#include "runner/scenario/scenario.h"

/**
 * clock_obstacle() - explain why a scenario can't run in virtual time
 *
 * Return: one phrase, owned by the caller; NULL if the scenario can run in virtual time.
 */
char *clock_obstacle(const struct scenario *scenario);

#endif
