/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies that can have produced given waits, each with its cost: see fit.h.
 *
 * A cost is twice the negative logarithm of a probability, up to a constant that is the same for
 * all candidates: differences of costs are ratios of probabilities.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_FIT_CANDIDATES_H
#define SYNFAULT_RUNNER_JUDGE_FIT_CANDIDATES_H

#include "runner/scenario/policy.h"

/* Waits with higher numbers are ignored: by then every policy has reached its cap. */
enum { FIT_MAX_POSITIONS = 64 };

/* All times are in ns. */
struct fit_sample {
	double wait, before; /* before: the wait before it in its sequence, negative: none */
	double lag;
	size_t k; /* position, from 0 */
};

/*
 * One way to look at the waits, that is, what remains of them after those that are next to nothing,
 * because the first retry comes at once or attempts come in rounds.
 */
struct fit_view {
	struct fit_sample *samples;
	size_t n, capacity;
	size_t n_positions; /* how many different values of k */
	/* Between which values a wait without jitter lies, by position; low > high: it has none. */
	double low[FIT_MAX_POSITIONS], high[FIT_MAX_POSITIONS];
	double cost; /* of looking this way, and of the waits that were left out */

	bool first_at_once, resets;
	size_t round; /* attempts in a round; 1: there are no rounds */
	bool twice;   /* each wait comes twice */
	bool by_address;
};

struct fit_candidate {
	struct policy policy;
	double cost, misfit; /* see struct fit */
	size_t round;
	/* It fits, but the waits can't identify it: too little shows its growth or its cap. */
	bool vague;
	/* All waits lie in its bands, but elsewhere than draws do, or its jitter hides its base. */
	bool unlikely;
	bool twice, expressible;
};

struct fit_candidates {
	struct fit_candidate *items;
	size_t n_items, capacity;
};

/* A value that a person may have chosen, and its price. */
struct fit_number {
	double value, price;
};

/* Factors that people choose. */
extern const struct fit_number fit_factors[];
extern const size_t n_fit_factors;

/* Prices of what a policy has beside its base. */
#define FIT_PRICE_LINEAR 2
#define FIT_PRICE_CAP    2
#define FIT_PRICE_JITTER 2
/* The price of a value that is not round. */
#define FIT_PRICE_ODD 17

/* How late a wait without jitter may be, apart from a share of it, in ns. */
#define FIT_LATE_NS 12e6
/* How early one may be. */
#define FIT_EARLY_NS 3e6
/* How many waits a cap must have shortened: a single one may be chance. */
enum { FIT_MIN_FLATTENED = 2 };

/** fit_width() - return how wide the values lie that a wait without jitter can take */
double fit_width(double wait, double lag);
/** fit_is_nothing() - return whether a wait is as short as none at all */
bool fit_is_nothing(double wait);
/** fit_view_add() - add a wait to the view */
void fit_view_add(struct fit_view *view, struct fit_sample sample);

/** fit_round_number() - return the roundest number from @low to @high, in ns, with its price */
struct fit_number fit_round_number(double low, double high);
/** fit_factor_price() - return the price of the factor of an exponential policy */
double fit_factor_price(double factor);

/** fit_candidates_add() - add a candidate, with what the view says about its policy and its cost */
void fit_candidates_add(struct fit_candidates *list, const struct fit_view *view,
			struct fit_candidate candidate);

#endif
