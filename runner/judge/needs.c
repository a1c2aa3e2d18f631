/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See needs.h. */
#include "runner/judge/needs.h"

unsigned expectation_needs(enum expectation_kind kind)
{
#define NEEDS(kind, key, owned, decode, is_value, contradict, judging, needs, ...)                 \
	[EXPECT_##kind] = (needs),
	static const unsigned char all[] = {EXPECTATION_KINDS(NEEDS)};
#undef NEEDS

	return NEEDS_STARVATION | all[kind];
}

unsigned scenario_needs(const struct scenario *scenario)
{
	unsigned needs = 0;

	for (size_t i = 0; i < scenario->n_expectations; i++)
		needs |= expectation_needs(scenario->expectations[i].kind);
	return needs;
}
