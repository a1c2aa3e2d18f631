/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Candidates with jitter: see fit_jitter.h.
 *
 * A wait lies in a band that grows from wait to wait. Only the lowest and the highest wait, in
 * units of the growth, determine base and spread.
 */
#include "runner/judge/fit_jitter.h"

#include <math.h>

#include "common/duration.h"

/* Fewer waits than the first can't show jitter; fewer than the others don't tell its kinds apart.
 */
enum { MIN_SAMPLES = 5, MIN_NAMED_SAMPLES = 20, MIN_DECORRELATED_SAMPLES = 30 };
/* Shorter waits than this may be the client's own work, which varies. */
#define MIN_JITTER_NS 50e6
/* Jitter of more percent than this is "full". */
#define MAX_PERCENT 90
#define MIN_PERCENT 5
/* A larger additive jitter, in units of the base, hides how the base grows. */
#define MAX_PLUS 5
/* The price of a parameter, times the logarithm of the number of waits. */
#define PRICE_OF_N 1.5

/* A band that grows from wait to wait. */
struct band {
	enum policy_kind kind;
	double factor;
	double limit; /* the growth at the cap */
	enum jitter_kind jitter;
	double base, percent, plus;
	double price;
};

static double band_growth(const struct band *band, size_t k)
{
	double growth = 1;

	if (band->kind == POLICY_EXPONENTIAL)
		growth = pow(band->factor, (double)k);
	else if (band->kind == POLICY_LINEAR)
		growth = 1 + (double)k;
	return fmin(growth, band->limit);
}

static void band_edges(const struct band *band, const struct fit_sample *sample, double growth,
		       double *ret_low, double *ret_high)
{
	double wait = band->base * growth, share = band->percent / 100;

	*ret_low = 0;
	*ret_high = wait;
	if (band->jitter == JITTER_DECORRELATED) {
		*ret_low = band->base;
		*ret_high = fmin(3 * (sample->before < 0 ? band->base : sample->before),
				 band->limit * band->base);
	} else if (band->jitter == JITTER_EQUAL) {
		*ret_low = wait / 2;
	} else if (band->jitter == JITTER_PERCENT) {
		*ret_low = wait * (1 - share);
		*ret_high = wait * (1 + share);
	} else if (band->jitter == JITTER_PLUS) {
		*ret_low = wait;
		*ret_high = wait + band->plus;
	}
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return COMPARE(x, y);
}

/* The largest distance between the waits' places in their bands and a uniform distribution. */
static double distance(const struct fit_view *view, const struct band *band)
{
	AUTO_FREE double *places = xmalloc((view->n + 1) * sizeof(*places));
	double largest = 0, n = (double)view->n;

	for (size_t i = 0; i < view->n; i++) {
		double low, high;

		band_edges(band, &view->samples[i], band_growth(band, view->samples[i].k), &low,
			   &high);
		places[i] = high > low ? (view->samples[i].wait - low) / (high - low) : 0;
	}
	qsort(places, view->n, sizeof(*places), compare_doubles);
	for (size_t i = 0; i < view->n; i++) {
		double place = fmin(fmax(places[i], 0), 1);

		largest = fmax(largest, fmax(place - (double)i / n, (double)(i + 1) / n - place));
	}
	return largest;
}

static struct policy policy_of_band(const struct band *band)
{
	double slack = fmin(0.75 * (5e6 + 0.02 * band->base), band->base / 4);
	struct fit_number base = fit_round_number(band->base - slack, band->base + slack);
	struct policy policy = policy_plain(band->kind, (int64_t)base.value);

	policy.factor = band->factor;
	policy.jitter = band->jitter;
	if (band->kind == POLICY_LINEAR)
		policy.step_ns = policy.base_ns;
	if (band->limit < INFINITY && band->kind != POLICY_FIXED) {
		double cap = band->base * band->limit;

		slack = 0.75 * (5e6 + 0.02 * cap);
		policy.cap_ns = MAX((int64_t)fit_round_number(cap - slack, cap + slack).value,
				    policy.base_ns);
	}
	if (band->jitter == JITTER_PERCENT)
		policy.jitter_percent = fmin(fmax(round(band->percent), 1), 100);
	if (band->jitter == JITTER_PLUS)
		policy.jitter_plus_ns = MAX((int64_t)band->plus, (int64_t)1);
	return policy;
}

/* Adds the band if all waits lie in it. @growths: by position. */
static void add_band(const struct fit_view *view, const struct band *band, const double *growths,
		     struct fit_candidate *best)
{
	struct fit_candidate candidate = {.cost = FIT_PRICE_JITTER + band->price};
	double figures = 1;

	for (size_t i = 0; i < view->n; i++) {
		const struct fit_sample *sample = &view->samples[i];
		double low, high, width = fit_width(sample->wait, sample->lag);

		band_edges(band, sample, growths[sample->k], &low, &high);
		if (sample->wait < low - width / 2 || sample->wait > high + width / 2)
			return;
		candidate.cost += 2 * log(fmax(high - low, width));
	}
	figures += band->limit < INFINITY;
	figures += 0.5 * (band->jitter == JITTER_PERCENT || band->jitter == JITTER_PLUS);
	candidate.cost += 6 * figures + figures * PRICE_OF_N * log((double)view->n);
	if (band->kind == POLICY_EXPONENTIAL && band->jitter != JITTER_DECORRELATED)
		candidate.cost += fit_factor_price(band->factor);
	if (band->kind == POLICY_LINEAR)
		candidate.cost += FIT_PRICE_LINEAR;
	if (candidate.cost >= best->cost)
		return;
	candidate.policy = policy_of_band(band);
	candidate.misfit = distance(view, band);
	candidate.unlikely = candidate.misfit > sqrt(log(100) / (2 * (double)view->n)) + 0.03 ||
			     band->plus > MAX_PLUS * band->base;
	candidate.vague = view->n < MIN_NAMED_SAMPLES || candidate.unlikely;
	*best = candidate;
}

/* The lowest and the highest wait in units of the growth. */
struct extremes {
	double low, high;
};

/* Tries an additive jitter: the base is a round number that leaves the least to it. */
static void try_plus(const struct fit_view *view, struct band band, const double *growths,
		     struct extremes extremes, struct fit_candidate *best)
{
	double slack = fit_width(extremes.low, 0) / 2, longest = 0, top;

	for (size_t i = 0; i < view->n; i++)
		longest = fmax(longest, view->samples[i].wait);
	band.jitter = JITTER_PLUS;
	band.percent = 0;
	top = extremes.low + slack;
	while (top > fmax(extremes.low / 3, (double)NS_PER_MS)) {
		struct fit_number base = fit_round_number(0.9 * top, top), plus;
		double most = 0;

		band.base = base.value;
		for (size_t i = 0; i < view->n; i++)
			most = fmax(most, view->samples[i].wait -
						  band.base * growths[view->samples[i].k]);
		plus = fit_round_number(most * 0.98, most * (1 + 1.5 / (double)view->n));
		band.plus = plus.value;
		top *= 0.9;
		/* Less than that is noise. */
		if (band.plus < MIN_JITTER_NS || band.plus < 1.5 * fit_width(longest, 0) ||
		    band.base < NS_PER_MS)
			continue;
		band.price = (base.price > 8.2) + (plus.price > 8.2);
		add_band(view, &band, growths, best);
	}
	band.price = 0;
}

/* Tries each kind of jitter that a growing band can have. @whole: the cap is one of its waits. */
static void try_growth(const struct fit_view *view, struct band band, bool whole,
		       struct fit_candidate best[JITTER_N_KINDS])
{
	struct extremes extremes = {INFINITY, 0};
	double n = (double)view->n, growths[FIT_MAX_POSITIONS];

	for (size_t k = 0; k < view->n_positions; k++)
		growths[k] = band_growth(&band, k);
	for (size_t i = 0; i < view->n; i++) {
		double unit = view->samples[i].wait / growths[view->samples[i].k];

		extremes.low = fmin(extremes.low, unit);
		extremes.high = fmax(extremes.high, unit);
	}
	for (enum jitter_kind jitter = JITTER_FULL; jitter <= JITTER_PERCENT; jitter++) {
		double spread = (extremes.high - extremes.low) * (n + 1) / (n - 1);
		double middle = (extremes.high + extremes.low) / 2;

		band.jitter = jitter;
		band.percent = 0;
		band.base = extremes.high * (n + 1) / n;
		if (jitter == JITTER_EQUAL)
			band.base = fmin(extremes.high * (1 + 0.5 / n), 2 * extremes.low);
		if (jitter == JITTER_PERCENT) {
			band.base = middle;
			band.percent = 50 * spread / middle;
			if (!(band.percent <= MAX_PERCENT && band.percent >= MIN_PERCENT))
				continue;
			/* Percentages close to equal jitter count as that. */
			if (best[JITTER_EQUAL].cost < INFINITY &&
			    fabs(band.percent - 100.0 / 3) < 4)
				continue;
		}
		add_band(view, &band, growths, &best[jitter]);
	}
	if (whole)
		try_plus(view, band, growths, extremes, &best[JITTER_PLUS]);
}

static void try_decorrelated(const struct fit_view *view, struct fit_candidate *best)
{
	struct band band = {.kind = POLICY_EXPONENTIAL,
			    .factor = 3,
			    .limit = INFINITY,
			    .jitter = JITTER_DECORRELATED,
			    .base = INFINITY};
	const double growths[FIT_MAX_POSITIONS] = {0};
	double high = 0;
	size_t at_cap = 0;

	for (size_t i = 0; i < view->n; i++) {
		band.base = fmin(band.base, view->samples[i].wait);
		high = fmax(high, view->samples[i].wait);
	}
	for (size_t i = 0; i < view->n; i++)
		at_cap += view->samples[i].wait > high - fit_width(high, 0) / 2;
	if (at_cap * 10 > view->n && at_cap >= FIT_MIN_FLATTENED && band.base > 0)
		band.limit = high / band.base;
	/* With such a low cap all waits have the same band. */
	if (band.limit < band.factor)
		return;
	add_band(view, &band, growths, best);
	/* The base is the lowest of many waits, or something above it. */
	best->vague |= view->n < MIN_DECORRELATED_SAMPLES;
}

/* Adds the best candidate of each kind of jitter that grows like this. */
static void add_jittered(const struct fit_view *view, struct band band, struct fit_candidates *list)
{
	struct fit_candidate best[JITTER_N_KINDS];

	for (size_t i = 0; i < JITTER_N_KINDS; i++)
		best[i].cost = INFINITY;
	band.limit = INFINITY;
	try_growth(view, band, true, best);
	for (size_t growing = 1;
	     band.kind != POLICY_FIXED && growing + FIT_MIN_FLATTENED <= view->n_positions;
	     growing++) {
		double from, to;

		band.limit = INFINITY;
		from = band_growth(&band, growing - 1);
		to = band_growth(&band, growing);
		for (int i = 1; i <= 4; i++) {
			band.limit = from + (to - from) * i / 4;
			try_growth(view, band, i == 4, best);
		}
	}
	for (size_t i = 0; i < JITTER_N_KINDS; i++)
		if (best[i].cost < INFINITY)
			fit_candidates_add(list, view, best[i]);
}

void fit_jitter_add(const struct fit_view *view, struct fit_candidates *list)
{
	static const double grown_by[] = {1.5, 1.6, 2, 2.5, 3, 4};
	struct fit_candidate decorrelated = {.cost = INFINITY};
	double high = 0;

	for (size_t i = 0; i < view->n; i++)
		high = fmax(high, view->samples[i].wait);
	if (view->n < MIN_SAMPLES || high < MIN_JITTER_NS)
		return;
	add_jittered(view, (struct band){.kind = POLICY_FIXED, .factor = 1}, list);
	for (size_t i = 0; i < ARRAY_SIZE(grown_by); i++)
		add_jittered(view, (struct band){.kind = POLICY_EXPONENTIAL, .factor = grown_by[i]},
			     list);
	add_jittered(view, (struct band){.kind = POLICY_LINEAR, .factor = 1}, list);
	try_decorrelated(view, &decorrelated);
	if (decorrelated.cost < INFINITY)
		fit_candidates_add(list, view, decorrelated);
}
