/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which policy do these waits show? This is judgement in reverse: it helps users see why a client
 * failed, and describes how a client behaves. Pure arithmetic.
 *
 * A policy is named only if the waits identify it. Each policy that can have produced them has a
 * cost: how improbable it makes the waits, and the price of its parameters, which is lower for
 * values that people choose. The cheapest one is named if every policy that differs from it is
 * improbable by comparison; otherwise the text says which ones fit. Waits with the same number in
 * several sequences are samples of the same wait: they show how much it varies, but not how the
 * waits grow.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_FIT_H
#define SYNFAULT_RUNNER_JUDGE_FIT_H

#include "runner/scenario/policy.h"

/* The successive waits (or attempt delays) of one client, starting with the first. */
struct fit_sequence {
	const int64_t *waits_ns; /* borrowed; negative ones count as 0 */
	size_t n_waits;
	const bool *anew; /* borrowed; by wait: it follows a success. NULL: none does */
	const int64_t
		*lags_ns;   /* borrowed; by wait: how much more than usual it may be off. NULL: 0 */
	size_t n_addresses; /* that the client tries in turn; 0: one */
};

struct fit {
	bool found; /* the waits identify the policy */
	/*
	 * "backoff" or "attempt-delay" can express the policy. The others, such as pairs of
	 * attempts at one address, or bases that differ from sequence to sequence, are only
	 * described.
	 */
	bool expressible;
	struct policy policy; /* fixed, linear or exponential; owns nothing */
	/*
	 * How far the waits are from the policy. Without jitter: the root mean square of the
	 * misses, each relative to 5 ms + 2 % of the wait. With jitter: the largest distance
	 * between the waits' distribution and the policy's (0 to 1).
	 */
	double misfit;
	size_t n_fitting; /* if not found: how many families of policies fit */
	/*
	 * Owned: "exponential, base 500 ms, factor 2, no cap seen", "maybe exponential or
	 * linear (3 waits)", "no policy identified", "no pattern", "too few waits to tell",
	 * "no wait at all"
	 */
	char *text;
};

/**
 * fit_waits() - find the policy that all sequences show
 *
 * Return: free it with fit_free().
 */
struct fit fit_waits(const struct fit_sequence *sequences, size_t n_sequences);
void fit_free(struct fit *fit);

#endif
