/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Candidates without jitter: see fit_plain.h.
 *
 * Each wait leaves an interval for the value that the client meant by it: it may be late, and
 * clocks differ a little. A policy fits if its values lie in all of these intervals, so its
 * parameters have intervals, too.
 */
#include "runner/judge/fit_plain.h"

#include <math.h>

#include "common/duration.h"

/* Slower growth than this is taken for none. */
#define MIN_FACTOR 1.1
#define MAX_FACTOR 10.0
#define MIN_STEP   0.1 /* of the base */

static double wait_at(const struct policy *policy, size_t k)
{
	double wait = (double)policy->base_ns;

	if (policy->kind == POLICY_LINEAR)
		wait += (double)policy->step_ns * (double)k;
	else if (policy->kind == POLICY_EXPONENTIAL)
		wait *= pow(policy->factor, (double)k);
	return wait;
}

static double root_mean_square(const struct fit_view *view, const struct policy *policy)
{
	double sum = 0;

	for (size_t i = 0; i < view->n; i++) {
		double wait = fmin(wait_at(policy, view->samples[i].k), (double)policy->cap_ns);
		double miss = (view->samples[i].wait - wait) / (5e6 + 0.02 * view->samples[i].wait);

		sum += miss * miss;
	}
	return view->n > 0 ? sqrt(sum / (double)view->n) : 0;
}

/* What waits without jitter cost, whichever policy they follow. */
static double plain_cost(const struct fit_view *view)
{
	double cost = 0;

	for (size_t i = 0; i < view->n; i++)
		cost += 2 * log(fit_width(view->samples[i].wait, view->samples[i].lag));
	return cost;
}

/* Returns how many waits the cap shortened. */
static size_t n_flattened(const struct fit_view *view, const struct policy *policy)
{
	size_t n = 0;

	for (size_t k = 0; k < view->n_positions; k++)
		n += wait_at(policy, k) > 1.05 * (double)policy->cap_ns + FIT_LATE_NS;
	return n;
}

/* A growing policy whose first waits, [0, growing), are below the cap, if it has one. */
struct growth {
	const struct fit_view *view;
	struct fit_candidates *list;
	double plain_cost;
	size_t growing;
	double cap_low, cap_high; /* if growing < view->n_positions */
};

static bool lies_in_view(const struct growth *growth, const struct policy *policy)
{
	for (size_t k = 0; k < growth->growing; k++)
		if (wait_at(policy, k) < growth->view->low[k] - NS_PER_MS ||
		    wait_at(policy, k) > growth->view->high[k] + NS_PER_MS)
			return false;
	return true;
}

/* Returns the price of the cap; INFINITY: there is none like this. */
static double find_cap(const struct growth *growth, struct policy *policy, bool *ret_vague)
{
	struct fit_number cap = fit_round_number(growth->cap_low, growth->cap_high);
	size_t flattened;

	policy->cap_ns = MAX((int64_t)cap.value, policy->base_ns);
	/* A cap shortens waits that would have been longer, and is above the waits before. */
	if (cap.value < (1 + MIN_STEP) * (double)policy->base_ns ||
	    wait_at(policy, growth->growing) < 0.98 * growth->cap_low ||
	    wait_at(policy, growth->growing - 1) > 1.02 * growth->cap_high)
		return INFINITY;
	flattened = n_flattened(growth->view, policy);
	*ret_vague = growth->growing < 2 || flattened < FIT_MIN_FLATTENED;
	/* A cap that shortened nothing is none. */
	return flattened == 0 && growth->growing > 1 ? INFINITY : FIT_PRICE_CAP + cap.price;
}

static void add_growing(const struct growth *growth, struct policy policy, double price)
{
	const struct fit_view *view = growth->view;
	bool vague = false;

	if (!lies_in_view(growth, &policy))
		return;
	if (growth->growing < view->n_positions)
		price += find_cap(growth, &policy, &vague);
	if (!(price < INFINITY))
		return;
	fit_candidates_add(growth->list, view,
			   (struct fit_candidate){
				   .policy = policy,
				   .cost = growth->plain_cost + price,
				   .misfit = root_mean_square(view, &policy),
				   .vague = vague,
			   });
}

/* Returns whether there is a base for this factor, and its bounds. */
static bool base_of_factor(const struct growth *growth, double factor, double *ret_low,
			   double *ret_high)
{
	double grown = 1, low = 0, high = INFINITY;

	for (size_t k = 0; k < growth->growing && low <= high; k++, grown *= factor) {
		low = fmax(low, growth->view->low[k] / grown);
		high = fmin(high, growth->view->high[k] / grown);
	}
	*ret_low = low;
	*ret_high = high;
	return low <= high;
}

static void add_factor(const struct growth *growth, double factor)
{
	struct policy policy = policy_plain(POLICY_EXPONENTIAL, 0);
	double low, high;
	struct fit_number base;

	if (!base_of_factor(growth, factor, &low, &high))
		return;
	base = fit_round_number(low, high);
	if (base.value <= 0)
		return;
	policy.base_ns = (int64_t)base.value;
	policy.factor = factor;
	add_growing(growth, policy, base.price + fit_factor_price(factor));
}

static void add_exponentials(const struct growth *growth)
{
	double low, high, first = 0, last = 0, factor = MIN_FACTOR;

	for (size_t i = 0; i < n_fit_factors; i++)
		add_factor(growth, fit_factors[i].value);
	if (growth->growing < 2)
		return;
	while (factor <= MAX_FACTOR) {
		if (base_of_factor(growth, factor, &low, &high)) {
			first = first > 0 ? first : factor;
			last = factor;
		}
		factor *= 1.005;
	}
	if (first <= 0)
		return;
	add_factor(growth, first);
	add_factor(growth, last);
	add_factor(growth, round(100 * sqrt(first * last)) / 100);
}

static void add_step(const struct growth *growth, double step, double price)
{
	struct policy policy = policy_plain(POLICY_LINEAR, 0);
	double low = 0, high = INFINITY;
	struct fit_number base;

	for (size_t k = 0; k < growth->growing; k++) {
		low = fmax(low, growth->view->low[k] - step * (double)k);
		high = fmin(high, growth->view->high[k] - step * (double)k);
	}
	if (!(low <= high))
		return;
	base = fit_round_number(low, high);
	/* From 0 it is another policy, which begins at once. */
	if (step < MIN_STEP * base.value || step <= 0 || fit_is_nothing(base.value))
		return;
	policy.base_ns = (int64_t)base.value;
	policy.step_ns = (int64_t)step;
	add_growing(growth, policy, FIT_PRICE_LINEAR + base.price + price);
}

static void add_linears(const struct growth *growth)
{
	double low = 0, high = INFINITY, equal_low = 0, equal_high = INFINITY;

	for (size_t k = 0; k < growth->growing; k++) {
		equal_low = fmax(equal_low, growth->view->low[k] / (double)(k + 1));
		equal_high = fmin(equal_high, growth->view->high[k] / (double)(k + 1));
		for (size_t j = k + 1; j < growth->growing; j++) {
			double steps = (double)(j - k);

			low = fmax(low, (growth->view->low[j] - growth->view->high[k]) / steps);
			high = fmin(high, (growth->view->high[j] - growth->view->low[k]) / steps);
		}
	}
	if (equal_low <= equal_high) {
		struct policy policy = policy_plain(POLICY_LINEAR, 0);
		struct fit_number base = fit_round_number(equal_low, equal_high);

		policy.base_ns = policy.step_ns = (int64_t)base.value;
		if (base.value > 0)
			add_growing(growth, policy, FIT_PRICE_LINEAR + base.price + 1);
	}
	if (low <= high && growth->growing >= 2) {
		struct fit_number step = fit_round_number(low, high);

		add_step(growth, step.value, step.price);
		add_step(growth, round(low / NS_PER_MS) * NS_PER_MS, FIT_PRICE_ODD);
		add_step(growth, round(high / NS_PER_MS) * NS_PER_MS, FIT_PRICE_ODD);
	}
}

void fit_plain_add(const struct fit_view *view, struct fit_candidates *list)
{
	struct growth growth = {.view = view, .list = list, .plain_cost = plain_cost(view)};
	double low = 0, high = INFINITY;

	for (size_t k = 0; k < view->n_positions; k++) {
		if (view->low[k] > view->high[k])
			return; /* it differs from sequence to sequence */
		low = fmax(low, view->low[k]);
		high = fmin(high, view->high[k]);
	}
	/* A fixed wait does not come in pairs. */
	if (low <= high && !view->twice) {
		struct fit_number base = fit_round_number(low, high);
		struct policy policy = policy_plain(POLICY_FIXED, (int64_t)base.value);

		fit_candidates_add(list, view,
				   (struct fit_candidate){
					   .policy = policy,
					   .cost = growth.plain_cost + base.price,
					   .misfit = root_mean_square(view, &policy),
				   });
	}
	growth.cap_high = INFINITY;
	for (growth.growing = view->n_positions; growth.growing >= 1; growth.growing--) {
		if (growth.growing < view->n_positions) {
			growth.cap_low = fmax(growth.cap_low, view->low[growth.growing]);
			growth.cap_high = fmin(growth.cap_high, view->high[growth.growing]);
			if (growth.cap_low > growth.cap_high)
				return;
		}
		if (growth.growing == 1 && view->n_positions == 1)
			return;
		add_exponentials(&growth);
		add_linears(&growth);
	}
}
