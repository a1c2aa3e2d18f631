/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two tests of jitter_test.h. */
#include "runner/judge/jitter_test.h"

#include <math.h>

/* Two or three waits that are alike prove nothing. */
#define MIN_INSTANCES 4

static int compare(double a, double b)
{
	return COMPARE(a, b);
}

static int by_latest(const void *a, const void *b)
{
	const struct jitter_test_sample *x = a, *y = b;

	return compare(x->latest, y->latest);
}

static int by_earliest(const void *a, const void *b)
{
	const struct jitter_test_sample *x = a, *y = b;

	return compare(x->earliest, y->earliest);
}

static int by_number(const void *a, const void *b)
{
	const struct jitter_test_sample *x = a, *y = b;
	int order = (x->alone > y->alone) - (x->alone < y->alone);

	if (order == 0)
		order = (x->number > y->number) - (x->number < y->number);
	return order ? order : compare(x->place, y->place);
}

static void test_all(struct jitter_test_sample *samples, size_t n, struct jitter_test *ret)
{
	double limit = sqrt(log(2 / (SPREAD_ERROR / 2)) / (2 * (double)n)), low = 0, high = 0;

	/* Too many are short, even if each would be longer without its delay … */
	qsort(samples, n, sizeof(*samples), by_latest);
	for (size_t i = 0; i < n; i++)
		low = fmax(low, (double)(i + 1) / (double)n - fmax(samples[i].latest, 0));
	/* … or too many are long, even if each would be shorter without its delay. */
	qsort(samples, n, sizeof(*samples), by_earliest);
	for (size_t i = 0; i < n; i++)
		high = fmax(high, fmin(samples[i].earliest, 1) - (double)i / (double)n);
	ret->distance = fmax(low, high);
	ret->limit = limit;
	ret->low = low > high;
	ret->n_waits = n;
	ret->wrong = ret->distance > limit;
}

/* Returns the probability that @n uniform places all lie within @width. */
static double within(double width, double n)
{
	if (width >= 1)
		return 1;
	return n * pow(width, n - 1) - (n - 1) * pow(width, n);
}

static size_t count_numbers(const struct jitter_test_sample *samples, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n && !samples[i].alone; i++)
		count += i == 0 || samples[i].number != samples[i - 1].number;
	return count;
}

/* Reports the first number whose waits lie too close together. */
static void test_numbers(struct jitter_test_sample *samples, size_t n, struct jitter_test *ret)
{
	double error;

	qsort(samples, n, sizeof(*samples), by_number);
	error = SPREAD_ERROR / 2 / (double)MAX(count_numbers(samples, n), 1);
	for (size_t first = 0, last; first < n && !samples[first].alone; first = last) {
		double width;

		for (last = first; last < n && !samples[last].alone &&
				   samples[last].number == samples[first].number;)
			last++;
		width = samples[last - 1].place - samples[first].place;
		if (last - first < MIN_INSTANCES || within(width, (double)(last - first)) >= error)
			continue;
		*ret = (struct jitter_test){.wrong = true,
					    .number = samples[first].number,
					    .n_waits = last - first,
					    .width = width};
		return;
	}
}

struct jitter_test jitter_test(struct jitter_test_sample *samples, size_t n_samples)
{
	struct jitter_test spread = {0};

	if (n_samples == 0)
		return spread;
	test_numbers(samples, n_samples, &spread);
	if (!spread.wrong)
		test_all(samples, n_samples, &spread);
	return spread;
}
