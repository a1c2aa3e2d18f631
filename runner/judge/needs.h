/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record must contain for an expectation to be judged. */
#ifndef SYNFAULT_RUNNER_JUDGE_NEEDS_H
#define SYNFAULT_RUNNER_JUDGE_NEEDS_H

#include "runner/scenario/scenario.h"

/**
 * expectation_needs() - say what a kind of expectation needs from the record
 * @kind: not EXPECT_N_KINDS
 *
 * Return: bits of enum expectation_need.
 */
unsigned expectation_needs(enum expectation_kind kind);

/**
 * scenario_needs() - say what all expectations of a scenario together need
 *
 * Return: bits of enum expectation_need.
 */
unsigned scenario_needs(const struct scenario *scenario);

#endif
