/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of parts of a suite: where they are read from, that together they have everything once, and
 * that balanced parts are as even as the greedy rule promises.
 */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "common/random.h"
#include "common/strbuf.h"
#include "runner/schedule/shard.h"

TestSuite(shard);

Test(shard, is_read_as_one_of_many)
{
	static const struct {
		const char *text;
		size_t number, count; /* 0: refused */
	} cases[] = {
		{"1/1", 1, 1}, {"3/8", 3, 8},   {"8/8", 8, 8},  {"0/8", 0, 0},       {"9/8", 0, 0},
		{"1/0", 0, 0}, {"1", 0, 0},     {"/2", 0, 0},   {"1/", 0, 0},        {"", 0, 0},
		{"a/b", 0, 0}, {"1/2/3", 0, 0}, {"-1/2", 0, 0}, {"1/9999999", 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = NULL;
		struct shard shard = {0};
		bool good = shard_parse(cases[i].text, &shard, &message);

		cr_assert_eq(good, cases[i].count > 0, "%s", cases[i].text);
		cr_assert_eq(shard.number, cases[i].number, "%s", cases[i].text);
		cr_assert_eq(shard.count, cases[i].count, "%s", cases[i].text);
		cr_assert_eq(message == NULL, good, "%s", cases[i].text);
	}
}

static void set_environment(const char *const *variables)
{
	static const char *const all[] = {
		"CI_NODE_INDEX",     "CI_NODE_TOTAL",        "CIRCLE_NODE_INDEX",
		"CIRCLE_NODE_TOTAL", "JOB_COMPLETION_INDEX", "JOB_COMPLETION_TOTAL",
		"SYNFAULT_SHARDS",
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		unsetenv(all[i]);
	for (; *variables; variables += 2)
		setenv(variables[0], variables[1], 1);
}

Test(shard, is_what_the_ci_system_says)
{
	static const struct {
		const char *variables[9];
		size_t number, count; /* count 0: no part */
		const char *complaint;
	} cases[] = {
		{{NULL}, 0, 0, NULL},
		{{"CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "3"}, 1, 3, NULL},
		{{"CI_NODE_INDEX", "3", "CI_NODE_TOTAL", "3"}, 3, 3, NULL},
		/* GitLab without `parallel` gives the total alone */
		{{"CI_NODE_TOTAL", "1"}, 0, 0, NULL},
		{{"CI_NODE_INDEX", "", "CI_NODE_TOTAL", "3"}, 0, 0, NULL},
		{{"CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "1"}, 1, 0, NULL},
		{{"CIRCLE_NODE_INDEX", "0", "CIRCLE_NODE_TOTAL", "3"}, 1, 3, NULL},
		{{"CIRCLE_NODE_INDEX", "2", "CIRCLE_NODE_TOTAL", "3"}, 3, 3, NULL},
		{{"JOB_COMPLETION_INDEX", "0", "SYNFAULT_SHARDS", "8"}, 1, 8, NULL},
		{{"JOB_COMPLETION_INDEX", "7", "JOB_COMPLETION_TOTAL", "8"}, 8, 8, NULL},
		{{"JOB_COMPLETION_INDEX", "1", "JOB_COMPLETION_TOTAL", "2", "SYNFAULT_SHARDS", "8"},
		 2,
		 2,
		 NULL},
		/* a number of parts alone says nothing */
		{{"SYNFAULT_SHARDS", "8"}, 0, 0, NULL},
		{{"CI_NODE_INDEX", "0", "CI_NODE_TOTAL", "3"},
		 0,
		 0,
		 "CI_NODE_INDEX: a number from 1"},
		{{"CI_NODE_INDEX", "4", "CI_NODE_TOTAL", "3"},
		 0,
		 0,
		 "CI_NODE_INDEX: a number from 1"},
		{{"CI_NODE_INDEX", "1"}, 0, 0, "CI_NODE_TOTAL is not; --shard 1/1"},
		{{"CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "many"}, 0, 0, "CI_NODE_TOTAL: a number"},
		{{"CIRCLE_NODE_INDEX", "3", "CIRCLE_NODE_TOTAL", "3"}, 0, 0, "from 0 to 2"},
		{{"JOB_COMPLETION_INDEX", "0"}, 0, 0, "SYNFAULT_SHARDS"},
		{{"JOB_COMPLETION_INDEX", "8", "SYNFAULT_SHARDS", "8"}, 0, 0, "from 0 to 7"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = NULL;
		struct shard shard = {0};
		bool good;

		set_environment(cases[i].variables);
		good = shard_from_environment(&shard, &message);
		cr_assert_eq(good, !cases[i].complaint, "case %zu: %s", i, message);
		cr_assert_eq(shard.count, cases[i].count, "case %zu", i);
		if (cases[i].count)
			cr_assert_eq(shard.number, cases[i].number, "case %zu", i);
		if (cases[i].complaint)
			cr_assert(strstr(message, cases[i].complaint), "case %zu: %s", i, message);
	}
}

/* A change of this would move scenarios between machines of different versions. */
Test(shard, of_a_name_is_the_same_for_ever)
{
	static const struct {
		const char *key;
		size_t number;
	} cases[] = {{"a.yaml\tone", 4}, {"a.yaml\ttwo", 4}, {"b.yaml\tone", 1}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(shard_of(cases[i].key, 8), cases[i].number, "%s: %zu", cases[i].key,
			     shard_of(cases[i].key, 8));
}

Test(shard, by_name_spreads_scenarios)
{
	size_t sizes[9] = {0};

	for (size_t i = 0; i < 8000; i++) {
		AUTO_FREE char *key = xasprintf("a.yaml\tscenario %zu", i);
		size_t number = shard_of(key, 8);

		cr_assert(number >= 1 && number <= 8);
		sizes[number]++;
	}
	/* 1000 each; a standard deviation is 30. */
	for (size_t k = 1; k <= 8; k++)
		cr_assert(sizes[k] > 850 && sizes[k] < 1150, "part %zu has %zu", k, sizes[k]);
}

/* ---- balanced ---- */

enum { MAX_ITEMS = 60, MAX_PARTS = 9 };

/* Items of one round of the property test. */
struct round {
	struct shard_item items[MAX_ITEMS];
	char *keys[MAX_ITEMS + 1];
	size_t n_items, n_parts;
};

static void make_round(struct round *round, uint64_t seed)
{
	round->n_items = (size_t)random_between(random_draw(seed, 1, 0, 0), 0, MAX_ITEMS);
	round->n_parts = (size_t)random_between(random_draw(seed, 2, 0, 0), 1, MAX_PARTS);
	for (size_t i = 0; i < round->n_items; i++) {
		int64_t longest_ms = i % 7 ? 5000 : 60000;

		round->keys[i] = xasprintf("scenario %zu", i);
		round->items[i] = (struct shard_item){
			.key = round->keys[i],
			.duration_ns = random_between(random_draw(seed, 3, i, 0), 1, longest_ms) *
				       NS_PER_MS,
		};
	}
	round->keys[round->n_items] = NULL;
}

static void check_bound(const struct round *round, const size_t *numbers, uint64_t seed)
{
	int64_t loads_ns[MAX_PARTS + 1] = {0}, sum_ns = 0, longest_ns = 0, bound_ns;

	for (size_t i = 0; i < round->n_items; i++) {
		cr_assert(numbers[i] >= 1 && numbers[i] <= round->n_parts, "seed %llu",
			  (unsigned long long)seed);
		loads_ns[numbers[i]] += round->items[i].duration_ns;
		sum_ns += round->items[i].duration_ns;
		longest_ns = MAX(longest_ns, round->items[i].duration_ns);
	}
	/* The last one put on the fullest part met a load of at most the mean of the others. */
	bound_ns = sum_ns / (int64_t)round->n_parts +
		   longest_ns * (int64_t)(round->n_parts - 1) / (int64_t)round->n_parts + 1;
	for (size_t k = 1; k <= round->n_parts; k++)
		cr_assert_leq(loads_ns[k], bound_ns, "seed %llu: part %zu of %zu",
			      (unsigned long long)seed, k, round->n_parts);
}

/* Each machine sorts on its own: the order in which it has the items must not matter. */
static void check_order(const struct round *round, const size_t *numbers, uint64_t seed)
{
	struct shard_item reversed[MAX_ITEMS];
	size_t again[MAX_ITEMS];

	for (size_t i = 0; i < round->n_items; i++)
		reversed[i] = round->items[round->n_items - 1 - i];
	shard_balance(reversed, round->n_items, round->n_parts, again);
	for (size_t i = 0; i < round->n_items; i++)
		cr_assert_eq(again[round->n_items - 1 - i], numbers[i], "seed %llu: item %zu",
			     (unsigned long long)seed, i);
}

Test(shard, balanced_holds_all_once_within_the_greedy_bound)
{
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct round round;
		size_t numbers[MAX_ITEMS] = {0};

		make_round(&round, seed);
		shard_balance(round.items, round.n_items, round.n_parts, numbers);
		check_bound(&round, numbers, seed);
		check_order(&round, numbers, seed);
		for (size_t i = 0; i < round.n_items; i++)
			free(round.keys[i]);
	}
}

Test(shard, balanced_gives_the_longest_its_own_part)
{
	static const struct shard_item items[] = {
		{"a", 1 * NS_PER_S}, {"b", 1 * NS_PER_S}, {"c", 10 * NS_PER_S},
		{"d", 1 * NS_PER_S}, {"e", 1 * NS_PER_S},
	};
	size_t numbers[ARRAY_SIZE(items)];

	shard_balance(items, ARRAY_SIZE(items), 2, numbers);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		cr_assert_eq(numbers[i], i == 2 ? 1 : 2, "%s", items[i].key);
}

Test(shard, balanced_counts_unknown_scenarios_as_average)
{
	/* The mean is 4 s: two unknown weigh as much as the known ones. */
	static const struct shard_item items[] = {
		{"a", 6 * NS_PER_S}, {"b", 2 * NS_PER_S}, {"c", -1}, {"d", -1}};
	static const struct shard_item unknown[] = {{"a", -1}, {"b", -1}, {"c", -1}, {"d", -1}};
	size_t numbers[ARRAY_SIZE(items)], n_first = 0;

	shard_balance(items, ARRAY_SIZE(items), 2, numbers);
	cr_assert_eq(numbers[0], numbers[1]);
	cr_assert_eq(numbers[2], numbers[3]);
	cr_assert_neq(numbers[0], numbers[2]);
	shard_balance(unknown, ARRAY_SIZE(unknown), 2, numbers);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		n_first += numbers[i] == 1;
	cr_assert_eq(n_first, 2);
}

/* ---- all there ---- */

Test(shard, check_finds_shards_that_are_missing_or_repeated)
{
	static const struct {
		struct shard shards[3];
		size_t n_shards;
		const char *complaint;
	} cases[] = {
		{{{1, 3, ""}, {2, 3, ""}, {3, 3, ""}}, 3, NULL},
		{{{3, 3, ""}, {1, 3, ""}, {2, 3, ""}}, 3, NULL},
		{{{0, 0, ""}, {0, 0, ""}}, 2, NULL},
		{{{1, 1, ""}}, 1, NULL},
		{{{1, 3, ""}, {3, 3, ""}}, 2, "part 2 of 3 is missing"},
		{{{2, 4, ""}}, 1, "parts 1, 3, 4 of 4 are missing"},
		{{{1, 3, ""}, {2, 3, ""}, {2, 3, ""}}, 3, "b and c are both part 2 of 3"},
		{{{1, 3, ""}, {2, 2, ""}}, 2, "a is a part of 3, but b of 2"},
		{{{1, 2, ""}, {0, 0, ""}}, 2, "a is a part of a suite, but b is not"},
		{{{0, 0, ""}, {1, 2, ""}}, 2, "b is a part of a suite, but a is not"},
	};
	static const char *const names[] = {"a", "b", "c"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = NULL;
		bool good = shard_check_all(cases[i].shards, names, cases[i].n_shards, &message);

		cr_assert_eq(good, !cases[i].complaint, "case %zu: %s", i, message);
		if (cases[i].complaint)
			cr_assert_str_eq(message, cases[i].complaint);
	}
}
