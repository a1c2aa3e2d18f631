/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the kernel's schedule of SYNs, against what its documentation says, and what was
 * measured (Linux 6.18). */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "runner/record/syn_schedule.h"

TestSuite(syn_schedule);

Test(syn_schedule, is_that_of_the_kernel)
{
	static const struct {
		uint32_t retries, linear;
		int64_t rto_max_s;
		int seconds[12]; /* of the retransmissions; 0: no more */
		int timeout;
	} cases[] = {
		/* Documentation/networking/ip-sysctl.rst, tcp_syn_retries: 67 s, 131 s */
		{6, 4, 120, {1, 2, 3, 4, 5, 7, 11, 19, 35, 67}, 131},
		/* before Linux 6.5: 63 s, 127 s */
		{6, 0, 120, {1, 3, 7, 15, 31, 63}, 127},
		{1, 0, 120, {1}, 3},
		{0, 0, 120, {0}, 1},
		{1, 1, 120, {1, 2}, 4},
		/* few retries end when they would without the linear ones, or at the next expiry */
		{1, 4, 120, {1, 2}, 3},
		{2, 4, 120, {1, 2, 3, 4, 5}, 7},
		{2, 2, 120, {1, 2, 3, 5}, 9},
		{3, 4, 120, {1, 2, 3, 4, 5, 7, 11}, 19},
		{3, 1, 120, {1, 2, 4, 8}, 16},
		{2, 10, 120, {1, 2, 3, 4, 5, 6}, 7},
		/* the timeout is bounded */
		{8, 0, 120, {1, 3, 7, 15, 31, 63, 127, 247}, 367},
		{4, 0, 3, {1, 3, 6, 9}, 12},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct syn_schedule schedule;
		size_t n = 0;

		syn_schedule_compute(cases[i].retries, cases[i].linear,
				     cases[i].rto_max_s * NS_PER_S, &schedule);
		for (; n < 12 && cases[i].seconds[n]; n++)
			cr_assert_eq(schedule.retransmissions_ns[n], cases[i].seconds[n] * NS_PER_S,
				     "case %zu, number %zu", i, n);
		cr_assert_eq(schedule.n_retransmissions, n, "case %zu", i);
		cr_assert_eq(schedule.timeout_ns, cases[i].timeout * NS_PER_S, "case %zu", i);
	}
}

Test(syn_schedule, has_an_end_for_any_setting)
{
	struct syn_schedule schedule;

	syn_schedule_compute(UINT32_MAX, UINT32_MAX, 120 * NS_PER_S, &schedule);
	cr_assert_eq(schedule.n_retransmissions, MAX_SYN_RETRANSMISSIONS);
	syn_schedule_compute(127, 0, 120 * NS_PER_S, &schedule);
	cr_assert_eq(schedule.n_retransmissions, 127);
	cr_assert_gt(schedule.timeout_ns, 0);
}
