/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the names of signals. */
#include <criterion/criterion.h>
#include <signal.h>

#include "common/signal_names.h"
#include "common/util.h"

Test(signal_names, every_standard_signal_has_a_name_that_is_found_again)
{
	for (int number = 1; number < 32; number++) {
		const char *name = signal_name(number);

		cr_assert_not_null(name, "signal %d", number);
		cr_expect_eq(signal_number(name), number, "%s", name);
	}
	cr_expect_str_eq(signal_name(SIGIO), "IO");
	cr_expect_str_eq(signal_name(SIGTERM), "TERM");
}

Test(signal_names, both_spellings_and_second_names_are_known)
{
	cr_expect_eq(signal_number("SIGTERM"), SIGTERM);
	cr_expect_eq(signal_number("POLL"), SIGIO);
}

Test(signal_names, real_time_signals_and_wrong_names_are_unknown)
{
	cr_expect_null(signal_name(0));
	cr_expect_null(signal_name(-1));
	cr_expect_null(signal_name(SIGRTMIN));
	cr_expect_eq(signal_number("RTMIN"), 0);
	cr_expect_eq(signal_number("SIG"), 0);
	cr_expect_eq(signal_number(""), 0);
	cr_expect_eq(signal_number("term"), 0);
}

Test(signal_names, the_list_for_suggestions_holds_each_name)
{
	size_t n = 0;

	while (signal_names()[n])
		cr_expect_neq(signal_number(signal_names()[n++]), 0);
	cr_expect_geq(n, (size_t)31);
}
