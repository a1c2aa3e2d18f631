/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jitter that isn't: are waits, each in the band that its policy gives it, spread as a uniform
 * distribution spreads them? Single waits can't tell, many clients can.
 *
 * Two tests, which share an error of SPREAD_ERROR: a client whose jitter is right is blamed at most
 * that often, however its waits are delayed within what is allowed for.
 *
 * - All waits together, each as its place in its band, against the uniform distribution: the
 *   inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (Annals of Probability
 *   18, 1990), P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). Of the places that a wait can have had
 *   before it was delayed the one is taken that speaks for the client.
 * - The waits with the same number of all instances: that n places all lie within a width w has the
 *   probability n w^(n-1) - (n-1) w^n, and a smaller one when something is added to them. It finds
 *   clients that draw the same numbers (a seed that is always the same), with five instances or
 * more.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_JITTER_TEST_H
#define SYNFAULT_RUNNER_JUDGE_JITTER_TEST_H

#include "common/util.h"

#define SPREAD_ERROR 1e-4

struct jitter_test_sample {
	size_t number; /* of the wait, from 1: those of all instances are compared */
	double place;  /* in its band: 0 at its lower end, 1 at its upper */
	/* The places that it may have had; earliest <= place <= latest. */
	double earliest, latest;
	bool alone; /* bands of the same number differ: only for the first test */
};

struct jitter_test {
	bool wrong;
	size_t number;          /* of the waits that lie too close; 0: it is all of them */
	size_t n_waits;         /* that show it */
	double width;           /* number > 0: of the band, that they take */
	double distance, limit; /* number 0: the largest distance from uniform, and the limit */
	bool low;               /* number 0: too many are short (else: long) */
};

/* Sorts the samples. Pure. */
struct jitter_test jitter_test(struct jitter_test_sample *samples, size_t n_samples);

#endif
