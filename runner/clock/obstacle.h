/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can't be had in virtual time, as far as a scenario says. Pure. */
#ifndef SYNFAULT_RUNNER_CLOCK_OBSTACLE_H
#define SYNFAULT_RUNNER_CLOCK_OBSTACLE_H

#include "runner/scenario/scenario.h"

/**
 * clock_obstacle() - say why a scenario can't run in virtual time
 * @shared: its sandbox has no namespaces of its own
 *
 * Return: one phrase, the caller's; NULL: it can.
 */
char *clock_obstacle(const struct scenario *scenario, bool shared);

#endif
