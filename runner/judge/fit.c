/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fits policies to waits (see fit.h) in two stages. Without jitter, all waits with the
 * same number are averaged, and a model is a line through these averages. With jitter, a model says
 * how likely each wait is: waits are uniform in a band that grows from wait to wait. So only the
 * lowest and the highest wait, in units of the growth, determine base and spread.
 */
#include "runner/judge/fit.h"

#include <math.h>

/* Waits with higher numbers are ignored: by then every policy has reached its cap. */
#define MAX_NUMBERS 64
/* A policy without jitter comes close if its misfit is at most this (see struct fit). */
#define NEAR 1.5
/* How much each further parameter of a policy has to improve the fit. */
#define FIGURE_COST 2.0
#define MIN_FACTOR  1.03
#define MAX_FACTOR  10.0
/* Fewer waits than this can't show the kind of jitter. */
#define MIN_JITTER_SAMPLES 5
/* Jitter of more percent than this is "full". */
#define MAX_PERCENT 90
/* How much lateness may add to the distance from a uniform distribution. */
#define NOISE 0.03

struct sample {
	double wait, before; /* ns; before: the previous wait in its sequence; negative: none */
	size_t k;            /* from 0 */
};

struct waits {
	struct sample *samples;
	size_t n, capacity;
	size_t n_numbers; /* how many different values of k */
	double mean[MAX_NUMBERS], count[MAX_NUMBERS];
	double within; /* how much the spread among waits with the same number adds to any misfit */
};

/* A policy without jitter, in ns. */
struct model {
	enum policy_kind kind;
	double base, growth; /* growth: step or factor */
	double cap;          /* INFINITY: none */
	double cost;         /* misfit, and the price of the parameters */
};

/*
 * Returns how far off a wait may be: sleeping, connecting and noticing take time, and clocks drift.
 */
static double deviation(double wait)
{
	return 5e6 + 0.02 * wait;
}

static void gather(struct waits *waits, const struct fit_sequence *sequences, size_t n_sequences)
{
	for (size_t i = 0; i < n_sequences; i++) {
		double before = -1;

		for (size_t k = 0; k < sequences[i].n_waits && k < MAX_NUMBERS; k++) {
			struct sample sample = {.before = before, .k = k};

			sample.wait = (double)MAX(sequences[i].waits_ns[k], 0);
			before = sample.wait;
			array_append(waits->samples, waits->n, waits->capacity, sample);
			waits->mean[k] += sample.wait;
			waits->count[k]++;
			waits->n_numbers = MAX(waits->n_numbers, k + 1);
		}
	}
	for (size_t k = 0; k < waits->n_numbers; k++)
		waits->mean[k] /= waits->count[k];
	for (size_t i = 0; i < waits->n; i++) {
		double mean = waits->mean[waits->samples[i].k];
		double miss = (waits->samples[i].wait - mean) / deviation(mean);

		waits->within += miss * miss;
	}
}

static double model_wait(const struct model *model, size_t k)
{
	double wait = model->base;

	if (model->kind == POLICY_LINEAR)
		wait += model->growth * (double)k;
	else if (model->kind == POLICY_EXPONENTIAL)
		wait *= pow(model->growth, (double)k);
	return fmin(wait, model->cap);
}

/* Returns the sum of squared misses of waits [0, n). */
static double misses(const struct waits *waits, const struct model *model, size_t n)
{
	double sum = 0;

	for (size_t k = 0; k < n; k++) {
		double miss = (waits->mean[k] - model_wait(model, k)) / deviation(waits->mean[k]);

		sum += waits->count[k] * miss * miss;
	}
	return sum;
}

static double weight(const struct waits *waits, size_t k)
{
	double one = deviation(waits->mean[k]);

	return waits->count[k] / (one * one);
}

/* Returns the mean of waits [first, last). */
static double plateau(const struct waits *waits, size_t first, size_t last)
{
	double sum = 0, weights = 0;

	for (size_t k = first; k < last; k++) {
		sum += weight(waits, k) * waits->mean[k];
		weights += weight(waits, k);
	}
	return sum / weights;
}

/* The line through waits [0, n), n at least 2. */
static void fit_line(const struct waits *waits, size_t n, struct model *model)
{
	double s = 0, sk = 0, skk = 0, sy = 0, sky = 0;

	for (size_t k = 0; k < n; k++) {
		double w = weight(waits, k), x = (double)k;

		s += w;
		sk += w * x;
		skk += w * x * x;
		sy += w * waits->mean[k];
		sky += w * x * waits->mean[k];
	}
	model->growth = (s * sky - sk * sy) / (s * skk - sk * sk);
	model->base = (sy - model->growth * sk) / s;
}

static double misses_of_factor(const struct waits *waits, size_t n, double factor,
			       struct model *model)
{
	double up = 0, down = 0;

	for (size_t k = 0; k < n; k++) {
		double grown = pow(factor, (double)k), w = weight(waits, k);

		up += w * grown * waits->mean[k];
		down += w * grown * grown;
	}
	model->growth = factor;
	model->base = up / down;
	return misses(waits, model, n);
}

/* Finds the exponential through waits [0, n) by trying factors in ever smaller steps. */
static void fit_curve(const struct waits *waits, size_t n, struct model *model)
{
	double low = MIN_FACTOR, high = MAX_FACTOR, best = low;

	for (int round = 0; round < 4; round++) {
		double ratio = pow(high / low, 1.0 / 40), least = INFINITY;

		for (int i = 0; i <= 40; i++) {
			double factor = low * pow(ratio, i);
			double sum = misses_of_factor(waits, n, factor, model);

			if (sum < least) {
				least = sum;
				best = factor;
			}
		}
		low = fmax(best / ratio, MIN_FACTOR);
		high = fmin(best * ratio, MAX_FACTOR);
	}
	misses_of_factor(waits, n, best, model);
}

/*
 * Fits a growing policy: waits [0, growing) show its growth, the others, if any, its cap. Returns
 * whether there is one.
 */
static bool fit_growing(const struct waits *waits, enum policy_kind kind, size_t growing,
			struct model *ret)
{
	struct model model = {.kind = kind, .cap = INFINITY};
	double cap = INFINITY;
	int figures = 2;

	if (growing < waits->n_numbers) {
		cap = plateau(waits, growing, waits->n_numbers);
		figures++;
	}
	if (growing == 1) {
		/*
		 * The waits reach the cap at once. Most clients double; a line would need more
		 * waits.
		 */
		if (kind != POLICY_EXPONENTIAL || waits->mean[0] <= 0)
			return false;
		model.base = waits->mean[0];
		model.growth = fmax(2, ceil(cap / model.base - 0.1));
	} else if (kind == POLICY_LINEAR) {
		if (growing < 3)
			return false;
		fit_line(waits, growing, &model);
	} else {
		fit_curve(waits, growing, &model);
	}
	if (model.base < 0 || !(model.growth > 0))
		return false;
	if (kind == POLICY_LINEAR && model.growth * (double)(growing - 1) < 0.05 * model.base)
		return false; /* as good as fixed */
	/* A cap shortens waits that would have been longer, and is above the waits before. */
	if (growing < waits->n_numbers && (model_wait(&model, growing) < cap - deviation(cap) ||
					   model_wait(&model, growing - 1) > cap + deviation(cap) ||
					   cap < model.base + deviation(cap)))
		return false;
	model.cap = cap;
	model.cost = misses(waits, &model, waits->n_numbers) + FIGURE_COST * figures;
	*ret = model;
	return true;
}

static struct model fit_without_jitter(const struct waits *waits)
{
	static const enum policy_kind kinds[] = {POLICY_EXPONENTIAL, POLICY_LINEAR};
	struct model best = {.kind = POLICY_FIXED, .cap = INFINITY}, model;

	best.base = plateau(waits, 0, waits->n_numbers);
	best.cost = misses(waits, &best, waits->n_numbers) + FIGURE_COST;
	/* Any two waits fit both a line and a curve. */
	if (waits->n_numbers < 3)
		return best;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t growing = waits->n_numbers; growing >= 1; growing--)
			if (fit_growing(waits, kinds[i], growing, &model) && model.cost < best.cost)
				best = model;
	return best;
}

/* Finds the roundest number within @slack of @value: the one that a person would have written. */
static double round_number(double value, double slack, double finest)
{
	static const double parts[] = {1, 0.5, 0.25, 0.1, 0.05, 0.025, 0.01};
	double decade = pow(10, floor(log10(value)));

	if (!(value > 0))
		return 0;
	if (slack >= value)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		double unit = decade * parts[i], rounded = round(value / unit) * unit;

		if (unit >= finest && rounded > 0 && fabs(rounded - value) <= slack)
			return rounded;
	}
	return round(value / finest) * finest;
}

static int64_t round_time(double ns)
{
	return (int64_t)round_number(ns, 0.75 * deviation(ns), (double)NS_PER_MS);
}

static double root_mean_square(const struct waits *waits, const struct model *model)
{
	return sqrt((misses(waits, model, waits->n_numbers) + waits->within) / (double)waits->n);
}

static struct policy policy_of(const struct model *model)
{
	struct policy policy = policy_plain(model->kind, round_time(model->base));

	if (model->kind == POLICY_LINEAR)
		policy.step_ns = round_time(model->growth);
	else if (model->kind == POLICY_EXPONENTIAL)
		policy.factor = round_number(model->growth, 0.02 * model->growth, 0.01);
	if (model->cap < INFINITY)
		policy.cap_ns = MAX(round_time(model->cap), policy.base_ns);
	return policy;
}

/* ---- With jitter ---- */

/* A band that grows from wait to wait. */
struct band {
	enum policy_kind kind;
	double factor;
	size_t growing; /* the first wait that is capped; MAX_NUMBERS: none is */
	double limit;   /* the growth at the cap */
	enum jitter_kind jitter;
	double base, percent;
	double cost;
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

static void band_edges(const struct band *band, const struct sample *sample, double *ret_low,
		       double *ret_high)
{
	double growth = band_growth(band, sample->k), wait = band->base * growth;
	double share = band->percent / 100;

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
	}
}

/* Returns twice the negative log-likelihood of the waits, plus the price of the parameters. */
static double band_cost(const struct waits *waits, const struct band *band)
{
	double cost = 0, figures = 1;

	for (size_t i = 0; i < waits->n; i++) {
		const struct sample *sample = &waits->samples[i];
		double low, high;

		band_edges(band, sample, &low, &high);
		if (sample->wait < low - deviation(low) || sample->wait > high + deviation(high))
			return INFINITY;
		cost += 2 * log(fmax(high - low, deviation(sample->wait)));
	}
	figures += band->kind == POLICY_EXPONENTIAL && band->jitter != JITTER_DECORRELATED;
	figures += band->limit < INFINITY;
	figures += band->jitter == JITTER_PERCENT;
	return cost + figures * 1.5 * log((double)waits->n);
}

/* Tries each kind of jitter that a growing band can have. */
static void try_growth(const struct waits *waits, struct band band, struct band *best)
{
	double low = INFINITY, high = 0, n = (double)waits->n;
	bool equal = false;

	for (size_t i = 0; i < waits->n; i++) {
		double unit = waits->samples[i].wait / band_growth(&band, waits->samples[i].k);

		low = fmin(low, unit);
		high = fmax(high, unit);
	}
	for (enum jitter_kind jitter = JITTER_FULL; jitter <= JITTER_PERCENT; jitter++) {
		double spread = (high - low) * (n + 1) / (n - 1), middle = (high + low) / 2;

		band.jitter = jitter;
		band.percent = 0;
		band.base = high * (n + 1) / n;
		if (jitter == JITTER_EQUAL)
			band.base = fmin(high * (1 + 0.5 / n), 2 * low);
		if (jitter == JITTER_PERCENT) {
			band.base = middle;
			band.percent = 50 * spread / middle;
			/* Percentages close to full or equal jitter count as these. */
			if (!(band.percent <= MAX_PERCENT) ||
			    (equal && fabs(band.percent - 100.0 / 3) < 4))
				continue;
		}
		band.cost = band_cost(waits, &band);
		equal |= jitter == JITTER_EQUAL && band.cost < INFINITY;
		if (band.cost < best->cost)
			*best = band;
	}
}

static void try_decorrelated(const struct waits *waits, struct band *best)
{
	struct band band = {.kind = POLICY_EXPONENTIAL,
			    .factor = 3,
			    .growing = MAX_NUMBERS,
			    .limit = INFINITY,
			    .jitter = JITTER_DECORRELATED,
			    .base = INFINITY};
	double high = 0;
	size_t at_cap = 0;

	for (size_t i = 0; i < waits->n; i++) {
		band.base = fmin(band.base, waits->samples[i].wait);
		high = fmax(high, waits->samples[i].wait);
	}
	for (size_t i = 0; i < waits->n; i++)
		at_cap += waits->samples[i].wait > high - deviation(high);
	if (at_cap * 10 > waits->n && band.base > 0)
		band.limit = high / band.base;
	/* With such a low cap all waits have the same band. */
	if (band.limit < band.factor)
		return;
	band.cost = band_cost(waits, &band);
	if (band.cost < best->cost)
		*best = band;
}

static void try_caps(const struct waits *waits, struct band band, struct band *best)
{
	band.growing = MAX_NUMBERS;
	band.limit = INFINITY;
	try_growth(waits, band, best);
	for (size_t growing = 1; growing < waits->n_numbers; growing++) {
		double from, to;

		band.limit = INFINITY;
		from = band_growth(&band, growing - 1);
		to = band_growth(&band, growing);
		for (int i = 1; i <= 4; i++) {
			band.growing = growing;
			band.limit = from + (to - from) * i / 4;
			try_growth(waits, band, best);
		}
	}
}

static struct band fit_with_jitter(const struct waits *waits)
{
	static const double factors[] = {1.5, 1.6, 2, 2.5, 3, 4};
	struct band best = {.cost = INFINITY};

	try_growth(waits, (struct band){.kind = POLICY_FIXED, .factor = 1, .limit = INFINITY},
		   &best);
	for (size_t i = 0; i < ARRAY_SIZE(factors); i++)
		try_caps(waits, (struct band){.kind = POLICY_EXPONENTIAL, .factor = factors[i]},
			 &best);
	try_caps(waits, (struct band){.kind = POLICY_LINEAR, .factor = 1}, &best);
	try_decorrelated(waits, &best);
	return best;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * Returns the largest distance between the waits' places in their bands and a uniform distribution.
 */
static double distance(const struct waits *waits, const struct band *band)
{
	AUTO_FREE double *places = xmalloc(waits->n * sizeof(*places));
	double largest = 0, n = (double)waits->n;

	for (size_t i = 0; i < waits->n; i++) {
		double low, high;

		band_edges(band, &waits->samples[i], &low, &high);
		places[i] = high > low ? (waits->samples[i].wait - low) / (high - low) : 0;
	}
	qsort(places, waits->n, sizeof(*places), compare_doubles);
	for (size_t i = 0; i < waits->n; i++) {
		double place = fmin(fmax(places[i], 0), 1);

		largest = fmax(largest, fmax(place - (double)i / n, (double)(i + 1) / n - place));
	}
	return largest;
}

static struct policy policy_of_band(const struct band *band)
{
	struct policy policy = policy_plain(band->kind, round_time(band->base));

	policy.factor = band->factor;
	policy.jitter = band->jitter;
	if (band->kind == POLICY_LINEAR)
		policy.step_ns = policy.base_ns;
	if (band->limit < INFINITY && band->kind != POLICY_FIXED)
		policy.cap_ns = MAX(round_time(band->base * band->limit), policy.base_ns);
	if (band->jitter == JITTER_PERCENT)
		policy.jitter_percent = fmin(fmax(round(band->percent), 1), 100);
	return policy;
}

/* ---- */

static void find(const struct waits *waits, struct fit *fit)
{
	struct model model;
	struct band band;
	double n = (double)waits->n;

	if (waits->n < 2)
		return;
	model = fit_without_jitter(waits);
	fit->misfit = root_mean_square(waits, &model);
	if (fit->misfit <= NEAR) {
		fit->policy = policy_of(&model);
		fit->found = true;
		return;
	}
	if (waits->n < MIN_JITTER_SAMPLES)
		return;
	band = fit_with_jitter(waits);
	if (!(band.cost < INFINITY))
		return;
	fit->misfit = distance(waits, &band);
	/* At most 1 in 50 correct fits exceeds this (Dvoretzky et al.; Massart 1990). */
	fit->found = fit->misfit <= sqrt(log(100) / (2 * n)) + NOISE;
	fit->policy = policy_of_band(&band);
}

struct fit fit_waits(const struct fit_sequence *sequences, size_t n_sequences)
{
	struct waits waits = {0};
	struct strbuf text = {0};
	struct fit fit = {0};

	gather(&waits, sequences, n_sequences);
	find(&waits, &fit);
	if (fit.found && fit.policy.kind == POLICY_FIXED && fit.policy.base_ns == 0)
		strbuf_puts(&text, "no wait at all");
	else if (fit.found)
		policy_describe(&fit.policy, &text);
	else if (waits.n < 3)
		strbuf_puts(&text, "too few waits to tell");
	else
		strbuf_puts(&text, "no pattern");
	fit.text = strbuf_steal(&text);
	free(waits.samples);
	return fit;
}

void fit_free(struct fit *fit)
{
	free(fit->text);
	fit->text = NULL;
}
