/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of judgement, on thousands of generated runs whose right answer is known from how they
 * were made. The number of a run is its seed: a failure names it, and the run fails again.
 */
#include <criterion/criterion.h>

#include "common/random.h"
#include "tests/lib/record_builder.h"

TestSuite(judge_properties);

#ifdef __SANITIZE_ADDRESS__
#define RUNS 1000 /* each takes ten times as long */
#else
#define RUNS 4000
#endif
#define MS NS_PER_MS

/* One run's source of numbers. */
struct dice {
	uint64_t run, n_drawn;
};

static int64_t roll(struct dice *dice, int64_t low, int64_t high)
{
	return random_between(random_draw(2026, dice->run, dice->n_drawn++, 0), low, high);
}

/* A policy, and its waits as this test computes them, in whole milliseconds. */
struct plan {
	struct policy policy;
	struct tolerance tolerance;
	int64_t percent;
	int64_t low_ms[12], high_ms[12]; /* waits that are allowed, tolerance included */
	struct range list[12];
	size_t n_waits;
};

static void allow(struct plan *plan, size_t k, int64_t low_ns, int64_t high_ns, bool tolerant)
{
	int64_t absolute_ns = tolerant ? plan->tolerance.absolute_ns : 0;
	int64_t percent = tolerant ? plan->percent : 0;
	int64_t early_ns = MIN(absolute_ns + low_ns / 100 * percent, low_ns / 2);

	plan->low_ms[k - 1] = (low_ns - early_ns + MS - 1) / MS;
	plan->high_ms[k - 1] = (high_ns + absolute_ns + high_ns / 100 * percent) / MS;
}

static void plan_exponential(struct plan *plan, struct dice *dice)
{
	int64_t factor = roll(dice, 1, 3);
	int64_t wait_ms = roll(dice, 1, 500) * 4;
	int64_t cap_ms = roll(dice, 0, 1) ? roll(dice, 1, 2000) * 4 : INT64_MAX;
	int64_t jitter_percent = roll(dice, 0, 4) * 25;

	plan->policy = (struct policy){
		.kind = POLICY_EXPONENTIAL,
		.base_ns = wait_ms * MS,
		.factor = (double)factor,
		.cap_ns = cap_ms == INT64_MAX ? INT64_MAX : cap_ms * MS,
		.jitter = (enum jitter_kind)roll(dice, JITTER_NONE, JITTER_PERCENT),
		.jitter_percent = (double)jitter_percent,
	};
	for (size_t k = 1; k <= plan->n_waits; k++, wait_ms *= factor) {
		int64_t wait_ns = MIN(wait_ms, cap_ms) * MS, low_ns = wait_ns, high_ns = wait_ns;

		if (plan->policy.jitter == JITTER_FULL)
			low_ns = 0;
		if (plan->policy.jitter == JITTER_EQUAL)
			low_ns = wait_ns / 2;
		if (plan->policy.jitter == JITTER_PERCENT) {
			low_ns = wait_ns - wait_ns / 100 * jitter_percent;
			high_ns = wait_ns + wait_ns / 100 * jitter_percent;
		}
		allow(plan, k, low_ns, high_ns, true);
	}
}

static void make_plan(struct plan *plan, struct dice *dice)
{
	*plan = (struct plan){.n_waits = (size_t)roll(dice, 1, 12), .percent = roll(dice, 0, 20)};
	plan->tolerance.absolute_ns = roll(dice, 0, 300) * MS;
	plan->tolerance.relative = (double)plan->percent / 100;
	switch (roll(dice, 0, 2)) {
	case 0:
		plan->policy =
			(struct policy){.kind = POLICY_FIXED, .base_ns = roll(dice, 0, 5000) * MS};
		for (size_t k = 1; k <= plan->n_waits; k++)
			allow(plan, k, plan->policy.base_ns, plan->policy.base_ns, true);
		break;
	case 1:
		plan->policy.kind = POLICY_LIST;
		plan->policy.list = plan->list;
		plan->policy.n_list = plan->n_waits;
		for (size_t k = 1; k <= plan->n_waits; k++) {
			int64_t low = roll(dice, 0, 5000) * MS;
			int64_t high = low + roll(dice, 0, 1) * roll(dice, 1, 1000) * MS;

			plan->list[k - 1] = (struct range){low, high};
			allow(plan, k, low, high, low == high);
		}
		break;
	default:
		plan_exponential(plan, dice);
		break;
	}
}

/* A script with a step of its own for each attempt. */
static char *draw_script(size_t n_attempts, struct dice *dice)
{
	static const char *const steps[] = {"refuse", "drop", "accept", "delay 70ms then refuse",
					    "lose 2"};
	struct strbuf script = {0};

	for (size_t i = 0; i < n_attempts; i++)
		strbuf_printf(&script, "%s%s", i > 0 ? ", " : "",
			      steps[roll(dice, 0, ARRAY_SIZE(steps) - 1)]);
	return strbuf_steal(&script);
}

/* Makes the next attempt as its step says. Returns when it ended. */
static int64_t attempt_by_script(struct record_builder *b, size_t endpoint, size_t number,
				 int64_t at_ms, struct dice *dice)
{
	const struct script *script = &b->scenario->endpoints[endpoint].script;
	const struct step *step = &script->steps[script_step_index(script, number)];
	int64_t end_ms = at_ms;

	switch (step->action) {
	case STEP_REFUSE:
		record_builder_attempt_refused(b, endpoint, at_ms);
		break;
	case STEP_DROP:
		end_ms = at_ms + roll(dice, 1, 5000);
		record_builder_attempt_dropped(b, endpoint, at_ms, end_ms);
		break;
	case STEP_LOSE:
		end_ms = at_ms + 1000 * step->lose;
		record_builder_attempt_lost(b, endpoint, at_ms, step->lose);
		break;
	case STEP_DELAY:
		end_ms = at_ms + 70;
		record_builder_attempt_refused_late(b, endpoint, at_ms, 70);
		break;
	default:
		record_builder_attempt_connected(b, endpoint, at_ms);
		break;
	}
	return end_ms;
}

/* A run of a client that keeps to the plan, except in the wait number @wrong (0: none). */
static struct record_builder *run_of_plan(const struct plan *plan, struct dice *dice, size_t wrong)
{
	struct record_builder *b = record_builder_new();
	AUTO_FREE char *script = draw_script(plan->n_waits + 1, dice);
	size_t api = record_builder_endpoint(b, "api", script);
	struct expectation *expectation = record_builder_expect(b, EXPECT_BACKOFF, api);
	int64_t at_ms = roll(dice, 0, 100);

	b->scenario->timeout_ns = DURATION_MAX_NS;
	expectation->value.policy = plan->policy;
	expectation->value.policy.list =
		xmemdup(plan->policy.list, plan->policy.n_list * sizeof(struct range));
	expectation->tolerance = plan->tolerance;
	at_ms = attempt_by_script(b, api, 1, at_ms, dice);
	for (size_t k = 1; k <= plan->n_waits; k++) {
		int64_t low_ms = plan->low_ms[k - 1], high_ms = plan->high_ms[k - 1];
		int64_t wait_ms = roll(dice, low_ms, high_ms);

		/* Often exactly at the limit. */
		if (roll(dice, 0, 3) == 0)
			wait_ms = roll(dice, 0, 1) ? low_ms : high_ms;
		if (k == wrong && low_ms > 0 && roll(dice, 0, 1))
			wait_ms = roll(dice, 0, 1) ? low_ms - 1 : roll(dice, 0, low_ms - 1);
		else if (k == wrong)
			wait_ms = high_ms + (roll(dice, 0, 1) ? 1 : roll(dice, 1, 10000));
		at_ms = attempt_by_script(b, api, k + 1, at_ms + wait_ms, dice);
	}
	record_builder_client_exits(b, at_ms + 10, 0);
	return b;
}

static const char *first_message(const struct judgement *judgement)
{
	return judgement->n_findings > 0 ? judgement->findings[0].message : "no finding";
}

Test(judge_properties, waits_within_their_bounds_pass)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		struct dice dice = {.run = run};
		struct plan plan;

		make_plan(&plan, &dice);
		AUTO_RECORD_BUILDER struct record_builder *b = run_of_plan(&plan, &dice, 0);
		struct judgement judgement = record_builder_judge(b);
		cr_assert_eq(judgement.outcome, OUTCOME_PASS, "run %ju: %s", (uintmax_t)run,
			     first_message(&judgement));
		judgement_free(&judgement);
	}
}

Test(judge_properties, one_wait_beyond_its_bounds_is_the_one_that_is_found)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		struct dice dice = {.run = run};
		struct plan plan;
		size_t wrong;

		make_plan(&plan, &dice);
		wrong = (size_t)roll(&dice, 1, (int64_t)plan.n_waits);
		AUTO_RECORD_BUILDER struct record_builder *b = run_of_plan(&plan, &dice, wrong);
		AUTO_FREE char *subject = xasprintf("backoff %zu at api", wrong);
		struct judgement judgement = record_builder_judge(b);
		cr_assert_eq(judgement.outcome, OUTCOME_FAIL, "run %ju: %s", (uintmax_t)run,
			     outcome_name(judgement.outcome));
		cr_assert_eq(judgement.n_findings, 1, "run %ju: %zu", (uintmax_t)run,
			     judgement.n_findings);
		cr_assert_str_eq(judgement.findings[0].subject, subject, "run %ju: %s",
				 (uintmax_t)run, first_message(&judgement));
		cr_assert_eq(judgement.findings[0].attempt, wrong);
		judgement_free(&judgement);
	}
}

Test(judge_properties, attempts_pass_exactly_when_their_number_is_in_the_range)
{
	for (uint64_t run = 0; run < RUNS; run++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		struct dice dice = {.run = run};
		int64_t n_endpoints = roll(&dice, 1, 3), n_attempts = roll(&dice, 1, 15);
		int64_t counts[4] = {0}, count;
		int64_t low = roll(&dice, 0, 12),
			high = low + roll(&dice, 0, 1) * roll(&dice, 0, 4);
		size_t about = (size_t)roll(&dice, 0, n_endpoints);
		struct judgement judgement;
		bool inside;

		for (int64_t i = 0; i < n_endpoints; i++)
			record_builder_endpoint(b, (const char *[]){"a", "b", "c"}[i], "accept");
		for (int64_t i = 0; i < n_attempts; i++) {
			size_t endpoint = (size_t)roll(&dice, 0, n_endpoints - 1);

			record_builder_attempt_connected(b, endpoint, 10 * i);
			counts[endpoint]++;
		}
		count = about == (size_t)n_endpoints ? n_attempts : counts[about];
		inside = count >= low && count <= high;
		record_builder_client_exits(b, 1000, 0);
		record_builder_expect_attempts(
			b, about == (size_t)n_endpoints ? ALL_ENDPOINTS : about, low, high);
		judgement = record_builder_judge(b);
		cr_assert_eq(judgement.outcome, inside ? OUTCOME_PASS : OUTCOME_FAIL, "run %ju: %s",
			     (uintmax_t)run, first_message(&judgement));
		judgement_free(&judgement);
	}
}

/* A random record: all sorts of events, right and wrong, and expectations. */
static struct record_builder *random_run(struct dice *dice)
{
	struct record_builder *b = record_builder_new();
	size_t n_endpoints = (size_t)roll(dice, 1, 3);
	int64_t at_ms[3] = {0}, end_ms = 0;
	size_t numbers[3] = {0};

	for (size_t i = 0; i < n_endpoints; i++) {
		AUTO_FREE char *script = draw_script((size_t)roll(dice, 1, 4), dice);

		record_builder_endpoint(b, (const char *[]){"a", "b", "c"}[i], script);
	}
	for (int64_t i = roll(dice, 0, 12); i > 0; i--) {
		size_t endpoint = (size_t)roll(dice, 0, (int64_t)n_endpoints - 1);

		at_ms[endpoint] += roll(dice, 0, 3000);
		at_ms[endpoint] =
			attempt_by_script(b, endpoint, ++numbers[endpoint], at_ms[endpoint], dice);
		end_ms = MAX(end_ms, at_ms[endpoint]);
	}
	if (roll(dice, 0, 9) == 0 && b->record->n_attempts > 0)
		record_builder_attempt_left_open(b, 0, end_ms);
	for (int64_t i = roll(dice, 0, 3); i > 0; i--)
		record_builder_client_writes(b, (uint32_t)roll(dice, 0, 1), roll(dice, 0, 1000),
					     "re\xff"
					     "fused\n\0",
					     (size_t)roll(dice, 0, 10));
	if (roll(dice, 0, 9) == 0)
		record_builder_times_out(b, end_ms);
	if (roll(dice, 0, 19) > 0)
		record_builder_client_exits(b, end_ms + roll(dice, -100, 100),
					    (int)roll(dice, 0, 2));
	b->record->harness_lag_ns = roll(dice, 0, 3) == 0 ? roll(dice, 0, NS_PER_S) : 0;
	b->record->client_lag_ns = roll(dice, -1, 1000000);
	if (roll(dice, 0, 19) == 0)
		record_add_problem(b->record, roll(dice, 0, 1), "something went wrong");

	record_builder_expect_exit(b, 0);
	record_builder_expect_attempts(b, ALL_ENDPOINTS, roll(dice, 0, 4), roll(dice, 4, 8));
	record_builder_expect_fixed(b, EXPECT_BACKOFF, ALL_ENDPOINTS, roll(dice, 0, 2000));
	record_builder_expect_list(b, EXPECT_ATTEMPT_DELAY, 0, 1000, 2000, -1);
	record_builder_expect_text(b, EXPECT_STDERR, roll(dice, 0, 1),
				   (enum text_match_kind)roll(dice, 0, 1), "fused");
	return b;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_finding(const struct finding *a, const struct finding *b)
{
	return same_text(a->type, b->type) && same_text(a->subject, b->subject) &&
	       same_text(a->expected, b->expected) && same_text(a->actual, b->actual) &&
	       same_text(a->miss, b->miss) && same_text(a->message, b->message) &&
	       a->place.path == b->place.path && a->place.line == b->place.line &&
	       a->caused_by_lag == b->caused_by_lag && a->attempt == b->attempt;
}

Test(judge_properties, a_record_is_judged_the_same_after_a_round_trip)
{
	size_t outcomes[OUTCOME_N_KINDS] = {0};

	for (uint64_t run = 0; run < RUNS; run++) {
		struct dice dice = {.run = run};
		AUTO_RECORD_BUILDER struct record_builder *b = random_run(&dice);
		size_t length;
		AUTO_FREE char *json = record_write_json(b->record, &length), *message = NULL;
		AUTO_RECORD struct record *again = record_read_json(json, length, &message);
		struct judgement first, second;

		cr_assert_not_null(again, "run %ju: %s", (uintmax_t)run, message);
		first = record_builder_judge(b);
		second = judge(b->scenario, again, NULL);
		cr_assert_eq(first.outcome, second.outcome, "run %ju", (uintmax_t)run);
		cr_assert_eq(first.n_findings, second.n_findings, "run %ju", (uintmax_t)run);
		for (size_t i = 0; i < first.n_findings; i++)
			cr_assert(same_finding(&first.findings[i], &second.findings[i]),
				  "run %ju: %s", (uintmax_t)run, first.findings[i].message);
		outcomes[first.outcome]++;
		judgement_free(&first);
		judgement_free(&second);
	}
	/* The generator must reach both, or this test would prove nothing. */
	cr_expect_gt(outcomes[OUTCOME_FAIL], RUNS / 20);
	cr_expect_gt(outcomes[OUTCOME_ERROR], RUNS / 20);
}
