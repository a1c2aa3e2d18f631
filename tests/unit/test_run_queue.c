/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the policy that decides which scenario starts next. */
#include <criterion/criterion.h>

#include "runner/schedule/run_queue.h"

/* What to do with the item that run_queue_next() offers. */
enum answer { START, BLOCK };

/* Expects the next item to be this result, and answers. */
static void expect_next(struct run_queue *queue, size_t n_running, size_t result,
			enum answer answer)
{
	struct run_queue_item item = {.result = SIZE_MAX};

	cr_assert(run_queue_next(queue, n_running, &item), "nothing instead of %zu", result);
	cr_assert_eq(item.result, result, "%zu instead of %zu", item.result, result);
	if (answer == START)
		run_queue_take(queue, &item);
	else
		run_queue_defer(queue, &item);
}

static void expect_nothing(const struct run_queue *queue, size_t n_running)
{
	struct run_queue_item item;

	cr_assert(!run_queue_next(queue, n_running, &item), "%zu instead of nothing", item.result);
}

static void run_queue_freep(struct run_queue *queue)
{
	run_queue_free(queue);
}
#define AUTO_QUEUE CLEANUP(run_queue_freep)

Test(run_queue, scenarios_start_in_their_order)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(3);

	for (size_t i = 0; i < 3; i++) {
		cr_expect(!run_queue_is_done(&queue));
		expect_next(&queue, i, i, START);
	}
	expect_nothing(&queue, 3);
	cr_expect(run_queue_is_done(&queue));
}

Test(run_queue, an_item_stays_until_it_is_taken)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(1);
	struct run_queue_item first, second;

	cr_assert(run_queue_next(&queue, 0, &first) && run_queue_next(&queue, 0, &second));
	cr_expect_eq(first.result, second.result);
}

Test(run_queue, a_blocked_item_is_overtaken_and_tried_first_in_the_next_round)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(4);

	expect_next(&queue, 0, 0, START);
	expect_next(&queue, 1, 1, BLOCK);
	expect_next(&queue, 1, 2, START);
	run_queue_begin_round(&queue);
	expect_next(&queue, 2, 1, BLOCK);
	expect_next(&queue, 2, 3, BLOCK);
	expect_nothing(&queue, 2);
	cr_expect(!run_queue_is_done(&queue), "two wait");
	run_queue_begin_round(&queue);
	expect_next(&queue, 1, 1, START);
	expect_next(&queue, 2, 3, START);
	cr_expect(run_queue_is_done(&queue));
}

Test(run_queue, blocked_items_keep_their_order_when_one_of_them_starts)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(3);

	for (size_t i = 0; i < 3; i++)
		expect_next(&queue, 1, i, BLOCK);
	run_queue_begin_round(&queue);
	expect_next(&queue, 1, 0, BLOCK);
	expect_next(&queue, 1, 1, START);
	expect_next(&queue, 2, 2, BLOCK);
	run_queue_begin_round(&queue);
	expect_next(&queue, 1, 0, START);
	expect_next(&queue, 2, 2, START);
}

Test(run_queue, retries_come_before_scenarios_that_have_not_run)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(3);
	struct run_queue_item item;

	expect_next(&queue, 0, 0, START);
	run_queue_retry(&queue, 0, RETRY_SOON);
	cr_assert(run_queue_next(&queue, 0, &item));
	cr_expect(item.again && item.result == 0);
	expect_next(&queue, 0, 0, START);
	expect_next(&queue, 1, 1, START);
}

Test(run_queue, a_retry_that_appears_while_another_item_settles_is_not_lost)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(2);
	struct run_queue_item item;

	cr_assert(run_queue_next(&queue, 0, &item));
	run_queue_retry(&queue, item.result, RETRY_SOON);
	run_queue_take(&queue, &item);
	expect_next(&queue, 0, 0, START);
	expect_next(&queue, 0, 1, START);
	cr_expect(run_queue_is_done(&queue));
}

Test(run_queue, a_retry_that_needs_a_quiet_machine_starts_when_nothing_runs_or_waits)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(3);

	expect_next(&queue, 0, 0, START);
	run_queue_retry(&queue, 0, RETRY_ALONE);
	expect_next(&queue, 0, 1, START);
	expect_next(&queue, 1, 2, BLOCK);
	expect_nothing(&queue, 1);
	run_queue_begin_round(&queue);
	expect_next(&queue, 0, 2, START);
	expect_nothing(&queue, 1);
	cr_expect(!run_queue_is_done(&queue));
	expect_next(&queue, 0, 0, START);
	cr_expect(run_queue_is_done(&queue));
}

Test(run_queue, a_closed_queue_starts_nothing_but_can_be_drained)
{
	AUTO_QUEUE struct run_queue queue = run_queue_new(4);
	struct run_queue_item item;
	size_t results[4] = {0}, n = 0;
	bool again[4] = {false};

	expect_next(&queue, 0, 0, START);
	expect_next(&queue, 1, 1, BLOCK);
	run_queue_retry(&queue, 0, RETRY_ALONE);
	run_queue_close(&queue);
	run_queue_begin_round(&queue);
	expect_nothing(&queue, 0);
	cr_expect(run_queue_is_done(&queue));
	for (; n < 4 && run_queue_drain(&queue, &item); n++) {
		results[n] = item.result;
		again[n] = item.again;
	}
	cr_assert_eq(n, 4);
	cr_expect_eq(results[0], 1);
	cr_expect_eq(results[1], 2);
	cr_expect_eq(results[2], 3);
	cr_expect(results[3] == 0 && again[3] && !again[0]);
	cr_expect(!run_queue_drain(&queue, &item));
}

/* A file with one scenario for each line of endpoints; freed with it. */
static struct scenario_file *make_scenarios(size_t n, const char *const *endpoints)
{
	AUTO_STRBUF struct strbuf text = {0};

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&text,
			      "---\nname: s%zu\nclient: {command: [x]}\nendpoints: {%s}\n"
			      "expect: {exit: 0}\n",
			      i, endpoints[i]);
	return scenario_file_parse("a.yaml", strbuf_text(&text), text.length);
}

Test(run_queue, scenarios_with_the_same_remote_address_do_not_run_beside_each_other)
{
	static const char *const endpoints[] = {
		"api: {}",
		"api: {remote: \"192.0.2.1:80\"}",
		"api: {remote: \"192.0.2.1:80\"}",
		"api: {remote: \"192.0.2.2:80\"}",
	};
	struct scenario_file *file = make_scenarios(ARRAY_SIZE(endpoints), endpoints);
	struct scenario *const *s = file->scenarios;

	cr_assert_eq(file->n_scenarios, ARRAY_SIZE(endpoints), "%s", file->diags.items[0].message);
	cr_expect(run_queue_may_run_beside(s[0], (const struct scenario *[]){s[0], s[1]}, 2));
	cr_expect(run_queue_may_run_beside(s[1], (const struct scenario *[]){s[0], s[3]}, 2));
	cr_expect(!run_queue_may_run_beside(s[2], (const struct scenario *[]){s[0], s[1]}, 2));
	cr_expect(run_queue_may_run_beside(s[3], (const struct scenario *[]){s[1]}, 1));
	scenario_file_free(file);
}
