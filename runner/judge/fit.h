/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which policy do these backoff looks like? The other direction of judgement, for those who read
 * why a client failed, and for writing down how one behaves. Pure arithmetic.
 *
 * Policies without jitter are fitted by least squares, each with and without a cap; when none of
 * them comes near, those with jitter by how likely they make the waits. Simple ones are preferred:
 * each further figure has to pay for itself. Times are rounded as people choose them, as far as the
 * waits allow.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_FIT_H
#define SYNFAULT_RUNNER_JUDGE_FIT_H

#include "runner/scenario/policy.h"

/* The successive waits (or intervals) of one client, from the first on. */
struct fit_sequence {
	const int64_t *waits_ns; /* borrowed; negative ones count as 0 */
	size_t n_waits;
};

struct fit {
	bool found;           /* else there is no pattern, and the policy means nothing */
	struct policy policy; /* fixed, linear or exponential; owns nothing */
	/*
	 * How far the waits are from it: for a policy without jitter the root mean square of the
	 * misses, each relative to 5 ms + 2 % of the wait; with jitter the largest distance between
	 * the waits' distribution and the policy's (0 to 1).
	 */
	double misfit;
	char *text; /* owned: "exponential, base 500 ms, factor 2, no cap", "no pattern" */
};

/* Fits all sequences by one policy. With fewer than two waits in all, it finds nothing. */
struct fit fit_waits(const struct fit_sequence *sequences, size_t n_sequences);
void fit_free(struct fit *fit);

#endif
