/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judgement where scripts were replaced, and attempts held, while they were armed. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "tests/lib/record_builder.h"

TestSuite(script_parts);

static void expect_outcome(const struct record_builder *b, enum outcome outcome,
			   const char *message)
{
	struct judgement judgement = record_builder_judge(b);
	const char *first = judgement.n_findings > 0 ? judgement.findings[0].message : "no finding";

	cr_expect_str_eq(outcome_name(judgement.outcome), outcome_name(outcome), "%s", first);
	cr_expect_str_eq(first, message ? message : "no finding");
	judgement_free(&judgement);
}

/* Adds a change; @limit_ms 0: the script is replaced. */
static void change(struct record_builder *b, uint32_t attempt, int64_t limit_ms, const char *steps)
{
	struct record *record = b->record;
	const struct record_change change = {
		.attempt = attempt,
		.limit_ns = limit_ms * NS_PER_MS,
		.steps = steps ? xstrdup(steps) : NULL,
	};

	array_append(record->changes, record->n_changes, record->changes_capacity, change);
}

static void served_by(struct record_builder *b, uint32_t id, uint32_t step, int64_t delay_ms)
{
	b->record->attempts[id].step = step;
	b->record->attempts[id].delay_ns = delay_ms * NS_PER_MS;
}

static struct record_builder *builder(const char *script)
{
	struct record_builder *b = record_builder_new();

	(void)record_builder_endpoint(b, "api", script);
	return b;
}

static void ends(struct record_builder *b, int64_t at_ms)
{
	record_builder_client_exits(b, at_ms, 0);
	record_builder_expect_exit(b, 0);
}

Test(script_parts, attempts_are_held_against_the_script_in_force)
{
	AUTO_RECORD_BUILDER struct record_builder *b = builder("refuse");

	record_builder_attempt_refused(b, 0, 0);
	served_by(b, record_builder_attempt_dropped(b, 0, 1000, 1500), 1, 0);
	served_by(b, record_builder_attempt_connected(b, 0, 2000), 2, 0);
	ends(b, 3000);
	expect_outcome(b, OUTCOME_ERROR,
		       "attempt 2 at api was served by step 2 of the script, not 1");
	change(b, 2, 0, "drop, accept");
	expect_outcome(b, OUTCOME_PASS, NULL);
	b->record->changes[0].attempt = 3;
	expect_outcome(b, OUTCOME_ERROR,
		       "attempt 2 at api was served by step 2 of the script, not 1");
	b->record->changes[0].attempt = 2;
	b->record->attempts[2].step = 1;
	expect_outcome(b, OUTCOME_ERROR,
		       "attempt 3 at api was served by step 2 of the script, not 3");
}

Test(script_parts, every_script_has_to_fire)
{
	static const struct {
		const char *name, *script, *replacement;
		uint32_t from;
		int64_t expected; /* attempts; 0: any number */
		const char *message;
	} cases[] = {
		{"both did", "refuse x2", "refuse", 3, 0, NULL},
		{"the first did not in full", "refuse x3", "refuse", 3, 0,
		 "step 1 (\"refuse x3\") at api fired for 2 of 3 attempts"},
		{"the first one's last step did not", "refuse x2, drop", "refuse", 3, 0,
		 "step 2 (\"drop\") at api never fired"},
		{"the first served no attempt", "drop", "refuse", 1, 0,
		 "step 1 (\"drop\") at api never fired"},
		{"the second served no attempt", "refuse", "drop", 4, 0,
		 "step 2 (\"drop\") at api never fired"},
		{"the second did not in full", "refuse", "refuse x2, drop", 3, 0,
		 "step 2 (\"refuse x2\") at api fired for 1 of 2 attempts"},
		{"no more were expected", "refuse", "refuse, drop", 3, 3, NULL},
		{"one more was expected", "refuse", "refuse, drop", 3, 4,
		 "attempts at api: expected 4, seen 3"},
		{"accept need not", "refuse x2, accept", "refuse", 3, 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RECORD_BUILDER struct record_builder *b = builder(cases[i].script);
		const uint32_t n_steps = (uint32_t)b->scenario->endpoints[0].script.n_steps;

		for (uint32_t number = 1; number <= 3; number++) {
			uint32_t id = record_builder_attempt_refused(b, 0, 100 * number);

			if (number >= cases[i].from)
				served_by(b, id, n_steps, 0);
			else
				served_by(b, id, 0, 0);
		}
		change(b, cases[i].from, 0, cases[i].replacement);
		ends(b, 1000);
		if (cases[i].expected) {
			struct judgement judgement;

			record_builder_expect_attempts(b, 0, cases[i].expected, cases[i].expected);
			judgement = record_builder_judge(b);
			cr_expect_eq(judgement.outcome == OUTCOME_PASS, !cases[i].message, "%s",
				     cases[i].name);
			judgement_free(&judgement);
			continue;
		}
		expect_outcome(b, cases[i].message ? OUTCOME_ERROR : OUTCOME_PASS,
			       cases[i].message);
	}
}

Test(script_parts, held_attempt_has_the_verdict_of_its_release)
{
	AUTO_RECORD_BUILDER struct record_builder *b = builder("refuse, accept");
	uint32_t id;

	record_builder_attempt_refused(b, 0, 0);
	change(b, 2, 30000, "refuse");
	/* Its retransmission is answered together with its first SYN. */
	id = record_builder_attempt(b, 0);
	served_by(b, id, 2, 1500);
	record_builder_syn(b, id, 1, 1000);
	record_builder_syn(b, id, 2, 2000);
	record_builder_verdict(b, id, 1, VERDICT_REFUSE, 2500);
	record_builder_verdict(b, id, 2, VERDICT_REFUSE, 2500);
	record_builder_closed(b, id, 2500, 1);
	/* The script goes on as if that attempt had not been made. */
	served_by(b, record_builder_attempt_connected(b, 0, 4000), 1, 0);
	ends(b, 5000);
	expect_outcome(b, OUTCOME_PASS, NULL);
	b->record->attempts[id].delay_ns = 2000 * NS_PER_MS;
	expect_outcome(b, OUTCOME_ERROR,
		       "attempt 2 at api got the verdict for its SYN 1 before its time");
	b->record->attempts[id].delay_ns = 1500 * NS_PER_MS;
	free(b->record->changes[0].steps);
	b->record->changes[0].steps = xstrdup("accept");
	expect_outcome(b, OUTCOME_ERROR,
		       "attempt 2 at api got the verdict \"refuse\" for its SYN 1, not \"accept\"");
}

/* The first attempt is held from 0 to 500 ms; the server is down until 1 s. */
static enum outcome window_from_held(int64_t refused_ms, int64_t connected_ms)
{
	AUTO_RECORD_BUILDER struct record_builder *b =
		builder("down 1s from first-attempt, accept");
	struct judgement judgement;
	enum outcome outcome;

	change(b, 1, 30000, "accept");
	served_by(b, record_builder_attempt_connected_late(b, 0, 0, 500), 2, 500);
	served_by(b, record_builder_attempt_refused(b, 0, refused_ms), 0, 0);
	served_by(b, record_builder_attempt_connected(b, 0, connected_ms), 1, 0);
	ends(b, 5000);
	judgement = record_builder_judge(b);
	outcome = judgement.outcome;
	judgement_free(&judgement);
	return outcome;
}

Test(script_parts, window_from_the_first_attempt_counts_from_a_held_one)
{
	cr_expect_eq(window_from_held(600, 1200), OUTCOME_PASS);
	cr_expect_eq(window_from_held(600, 900), OUTCOME_ERROR);
	cr_expect_eq(window_from_held(1100, 1200), OUTCOME_ERROR);
}

Test(script_parts, attempt_that_was_not_released_proves_nothing)
{
	AUTO_RECORD_BUILDER struct record_builder *b = builder("accept");
	uint32_t id;

	change(b, 1, 1000, NULL);
	id = record_builder_attempt_connected_late(b, 0, 0, 1000);
	served_by(b, id, 1, 1000);
	ends(b, 5000);
	expect_outcome(b, OUTCOME_ERROR,
		       "step 2 (\"delay 1s\") at api held an attempt that was not released");
}

Test(script_parts, attempt_that_never_came_could_not_be_held)
{
	AUTO_RECORD_BUILDER struct record_builder *b = builder("refuse");

	record_builder_attempt_refused(b, 0, 0);
	change(b, 2, 1000, NULL);
	ends(b, 5000);
	expect_outcome(b, OUTCOME_ERROR,
		       "step 2 (\"delay 1s\") at api never fired: the attempt that it was to hold "
		       "was not made");
}

Test(script_parts, client_that_gives_up_a_held_attempt_has_seen_the_hold)
{
	AUTO_RECORD_BUILDER struct record_builder *b = builder("accept");
	uint32_t id;

	change(b, 1, 30000, NULL);
	id = record_builder_attempt(b, 0);
	served_by(b, id, 1, 30000);
	record_builder_syn(b, id, 1, 0);
	record_builder_closed(b, id, 500, 0);
	ends(b, 600);
	expect_outcome(b, OUTCOME_PASS, NULL);
}

Test(script_parts, change_that_can_not_be_read_is_an_error)
{
	AUTO_RECORD_BUILDER struct record_builder *b = builder("refuse");

	record_builder_attempt_refused(b, 0, 0);
	change(b, 2, 0, "refuze");
	ends(b, 100);
	expect_outcome(b, OUTCOME_ERROR,
		       "the record's faults can't be read: step \"refuze\": unknown step "
		       "\"refuze\"; did you mean \"refuse\"?");
	free(b->record->changes[0].steps);
	b->record->changes[0].steps = NULL;
	expect_outcome(b, OUTCOME_ERROR, "the record's faults can't be read: steps are missing");
}

Test(script_parts, record_says_what_was_changed_and_when)
{
	AUTO_RECORD_BUILDER struct record_builder *b = builder("refuse");
	AUTO_FREE char *text = NULL, *again = NULL, *message = NULL;
	struct record *read;
	size_t length;

	change(b, 2, 0, "drop, accept");
	change(b, 3, 1000, NULL);
	text = record_write_json(b->record, &length);
	read = record_read_json(text, length, &message);
	cr_assert_not_null(read, "%s", message);
	cr_assert_eq(read->n_changes, 2);
	cr_expect_str_eq(read->changes[0].steps, "drop, accept");
	cr_expect_eq(read->changes[1].limit_ns, NS_PER_S);
	again = record_write_json(read, &length);
	cr_expect_str_eq(again, text);
	record_free(read);
}
