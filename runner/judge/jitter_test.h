/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the jitter real? Each wait lies in the band that its policy gives it; are the waits spread
 * evenly over their bands? A few waits can't show it, the waits of many clients can.
 *
 * There are two tests. A client whose jitter is right fails one of them with a probability of at
 * most SPREAD_ERROR, however its waits were delayed within the known bounds.
 *
 * - The first compares all waits, each as its place in its band, with the uniform distribution. It
 *   uses the inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (Annals of
 *   Probability 18, 1990), P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). Of the places that a wait may
 *   have had before it was delayed, it takes the one in the client's favour.
 * - The second compares the waits of all instances that have the same number. That n places all lie
 *   within a width w has the probability n w^(n-1) - (n-1) w^n, and a smaller one if delays are
 *   added. It finds clients that all draw the same numbers (because their seed is constant) if
 *   there are five instances or more.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_JITTER_TEST_H
#define SYNFAULT_RUNNER_JUDGE_JITTER_TEST_H

#include "common/util.h"

#define SPREAD_ERROR 1e-4

struct jitter_test_sample {
	size_t number; /* of the wait, from 1: compared across instances */
	double place;  /* in its band: 0 at its lower end, 1 at its upper */
	/* The places that it may have had without delays; earliest <= place <= latest. */
	double earliest, latest;
	bool alone; /* no other wait has this band: use it for the first test only */
};

struct jitter_test {
	bool wrong;
	size_t number;          /* of the waits that lie too close; 0: the first test failed */
	size_t n_waits;         /* how many waits show it */
	double width;           /* number > 0: the share of the band that they take up */
	double distance, limit; /* number 0: the largest distance from uniform, and the limit */
	bool low;               /* number 0: too many are short (otherwise: long) */
};

/** jitter_test() - test whether waits are spread evenly; sorts @samples, otherwise pure */
struct jitter_test jitter_test(struct jitter_test_sample *samples, size_t n_samples);

#endif
