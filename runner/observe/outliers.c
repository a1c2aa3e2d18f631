/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds outliers among runs: see outliers.h. */
#include "runner/observe/outliers.h"

/* A run with more lag than this may differ from others because of it. */
#define DISTURBING_NS (60 * NS_PER_MS)
/* A baseline's tolerance, plus a share of the run's duration, over which lags add up. */
#define OFF_NS       (250 * NS_PER_MS)
#define OFF_RELATIVE 0.02
/* At least this many runs, and this share of them alike, make the others exceptions. */
enum { FEWEST_FOR_EXCEPTION = 4 };
#define PART_FOR_EXCEPTION 0.75
/* This share of them alike is enough to look again. */
#define PART_FOR_STEADY 0.5
/* The same for runs whose lag explains the difference. */
enum { FEWEST_FOR_LAG = 3 };
#define PART_FOR_LAG 0.66

/* The same time, such as the second backoff, in several runs. */
struct sample {
	int64_t *time_ns; /* where it is stored */
	int64_t ns;
	int64_t lag_ns, harness_lag_ns; /* it may be too long by the one, too short by the other */
	size_t run;
};

struct group {
	struct sample *samples;
	size_t n, capacity;
};

bool times_are_off(const struct observed *runs, size_t n_runs)
{
	for (size_t i = 0; i < n_runs; i++)
		if (runs[i].n_attempts == 0 ||
		    runs[i].harness_lag_ns <=
			    OFF_NS + (int64_t)(OFF_RELATIVE * (double)runs[i].duration_ns))
			return false;
	return true;
}

static void add(struct group *group, const struct observed *runs, size_t run, int64_t *time_ns)
{
	struct sample sample = {
		.time_ns = time_ns,
		.ns = *time_ns,
		.lag_ns = runs[run].harness_lag_ns + runs[run].client_lag_ns,
		.harness_lag_ns = runs[run].harness_lag_ns,
		.run = run,
	};

	array_append(group->samples, group->n, group->capacity, sample);
}

static int by_time(const void *a, const void *b)
{
	const struct sample *left = a, *right = b;

	return COMPARE(left->ns, right->ns);
}

/* Returns whether any two differ by more than lag explains. */
static bool differ_for_certain(const struct group *group)
{
	int64_t least_ns = INT64_MAX, most_ns = INT64_MIN;

	for (size_t i = 0; i < group->n; i++) {
		const struct sample *sample = &group->samples[i];

		least_ns = MIN(least_ns, sample->ns + sample->harness_lag_ns);
		most_ns = MAX(most_ns, sample->ns - sample->lag_ns);
	}
	return !times_are_alike(least_ns, MAX(most_ns, least_ns));
}

/* Returns whether at least @fewest times, and this share of them, agree with the median. */
static bool most_are_alike(const struct group *group, size_t fewest, double part)
{
	int64_t middle_ns = group->samples[group->n / 2].ns;
	size_t n_alike = 0;

	for (size_t i = 0; i < group->n; i++) {
		int64_t ns = group->samples[i].ns;

		n_alike += times_are_alike(MIN(ns, middle_ns), MAX(ns, middle_ns));
	}
	return group->n >= fewest && (double)n_alike >= part * (double)group->n;
}

/* Marks the runs that took longer than nearly all others. */
static void doubt_exceptions(const struct group *group, bool *doubtful)
{
	int64_t middle_ns = group->samples[group->n / 2].ns;

	if (!most_are_alike(group, FEWEST_FOR_EXCEPTION, PART_FOR_EXCEPTION))
		return;
	for (size_t i = 0; i < group->n; i++)
		if (!times_are_alike(middle_ns, MAX(group->samples[i].ns, middle_ns)))
			doubtful[group->samples[i].run] = true;
}

/* Replaces times that lag made unlike nearly all others by the median. */
static void settle_group(const struct group *group)
{
	int64_t middle_ns = group->samples[group->n / 2].ns;

	if (!most_are_alike(group, FEWEST_FOR_LAG, PART_FOR_LAG))
		return;
	for (size_t i = 0; i < group->n; i++) {
		int64_t ns = group->samples[i].ns;

		if (!times_are_alike(MIN(ns, middle_ns), MAX(ns, middle_ns)))
			*group->samples[i].time_ns = middle_ns;
	}
}

/*
 * Frees the group after marking its outliers, or settling them if @doubtful is NULL. Returns
 * whether lag leaves open if all times are the same.
 */
static bool doubt_group(struct group *group, bool *doubtful)
{
	bool open = false;

	if (group->n > 1) {
		int64_t low_ns, high_ns;

		qsort(group->samples, group->n, sizeof(*group->samples), by_time);
		low_ns = group->samples[0].ns;
		high_ns = group->samples[group->n - 1].ns;
		open = !times_are_alike(low_ns, high_ns) && !differ_for_certain(group);
		for (size_t i = 0; open && doubtful && i < group->n; i++)
			if (group->samples[i].lag_ns > DISTURBING_NS ||
			    !times_are_alike(low_ns, group->samples[i].ns))
				doubtful[group->samples[i].run] = true;
		if (doubtful)
			doubt_exceptions(group, doubtful);
		else if (open)
			settle_group(group);
	}
	free(group->samples);
	*group = (struct group){0};
	return open;
}

/* Adds the k-th backoff of the runs [@first, @end). Returns whether any run has one. */
static bool add_backoff(struct group *group, struct observed *runs, size_t first, size_t end,
			size_t k)
{
	bool more = false;

	for (size_t i = first; i < end; i++) {
		if (k >= runs[i].n_backoff)
			continue;
		more = true;
		if (!runs[i].overlaps)
			add(group, runs, i, &runs[i].backoff_ns[k]);
	}
	return more;
}

/* Adds how long the runs [@first, @end) waited for answers that did not come. */
static void add_given_up(struct group *group, struct observed *runs, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (runs[i].n_abandoned > 0) {
			add(group, runs, i, &runs[i].shortest_ns);
			add(group, runs, i, &runs[i].longest_ns);
		}
}

bool given_up_unsteadily(struct observed *runs, size_t n_runs, int64_t *ret_usual_ns)
{
	struct group group = {0};
	bool unsteady = false;

	/* A client of several addresses gives each another time. */
	for (size_t i = 0; i < n_runs; i++)
		if (runs[i].n_addresses <= 1)
			add_given_up(&group, runs, i, i + 1);
	if (group.n > 0) {
		qsort(group.samples, group.n, sizeof(*group.samples), by_time);
		/* Pauses only add to it. */
		*ret_usual_ns = group.samples[(group.n - 1) / 2].ns;
		unsteady = most_are_alike(&group, FEWEST_FOR_EXCEPTION, PART_FOR_STEADY) &&
			   !times_are_alike(group.samples[0].ns, group.samples[group.n - 1].ns);
	}
	free(group.samples);
	return unsteady;
}

static bool doubt_times(struct observed *runs, size_t first, size_t end, bool *doubtful)
{
	struct group group = {0};
	bool open = false;

	for (size_t k = 0; add_backoff(&group, runs, first, end, k); k++)
		open |= doubt_group(&group, doubtful);
	add_given_up(&group, runs, first, end);
	open |= doubt_group(&group, doubtful);
	for (size_t i = first; i < end; i++)
		if (runs[i].fallback_ns >= 0)
			add(&group, runs, i, &runs[i].fallback_ns);
	return doubt_group(&group, doubtful) || open;
}

/* A client that lost time may have tried less often or ended differently. */
static bool doubt_end(const struct observed *runs, size_t first, size_t end, bool timed,
		      bool *doubtful)
{
	bool differ = false, open = false;

	for (size_t i = first + 1; i < end; i++) {
		const struct observed *one = &runs[first], *other = &runs[i];

		differ |= one->ended != other->ended;
		if (one->ended && other->ended)
			differ |= one->wait_status != other->wait_status ||
				  (!timed && one->n_attempts != other->n_attempts);
	}
	for (size_t i = first; differ && i < end; i++)
		if (runs[i].harness_lag_ns + runs[i].client_lag_ns > DISTURBING_NS)
			doubtful[i] = open = true;
	return open;
}

/* Backoff after refusals is comparable across faults: see baseline_draws_backoff(). */
static bool doubt_refused(struct observed *runs, size_t n_runs, const bool *seen, bool *doubtful)
{
	struct group group = {0};
	bool open = false, more = true;

	for (size_t k = 0; more; k++) {
		more = false;
		for (size_t item = 0; item < n_standard_faults; item++)
			if (seen[item] &&
			    standard_faults_begins_with_refusal(&standard_faults[item]))
				more |= add_backoff(&group, runs, item * n_runs,
						    (item + 1) * n_runs, k);
		open |= doubt_group(&group, doubtful);
	}
	return open;
}

bool outliers_find(struct observed *runs, size_t n_runs, const bool *seen, bool *ret_doubtful)
{
	bool open;

	memset(ret_doubtful, 0, n_standard_faults * n_runs * sizeof(*ret_doubtful));
	open = doubt_refused(runs, n_runs, seen, ret_doubtful);
	for (size_t item = 0; item < n_standard_faults; item++) {
		size_t first = item * n_runs, end = first + n_runs;

		if (!seen[item])
			continue;
		open |= doubt_times(runs, first, end, ret_doubtful);
		open |= doubt_end(runs, first, end, standard_faults[item].timed, ret_doubtful);
		if (!times_are_off(&runs[first], n_runs))
			continue;
		memset(&ret_doubtful[first], true, n_runs * sizeof(*ret_doubtful));
		open = true;
	}
	return open;
}

void outliers_settle(struct observed *runs, size_t n_runs, const bool *seen)
{
	doubt_refused(runs, n_runs, seen, NULL);
	for (size_t item = 0; item < n_standard_faults; item++)
		if (seen[item])
			doubt_times(runs, item * n_runs, (item + 1) * n_runs, NULL);
}
