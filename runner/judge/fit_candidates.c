/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all candidates for a fit have in common: see fit_candidates.h. */
#include "runner/judge/fit_candidates.h"

#include <math.h>

#include "common/duration.h"

/* What else a wait may be late or early: a share of it. */
#define LATE_RELATIVE  0.02
#define EARLY_RELATIVE 0.015

/* The price of a factor is lower the more people choose it. */
const struct fit_number fit_factors[] = {
	{2, 1.4},  {1.5, 3.2}, {3, 3.2}, {1.6, 6}, {1.25, 6}, {1.2, 6}, {1.3, 6}, {1.7, 6},
	{1.75, 6}, {1.8, 6},   {2.5, 6}, {4, 6},   {5, 6},    {6, 8},   {8, 8},   {10, 6},
};
const size_t n_fit_factors = ARRAY_SIZE(fit_factors);

double fit_width(double wait, double lag)
{
	return FIT_LATE_NS + FIT_EARLY_NS + (LATE_RELATIVE + EARLY_RELATIVE) * wait + lag;
}

bool fit_is_nothing(double wait)
{
	return wait <= FIT_LATE_NS;
}

void fit_view_add(struct fit_view *view, struct fit_sample sample)
{
	double low = (sample.wait - FIT_LATE_NS - sample.lag) / (1 + LATE_RELATIVE);
	double high = (sample.wait + FIT_EARLY_NS + sample.lag) / (1 - EARLY_RELATIVE);
	size_t k = sample.k;

	if (k >= FIT_MAX_POSITIONS)
		return;
	for (; view->n_positions <= k; view->n_positions++) {
		view->low[view->n_positions] = 0;
		view->high[view->n_positions] = INFINITY;
	}
	view->low[k] = fmax(view->low[k], low);
	view->high[k] = fmin(view->high[k], high);
	array_append(view->samples, view->n, view->capacity, sample);
}

/* ---- values that people choose ---- */

/* Finds the roundest number in an interval, in ns. */
struct fit_number fit_round_number(double low, double high)
{
	static const struct {
		double parts[8];
		double price;
	} levels[] = {
		{{1, 2, 5}, 6},
		{{1.5, 2.5, 3, 4, 6, 7.5, 8, 1.2}, 8.2},
	};
	static const double tens[] = {0.1, 1, 10};
	double middle = (low + high) / 2, decade, unit;

	if (!(middle > 0))
		return (struct fit_number){0, 6};
	decade = pow(10, floor(log10(middle)));
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		for (size_t k = 0; k < ARRAY_SIZE(levels[i].parts); k++)
			for (size_t t = 0; t < ARRAY_SIZE(tens); t++) {
				double value = levels[i].parts[k] * decade * tens[t];

				if (value >= low && value <= high && value > 0)
					return (struct fit_number){round(value), levels[i].price};
			}
	unit = decade;
	while (unit >= NS_PER_MS) {
		double value = round(middle / unit) * unit;

		if (value >= low && value <= high)
			return (struct fit_number){value, unit < decade / 20 ? FIT_PRICE_ODD : 12};
		unit /= 10;
	}
	return (struct fit_number){round(middle / NS_PER_MS) * NS_PER_MS, FIT_PRICE_ODD};
}

double fit_factor_price(double factor)
{
	for (size_t i = 0; i < n_fit_factors; i++)
		if (fabs(factor - fit_factors[i].value) < 1e-9)
			return fit_factors[i].price;
	return FIT_PRICE_ODD;
}

void fit_candidates_add(struct fit_candidates *list, const struct fit_view *view,
			struct fit_candidate candidate)
{
	candidate.policy.first_at_once = view->first_at_once;
	candidate.policy.resets_on_success = view->resets;
	candidate.policy.per_round = view->round > 1 && view->by_address;
	candidate.round = view->round;
	candidate.twice = view->twice;
	candidate.expressible = !view->twice && (view->round == 1 || view->by_address);
	candidate.cost += view->cost;
	array_append(list->items, list->n_items, list->capacity, candidate);
}
