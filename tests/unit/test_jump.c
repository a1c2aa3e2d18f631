/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of when the client's clock jumps. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/clock/jump.h"

TestSuite(jump);

#define NOW_NS (100 * NS_PER_S)
#define IN(s)  (NOW_NS + (s)*NS_PER_S)

/* Everything is idle, and nothing is due, ever. */
static struct jump_view at_rest(void)
{
	return (struct jump_view){
		.now_ns = NOW_NS,
		.client_ns = JUMP_NEVER,
		.chores_ns = JUMP_NEVER,
		.supervisor_ns = JUMP_NEVER,
		.kernel_ns = JUMP_NEVER,
		.asleep = true,
		.quiet = true,
	};
}

Test(jump, goes_to_the_earliest_of_client_and_supervisor)
{
	struct jump_view view = at_rest();
	struct jump jump;

	view.client_ns = IN(30);
	view.supervisor_ns = IN(60);
	jump = jump_decide(&view);
	cr_assert_eq(jump.action, JUMP_TO);
	cr_assert_eq(jump.to_ns, IN(30));
	view.supervisor_ns = IN(10);
	jump = jump_decide(&view);
	cr_assert_eq(jump.to_ns, IN(10));
}

Test(jump, does_not_come_while_a_thread_is_awake_or_something_is_under_way)
{
	struct jump_view view = at_rest();

	view.client_ns = IN(30);
	view.asleep = false;
	cr_assert_eq(jump_decide(&view).action, JUMP_NOT);
	view.asleep = true;
	view.quiet = false;
	cr_assert_eq(jump_decide(&view).action, JUMP_NOT);
}

Test(jump, lets_what_is_due_happen_first)
{
	struct jump_view view = at_rest();

	view.client_ns = NOW_NS - 1;
	cr_assert_eq(jump_decide(&view).action, JUMP_DUE);
	view.client_ns = NOW_NS + NS_PER_US;
	cr_assert_eq(jump_decide(&view).action, JUMP_DUE);
}

Test(jump, has_nowhere_to_go_when_nothing_is_to_come)
{
	struct jump_view view = at_rest();

	cr_assert_eq(jump_decide(&view).action, JUMP_STAY);
}

Test(jump, is_not_made_for_chores_when_the_client_waits_for_something_else)
{
	struct jump_view view = at_rest();

	view.chores_ns = IN(1);
	view.client_ns = IN(30);
	cr_assert_eq(jump_decide(&view).to_ns, IN(30));
	view.client_ns = JUMP_NEVER;
	cr_assert_eq(jump_decide(&view).to_ns, IN(1));
}

Test(jump, stops_short_of_what_the_kernel_does_by_its_own_clock)
{
	struct jump_view view = at_rest();
	struct jump jump;

	view.client_ns = IN(200);
	view.kernel_ns = IN(131);
	view.kernel_lead_ns = NS_PER_S;
	jump = jump_decide(&view);
	cr_assert_eq(jump.action, JUMP_TO);
	cr_assert(jump.to_kernel);
	cr_assert_eq(jump.to_ns, IN(130));
	view.now_ns = jump.to_ns;
	cr_assert_eq(jump_decide(&view).action, JUMP_STAY, "the rest passes as it does");
	view.client_ns = IN(50);
	view.now_ns = NOW_NS;
	cr_assert_not(jump_decide(&view).to_kernel);
}

Test(jump, knows_chores_by_the_names_of_their_threads)
{
	cr_assert(jump_is_chore("VM Periodic Tas"));
	cr_assert(jump_is_chore("C2 CompilerThre"));
	cr_assert_not(jump_is_chore("VM Thread"), "its waits count when the program ends");
	cr_assert_not(jump_is_chore("java"));
	cr_assert_not(jump_is_chore(""));
}
