/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repeatable random draws. There is no generator state: a draw is a function of the scenario's seed
 * and of what it is drawn for, so it depends neither on scheduling nor on other draws.
 */
#ifndef SYNFAULT_COMMON_RANDOM_H
#define SYNFAULT_COMMON_RANDOM_H

#include "common/util.h"

/** random_draw() - draw a uniform 64-bit value, always the same for the same (seed, a, b, c) */
uint64_t random_draw(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);
/** random_between() - map a uniform draw to [low, high], both included; low <= high */
int64_t random_between(uint64_t draw, int64_t low, int64_t high);
/** random_seed() - get a seed from the kernel (getrandom(2)), never 0 */
uint64_t random_seed(void);

#endif
