/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which policy do these waits look like? This is judgement in reverse: it helps users see why a
 * client failed, and describes how a client behaves. Pure arithmetic.
 *
 * Policies without jitter are fitted by least squares, each with and without a cap. If none of them
 * comes close, policies with jitter are compared by how likely they make the waits. Simple policies
 * are preferred: each further parameter has to improve the fit enough. Times are rounded to values
 * that people choose, as far as the waits allow.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_FIT_H
#define SYNFAULT_RUNNER_JUDGE_FIT_H

#include "runner/scenario/policy.h"

/* The successive waits (or attempt delays) of one client, starting with the first. */
struct fit_sequence {
	const int64_t *waits_ns; /* borrowed; negative ones count as 0 */
	size_t n_waits;
};

struct fit {
	bool found;           /* otherwise there is no pattern, and no policy */
	struct policy policy; /* fixed, linear or exponential; owns nothing */
	/*
	 * How far the waits are from the policy. Without jitter: the root mean square of the
	 * misses, each relative to 5 ms + 2 % of the wait. With jitter: the largest distance
	 * between the waits' distribution and the policy's (0 to 1).
	 */
	double misfit;
	char *text; /* owned: "exponential, base 500 ms, factor 2, no cap", "no pattern" */
};

/**
 * fit_waits() - fit one policy to all sequences
 *
 * It finds none with fewer than two waits in all.
 *
 * Return: free it with fit_free().
 */
struct fit fit_waits(const struct fit_sequence *sequences, size_t n_sequences);
void fit_free(struct fit *fit);

#endif
