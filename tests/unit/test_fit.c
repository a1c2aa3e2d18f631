/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of fitting: known policies by their figures, and generated ones, with noise, by their
 * family and figures. The noise is what a client on a busy machine shows: each wait is up to 8 ms
 * late and up to 1 % off. Figures are those that are in use: factors from 1.5, steps from half of
 * the base.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "common/random.h"
#include "runner/judge/fit.h"
#include "runner/scenario/policy_bounds.h"

TestSuite(fit);

#define MS NS_PER_MS

enum { MAX_WAITS = 12, MAX_LISTED = 15, MAX_INSTANCES = 20, RUNS = 2000 };

static struct fit fit_one(const int64_t *waits_ns, size_t n_waits)
{
	return fit_waits(&(struct fit_sequence){waits_ns, n_waits}, 1);
}

Test(fit, numbers_are_written_as_by_people)
{
	static const struct {
		int64_t waits_ms[MAX_WAITS];
		size_t n;
		const char *text;
	} cases[] = {
		{{2003, 2001, 2004, 2002}, 4, "fixed, 2.00 s"},
		{{2003, 2001}, 2, "maybe fixed (2 waits)"},
		{{0, 1, 0, 2, 0}, 5, "no wait at all"},
		{{504, 1003, 2004, 4008, 8011},
		 5,
		 "exponential, base 500 ms, factor 2, no cap seen"},
		{{1004, 1604, 2566, 4101, 6560},
		 5,
		 "exponential, base 1.00 s, factor 1.6, no cap seen"},
		{{101, 203, 402, 402, 401, 403},
		 6,
		 "exponential, base 100 ms, factor 2, cap 400 ms"},
		/* Whole seconds: 22.5 s became 22 s, 33.75 s became 33 s. */
		{{14995, 22004, 33016, 50003},
		 4,
		 "exponential, base 15.0 s, factor 1.5, no cap seen, cut to whole seconds"},
		{{10003, 15004, 22002, 33003, 40002, 40003},
		 6,
		 "exponential, base 10.0 s, factor 1.5, cap 40.0 s, cut to whole seconds"},
		{{1003, 2004, 4002, 8003}, 4, "exponential, base 1.00 s, factor 2, no cap seen"},
		/* Nothing shows a factor, and no wait a cap. */
		{{251, 501, 501, 502},
		 4,
		 "maybe exponential with a cap or linear with a cap (4 waits)"},
		{{1001, 2003, 4005, 4002}, 4, "maybe exponential with a cap (4 waits)"},
		{{103, 151, 204},
		 3,
		 "maybe exponential, linear or exponential with a cap (3 waits)"},
		{{102, 202, 303, 401, 503}, 5, "linear, base 100 ms, step 100 ms, no cap seen"},
		{{1002, 1503, 2002, 2502, 2501, 2503, 2502},
		 7,
		 "linear, base 1.00 s, step 500 ms, cap 2.50 s"},
		{{3000, 100, 2500, 7, 9000, 1, 30, 40000, 5, 300}, 10, "no pattern"},
		{{1000, 2000}, 2, "maybe one of several (2 waits)"},
		{{1000}, 1, "too few waits to tell"},
		{{0, 1001, 2003, 4005, 8003},
		 5,
		 "at once, then exponential, base 1.00 s, factor 2, no cap seen"},
		{{0, 1001, 0, 1002, 1, 1001}, 6, "rounds of 2 attempts, then fixed, 1.00 s"},
		{{501, 502, 1003, 1001, 2004, 2003, 4002, 4003},
		 8,
		 "each wait twice: exponential, base 500 ms, factor 2, no cap seen"},
		/* Work between attempts is not a policy. */
		{{2, 40, 12, 25, 31, 8, 19, 33}, 8, "no pattern"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t waits_ns[MAX_WAITS];
		struct fit fit;

		for (size_t k = 0; k < cases[i].n; k++)
			waits_ns[k] = cases[i].waits_ms[k] * MS;
		fit = fit_one(waits_ns, cases[i].n);
		cr_expect_str_eq(fit.text, cases[i].text, "case %zu: %s, misfit %.2f", i, fit.text,
				 fit.misfit);
		fit_free(&fit);
	}
}

Test(fit, survives_any_input)
{
	static const int64_t odd[][5] = {
		{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
		{INT64_MIN, -1, 0, 1, INT64_MAX},
		{0, 0, 0, 0, 0},
		{0, 1, INT64_MAX, 0, 1},
		{INT64_MAX, 0, 0, 0, 0},
	};
	struct fit fit = fit_waits(NULL, 0);

	cr_expect_not(fit.found);
	fit_free(&fit);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		fit = fit_one(odd[i], 5);
		cr_expect_not_null(fit.text);
		fit_free(&fit);
	}
}

/* A number in [0, 1) for each run and purpose. */
static double draw(uint64_t run, uint64_t a, uint64_t b)
{
	return (double)random_between(random_draw(77, run, a, b), 0, 999999) / 1e6;
}

static int64_t pick(uint64_t run, uint64_t a, const int64_t *choices, size_t n)
{
	return choices[random_between(random_draw(78, run, a, 0), 0, (int64_t)n - 1)];
}

/* A client: its policy, and what a policy can't say. */
struct client {
	struct policy policy;
	size_t round; /* attempts at one address in each round */
	bool twice;   /* each wait comes twice */
	bool aimless; /* it has no policy */
	/* Bounds that hold after jitter, which no policy has; 0 and INT64_MAX: none. */
	int64_t floor_ns, ceiling_ns;
	size_t n_waits; /* of the policy, in each run */
	size_t n_runs;
};

static void draw_jitter(uint64_t run, struct policy *policy)
{
	static const int64_t percents[] = {10, 20, 25, 50};

	policy->jitter = (enum jitter_kind)(draw(run, 7, 0) * JITTER_N_KINDS);
	policy->jitter_percent = (double)pick(run, 8, percents, ARRAY_SIZE(percents));
	policy->jitter_plus_ns = policy->base_ns / (draw(run, 9, 0) < 0.5 ? 1 : 2);
	if (policy->jitter == JITTER_DECORRELATED) {
		policy->kind = POLICY_EXPONENTIAL;
		policy->factor = 3;
	}
}

static struct client draw_client(uint64_t run)
{
	static const int64_t bases_ms[] = {100,  200,  250,   500,   1000, 1500,
					   2000, 5000, 10000, 30000, 140,  333};
	static const int64_t factors[] = {150, 160, 200, 200, 200, 250, 300, 400};
	static const int64_t steps[] = {50, 100, 100, 200};
	static const int64_t caps[] = {3, 4, 5, 8, 10, 20};
	static const enum policy_kind kinds[] = {POLICY_FIXED, POLICY_LINEAR, POLICY_EXPONENTIAL};
	struct client client = {
		.policy = policy_plain(kinds[run % 3], 0),
		.round = draw(run, 10, 0) < 0.1 ? 2 + (size_t)(draw(run, 10, 1) * 2) : 1,
		.n_waits = 1 + (size_t)(draw(run, 11, 0) * MAX_WAITS),
		.n_runs = draw(run, 12, 0) < 0.6   ? 1
			  : draw(run, 12, 1) < 0.8 ? 3
						   : MAX_INSTANCES,
	};
	struct policy *policy = &client.policy;

	policy->base_ns = pick(run, 1, bases_ms, ARRAY_SIZE(bases_ms)) * MS;
	policy->factor = (double)pick(run, 2, factors, ARRAY_SIZE(factors)) / 100;
	policy->step_ns = policy->base_ns * pick(run, 3, steps, ARRAY_SIZE(steps)) / 100;
	if (draw(run, 6, 0) < 0.4)
		draw_jitter(run, policy);
	if (policy->jitter != JITTER_NONE)
		policy->step_ns = policy->base_ns;
	if (policy->kind != POLICY_FIXED && draw(run, 4, 0) < 0.4)
		policy->cap_ns = policy->base_ns * pick(run, 5, caps, ARRAY_SIZE(caps));
	client.aimless = draw(run, 13, 0) < 0.1;
	policy->first_at_once = client.round == 1 && draw(run, 14, 0) < 0.15;
	client.twice = client.round == 1 && policy->jitter == JITTER_NONE &&
		       policy->kind != POLICY_FIXED && !policy->first_at_once &&
		       draw(run, 15, 0) < 0.1;
	client.ceiling_ns = INT64_MAX;
	if (policy->kind == POLICY_EXPONENTIAL && draw(run, 16, 0) < 0.1) {
		int64_t bound_ns = policy_wait(policy, 3 + (size_t)(draw(run, 16, 1) * 3)).high;

		if (draw(run, 16, 2) < 0.5)
			client.floor_ns = bound_ns;
		else
			client.ceiling_ns = bound_ns;
	}
	return client;
}

static int64_t bounded(const struct client *client, int64_t wait_ns)
{
	return MIN(MAX(wait_ns, client->floor_ns), client->ceiling_ns);
}

static double noisy(double wait, uint64_t run, size_t copy, size_t k)
{
	return wait * (1 + 0.02 * (draw(run, 1000 + copy, 2 * k) - 0.5)) +
	       8e6 * draw(run, 1000 + copy, 2 * k + 1);
}

/* Writes the waits of one run of the client. Returns how many there are. */
static size_t run_client(const struct client *client, uint64_t run, size_t copy, int64_t *waits_ns)
{
	int64_t before_ns = client->policy.base_ns;
	size_t n = 0;

	for (size_t k = 1; k <= client->n_waits; k++) {
		struct range range = policy_wait_after(&client->policy, k, before_ns);
		double u = draw(run, 100 + copy, k);

		before_ns = range.low + (int64_t)((double)(range.high - range.low) * u);
		if (client->aimless)
			before_ns = (int64_t)(20e6 * pow(1000, u));
		before_ns = bounded(client, before_ns);
		for (size_t i = 0; i + 1 < client->round; i++, n++)
			waits_ns[n] = (int64_t)noisy(0, run, copy, n);
		for (size_t i = 0; i <= client->twice; i++, n++)
			waits_ns[n] = (int64_t)noisy((double)before_ns, run, copy, n);
	}
	return n;
}

static bool is_near(int64_t got_ns, int64_t wanted_ns, double relative)
{
	return fabs((double)got_ns - (double)wanted_ns) <= 15e6 + relative * (double)wanted_ns;
}

/* Returns whether all waits of the client lie on one of its bounds. */
static bool is_flat(const struct client *client)
{
	int64_t wait_ns = bounded(client, policy_wait(&client->policy, 1).high);

	for (size_t k = 1; k <= client->n_waits; k++)
		if (bounded(client, policy_wait(&client->policy, k).low) != wait_ns ||
		    bounded(client, policy_wait(&client->policy, k).high) != wait_ns)
			return false;
	return true;
}

/* Returns whether what was named is what the client does, as far as its waits show. */
static bool names(const struct fit *fit, const struct client *client)
{
	struct policy seen = is_flat(client) ? policy_plain(POLICY_FIXED, 0) : client->policy;
	const struct policy *got = &fit->policy;
	bool plain = seen.jitter == JITTER_NONE;

	if (client->aimless || got->kind != seen.kind || got->jitter != seen.jitter ||
	    got->first_at_once != client->policy.first_at_once ||
	    fit->expressible != (client->round == 1 && !client->twice) ||
	    fabs(got->jitter_percent - seen.jitter_percent * (seen.jitter == JITTER_PERCENT)) > 15)
		return false;
	if (got->kind != POLICY_FIXED && got->cap_ns != INT64_MAX &&
	    !is_near(got->cap_ns, MIN(seen.cap_ns, client->ceiling_ns), plain ? 0.06 : 0.3))
		return false;
	for (size_t k = 1; k <= client->n_waits; k++)
		if (!is_near(policy_wait(got, k).high,
			     bounded(client, policy_wait(&client->policy, k).high),
			     plain ? 0.06 : 0.35))
			return false;
	return true;
}

Test(fit, what_is_named_is_right_in_99_of_100)
{
	size_t n_named = 0, n_right = 0, n_plain = 0, n_plain_named = 0;
	size_t n_random = 0, n_random_named = 0;

	for (uint64_t run = 0; run < RUNS; run++) {
		static int64_t waits_ns[MAX_INSTANCES][4 * MAX_WAITS];
		struct fit_sequence sequences[MAX_INSTANCES];
		struct client client = draw_client(run);
		bool plain = !client.aimless && client.floor_ns == 0 &&
			     client.policy.jitter == JITTER_NONE && client.n_waits >= 6 &&
			     (client.policy.kind == POLICY_FIXED ||
			      policy_wait(&client.policy, 4).high <
				      MIN(client.policy.cap_ns, client.ceiling_ns));
		bool random = !client.aimless && client.policy.jitter != JITTER_NONE &&
			      client.n_waits >= 6 && client.n_runs == MAX_INSTANCES;
		struct fit fit;

		for (size_t copy = 0; copy < client.n_runs; copy++)
			sequences[copy] = (struct fit_sequence){
				waits_ns[copy], run_client(&client, run, copy, waits_ns[copy])};
		fit = fit_waits(sequences, client.n_runs);
		n_named += fit.found;
		n_plain += plain;
		n_plain_named += plain && fit.found;
		if (fit.found && names(&fit, &client)) {
			n_right++;
		} else if (fit.found) {
			AUTO_STRBUF struct strbuf text = {0};

			policy_describe(&client.policy, &text);
			cr_log_info("run %d: %s, but it is %s%s", (int)run, fit.text,
				    client.aimless ? "none, not " : "", strbuf_text(&text));
		}
		n_random += random;
		n_random_named += random && fit.found;
		fit_free(&fit);
	}
	cr_expect_geq(n_right * 100, n_named * 99, "%zu of %zu", n_right, n_named);
	cr_expect_geq(n_plain_named * 10, n_plain * 9, "%zu of %zu", n_plain_named, n_plain);
	cr_expect_geq(n_random_named * 10, n_random * 2, "%zu of %zu", n_random_named, n_random);
	cr_log_info("right: %zu of %zu named; named: %zu of %zu with six waits and no jitter, "
		    "%zu of %zu with jitter",
		    n_right, n_named, n_plain_named, n_plain, n_random_named, n_random);
}

/* How waits grow shows only in those with different numbers, however often each was seen. */
Test(fit, many_runs_of_two_waits_name_nothing)
{
	static const int64_t waits_ns[] = {1001 * MS, 2002 * MS};
	struct fit_sequence sequences[MAX_INSTANCES];
	struct fit fit;

	for (size_t i = 0; i < MAX_INSTANCES; i++)
		sequences[i] = (struct fit_sequence){waits_ns, 2};
	fit = fit_waits(sequences, MAX_INSTANCES);
	cr_expect_not(fit.found, "%s", fit.text);
	fit_free(&fit);
}

static void expect_text(const int64_t (*waits_ms)[MAX_LISTED], size_t n_runs, size_t n,
			const char *text)
{
	int64_t waits_ns[MAX_INSTANCES][MAX_LISTED];
	struct fit_sequence sequences[MAX_INSTANCES];
	struct fit fit;

	for (size_t i = 0; i < n_runs; i++) {
		for (size_t k = 0; k < n; k++)
			waits_ns[i][k] = waits_ms[i][k] * MS;
		sequences[i] = (struct fit_sequence){waits_ns[i], n};
	}
	fit = fit_waits(sequences, n_runs);
	cr_expect_str_eq(fit.text, text, "%s", fit.text);
	cr_expect_not(fit.expressible);
	fit_free(&fit);
}

/* A client that draws its base when it starts has no jitter: each run is exact. */
Test(fit, a_base_may_differ_from_run_to_run)
{
	static const int64_t waits_ms[][MAX_LISTED] = {
		{2197, 2851, 3702, 4810, 6251, 8122, 10002, 10003, 10001, 10004},
		{3072, 3990, 5185, 6738, 8757, 10001, 10003, 10002, 10002, 10001},
	};

	expect_text(waits_ms, 2, 10,
		    "exponential, differing base (2.20 s .. 3.10 s), factor 1.3, cap 10.0 s");
}

/* At least 1 s, then exponential up to 20 s; at most 5 s, after jitter of 50 %: not in the
 * language. */
Test(fit, floors_and_capped_jitter_are_not_named_otherwise)
{
	static const int64_t floored_ms[][MAX_LISTED] = {
		{1051, 1011, 1013, 1010, 1017, 1017, 1111, 2987, 8105, 20003, 20004, 20002},
		{1065, 1013, 1017, 1010, 1019, 1021, 1114, 2994, 8110, 20006, 20003, 20002},
	};
	static const int64_t longer_ms[][MAX_LISTED] = {
		{1026, 1009, 1005, 1005, 1010, 1010, 1098, 2982, 8105, 20003, 20004, 20002, 20003,
		 20001, 20004},
		{1017, 1009, 1002, 1003, 1002, 1002, 1098, 2981, 8110, 20006, 20003, 20002, 20004,
		 20002, 20003},
	};
	static const int64_t capped_ms[][MAX_LISTED] = {
		{898, 2202, 4807, 5008, 5007, 5006, 5004, 5005, 5003, 5006, 5004, 5005},
		{1410, 1318, 5016, 5008, 5013, 5013, 5011, 5014, 5004, 5003, 5008, 5005},
	};

	expect_text(floored_ms, 2, MAX_WAITS, "no pattern");
	expect_text(longer_ms, 2, 15, "no policy identified");
	expect_text(capped_ms, 2, MAX_WAITS, "no policy identified");
}

/* Lag blurs what exact waits would tell apart. */
Test(fit, lag_leaves_open_what_exact_waits_show)
{
	static const int64_t waits_ns[] = {200 * MS, 300 * MS, 450 * MS, 675 * MS, 1012 * MS};
	static const int64_t lags_ns[] = {300 * MS, 300 * MS, 300 * MS, 300 * MS, 300 * MS};
	struct fit_sequence sequence = {waits_ns, 5};
	struct fit fit = fit_waits(&sequence, 1);

	cr_expect_str_eq(fit.text, "exponential, base 200 ms, factor 1.5, no cap seen");
	fit_free(&fit);
	sequence.lags_ns = lags_ns;
	fit = fit_waits(&sequence, 1);
	cr_expect_not(fit.found, "%s", fit.text);
	fit_free(&fit);
}

/* A connection that succeeds lets some clients begin again with the first wait. */
Test(fit, waits_may_start_again_after_a_success)
{
	static const int64_t waits_ns[] = {502 * MS,  1003 * MS, 2002 * MS, 501 * MS,
					   1001 * MS, 2004 * MS, 502 * MS};
	static const bool anew[] = {false, false, false, true, false, false, true};
	struct fit fit = fit_waits(&(struct fit_sequence){waits_ns, 7, .anew = anew}, 1);

	cr_expect_str_eq(fit.text, "exponential, base 500 ms, factor 2, no cap seen, starting "
				   "again after a success");
	cr_expect(fit.policy.resets_on_success);
	fit_free(&fit);
}

/* Between rounds over all addresses, the language can expect the pauses. */
Test(fit, rounds_over_all_addresses_are_a_policy)
{
	static const int64_t waits_ns[] = {0, 1003 * MS, 1 * MS, 2001 * MS, 0, 4004 * MS};
	struct fit fit = fit_waits(&(struct fit_sequence){waits_ns, 6, .n_addresses = 2}, 1);

	cr_expect_str_eq(fit.text,
			 "rounds of 2 addresses, then exponential, base 1.00 s, factor 2, "
			 "no cap seen, as curl-retry");
	cr_expect(fit.expressible && fit.policy.per_round);
	fit_free(&fit);
}
