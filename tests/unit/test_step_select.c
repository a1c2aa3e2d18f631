/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the step that serves an attempt, and of its random choices. */
#include <criterion/criterion.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "common/random.h"
#include "injector/step_select.h"
#include "injector/step_text.h"

TestSuite(progress);

static void add(struct script *script, const char *text, uint32_t list,
		const struct condition *when)
{
	struct step_error error;
	struct step step;

	cr_assert_eq(step_parse(text, &step, &error), 0, "%s: %s", text, error.message);
	step.list = list;
	if (when) {
		step.when = *when;
		step.when.given = true;
		if (!step.when.chance)
			step.when.chance = CHANCE_ALWAYS;
	}
	script_append(script, &step);
}

static void expect_steps(const struct script *script, const char *expected)
{
	struct step_select progress;

	step_select_init(&progress, script, 0, 1);
	for (const char *digit = expected; *digit; digit++)
		cr_expect_eq(step_select_next(&progress, 0, AF_INET, 0).step,
			     (uint32_t)(*digit - '0'), "attempt %d of %s",
			     (int)(digit - expected) + 1, expected);
	step_select_deinit(&progress);
}

Test(progress, plain_steps_serve_one_after_the_other_and_the_last_for_ever)
{
	CLEANUP(script_free) struct script script = {0};

	add(&script, "refuse x2", 0, NULL);
	add(&script, "drop", 0, NULL);
	add(&script, "accept", 0, NULL);
	expect_steps(&script, "001222");
}

Test(progress, plain_steps_count_only_attempts_that_no_condition_took)
{
	CLEANUP(script_free) struct script script = {0};

	add(&script, "refuse x2", 0, NULL);
	add(&script, "drop", 0, &(struct condition){.n_ranges = 1, .ranges = {{2, 2, 1}}});
	add(&script, "accept", 0, NULL);
	expect_steps(&script, "01022");
}

Test(progress, the_first_condition_that_holds_takes_the_attempt)
{
	CLEANUP(script_free) struct script script = {0};

	add(&script, "accept", 0, NULL);
	add(&script, "drop", 0,
	    &(struct condition){.n_ranges = 1, .ranges = {{2, ATTEMPT_RANGE_OPEN, 2}}});
	add(&script, "refuse", 0,
	    &(struct condition){.n_ranges = 1, .ranges = {{1, ATTEMPT_RANGE_OPEN, 3}}});
	expect_steps(&script, "2101012101");
}

Test(progress, repeated_step_with_a_condition_takes_its_number)
{
	CLEANUP(script_free) struct script script = {0};

	add(&script, "drop x2", 0,
	    &(struct condition){.n_ranges = 1, .ranges = {{1, ATTEMPT_RANGE_OPEN, 2}}});
	add(&script, "accept", 0, NULL);
	expect_steps(&script, "0101111");
}

Test(progress, windows_count_from_the_clients_start)
{
	CLEANUP(script_free) struct script script = {0};
	static const struct {
		int64_t at_ms;
		uint32_t step;
	} cases[] = {{0, 0}, {4999, 0}, {5000, 1}, {19999, 1}, {20000, 0}, {25000, 1}};
	struct step_select progress;

	add(&script, "down 5s every 20s", 0, NULL);
	add(&script, "accept", 0, NULL);
	step_select_init(&progress, &script, 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(
			step_select_next(&progress, 0, AF_INET, cases[i].at_ms * NS_PER_MS).step,
			cases[i].step, "at %d ms", (int)cases[i].at_ms);
	step_select_deinit(&progress);
}

Test(progress, windows_can_count_from_the_first_attempt_at_any_address)
{
	CLEANUP(script_free) struct script script = {0};
	static const struct {
		uint32_t list;
		int64_t at_ms;
		uint32_t step;
	} cases[] = {{0, 3000, 0}, {1, 7999, 2}, {0, 8000, 1}, {1, 8000, 3}, {0, 23000, 0}};
	struct step_select progress;

	for (uint32_t list = 0; list < 2; list++) {
		add(&script, "down 5s every 20s from first-attempt", list, NULL);
		add(&script, "accept", list, NULL);
	}
	step_select_init(&progress, &script, 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(step_select_next(&progress, cases[i].list, AF_INET,
					      cases[i].at_ms * NS_PER_MS)
				     .step,
			     cases[i].step, "at %d ms", (int)cases[i].at_ms);
	step_select_deinit(&progress);
}

Test(progress, family_is_that_of_the_attempt)
{
	CLEANUP(script_free) struct script script = {0};
	struct step_select progress;

	add(&script, "drop", 0, &(struct condition){.family = AF_INET6});
	add(&script, "accept", 0, NULL);
	step_select_init(&progress, &script, 0, 1);
	cr_expect_eq(step_select_next(&progress, 0, AF_INET6, 0).step, 0);
	cr_expect_eq(step_select_next(&progress, 0, AF_INET, 0).step, 1);
	step_select_deinit(&progress);
}

Test(progress, lists_count_their_own_attempts)
{
	CLEANUP(script_free) struct script script = {0};
	static const struct {
		uint32_t list, step;
	} cases[] = {{1, 2}, {0, 0}, {1, 3}, {1, 2}, {0, 1}, {1, 4}, {0, 1}, {1, 4}};
	struct step_select progress;

	add(&script, "refuse", 0, NULL);
	add(&script, "accept", 0, NULL);
	add(&script, "refuse x2", 1, NULL);
	add(&script, "drop", 1, &(struct condition){.n_ranges = 1, .ranges = {{2, 2, 1}}});
	add(&script, "accept", 1, NULL);
	step_select_init(&progress, &script, 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(step_select_next(&progress, cases[i].list, AF_INET, 0).step,
			     cases[i].step, "%zu", i);
	step_select_deinit(&progress);
}

/* ---- draws ---- */

enum { N_SEEDS = 1000, N_ENDPOINTS = 3, N_LISTS = 2, N_ATTEMPTS = 12 };

/* What was drawn for each attempt: step and delay. */
struct drawn {
	struct step_select_choice choices[N_ENDPOINTS][N_LISTS][N_ATTEMPTS];
};

/* The order in which the attempts of all endpoints come. */
enum order { ROUND_ROBIN, ONE_AFTER_THE_OTHER, SHUFFLED, N_ORDERS };

static void draw_all(const struct script *script, uint64_t seed, enum order order,
		     struct drawn *ret)
{
	struct step_select progress[N_ENDPOINTS];
	uint32_t n[N_ENDPOINTS][N_LISTS] = {0}, left = N_ENDPOINTS * N_LISTS * N_ATTEMPTS;

	for (uint32_t e = 0; e < N_ENDPOINTS; e++)
		step_select_init(&progress[e], script, e, seed);
	for (uint64_t turn = 0; left > 0; turn++) {
		uint64_t place = order == ROUND_ROBIN           ? turn
				 : order == ONE_AFTER_THE_OTHER ? turn / N_ATTEMPTS
								: random_draw(seed, turn, 7, 7);
		uint32_t e = (uint32_t)(place % N_ENDPOINTS);
		uint32_t list = (uint32_t)(place / N_ENDPOINTS % N_LISTS);

		if (n[e][list] == N_ATTEMPTS)
			continue;
		/* when it comes makes no difference either */
		ret->choices[e][list][n[e][list]++] =
			step_select_next(&progress[e], list, AF_INET, (int64_t)turn * NS_PER_S);
		left--;
	}
	for (uint32_t e = 0; e < N_ENDPOINTS; e++)
		step_select_deinit(&progress[e]);
}

Test(progress, draws_depend_only_on_the_seed)
{
	CLEANUP(script_free) struct script script = {0};
	const struct condition chance = {.chance = 300000}, half = {.chance = 500000};
	struct drawn *drawn = xzalloc(N_ORDERS * sizeof(*drawn));
	size_t n_taken = 0, n_same = 0;
	const size_t n_all = (size_t)N_SEEDS * N_ENDPOINTS * N_LISTS * N_ATTEMPTS;

	for (uint32_t list = 0; list < N_LISTS; list++) {
		add(&script, "refuse", list, &chance);
		add(&script, "delay 1ms..9s", list, &half);
		add(&script, "accept", list, NULL);
	}
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		for (enum order order = 0; order < N_ORDERS; order++)
			draw_all(&script, seed, order, &drawn[order]);
		for (enum order order = 1; order < N_ORDERS; order++)
			cr_assert_eq(memcmp(&drawn[0], &drawn[order], sizeof(*drawn)), 0,
				     "seed %d, order %d", (int)seed, (int)order);
		for (size_t e = 0; e < N_ENDPOINTS; e++)
			for (size_t k = 0; k < N_ATTEMPTS; k++)
				for (size_t list = 0; list < N_LISTS; list++) {
					uint32_t step = drawn[0].choices[e][list][k].step;

					n_taken += step == list * 3;
					n_same += step % 3 == drawn[0].choices[0][0][k].step;
				}
	}
	/* 30 % of 72,000 draws: the standard deviation is 0.17 % */
	cr_expect_float_eq((double)n_taken / (double)n_all, 0.3, 0.01);
	/* endpoints and lists don't draw the same: 30 %, 35 % and 35 % meet by chance at 0.335 */
	cr_expect_float_eq((double)n_same / (double)n_all, (1 + 5 * 0.335) / 6, 0.02);
	free(drawn);
}

Test(progress, another_seed_gives_other_draws)
{
	CLEANUP(script_free) struct script script = {0};
	struct drawn a, b;

	for (uint32_t list = 0; list < N_LISTS; list++) {
		add(&script, "refuse", list, &(struct condition){.chance = 300000});
		add(&script, "accept", list, NULL);
	}
	draw_all(&script, 1, ROUND_ROBIN, &a);
	draw_all(&script, 2, ROUND_ROBIN, &b);
	cr_expect_neq(memcmp(&a, &b, sizeof(a)), 0);
}
