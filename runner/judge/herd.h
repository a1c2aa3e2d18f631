/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thundering herds: how many attempts fall into one window of time, wherever it begins. What counts
 * is the first SYN of each, at the time the kernel received it.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_HERD_H
#define SYNFAULT_RUNNER_JUDGE_HERD_H

#include "runner/judge/judge_ctx.h"

struct herd {
	size_t peak;      /* attempts in the fullest window; 0: there were none */
	size_t first;     /* index of the first of them among the attempts given */
	int64_t from_ns;  /* its first SYN */
	int64_t until_ns; /* the last one's first SYN; less than the window's length after */
};

/*
 * The first of the fullest windows [t, t + @within_ns). @attempts in the order of their first SYNs.
 * Pure, in linear time.
 */
struct herd herd_measure(const struct attempt_history *const *attempts, size_t n_attempts,
			 int64_t within_ns);

/*
 * The attempts that such an expectation is about, in the order of their first SYNs. Returns the
 * number and writes an array of pointers, which the caller frees.
 */
size_t herd_attempts(const struct history *history, const struct expectation *expectation,
		     const struct attempt_history ***ret);
/* What those are: "attempts" or "retries". */
const char *herd_counted(const struct expectation *expectation);

void judge_herd(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
