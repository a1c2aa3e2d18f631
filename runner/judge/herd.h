/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thundering herds: how many attempts fall into one window of time, wherever it begins. An attempt
 * counts at the time at which the kernel received its first SYN.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_HERD_H
#define SYNFAULT_RUNNER_JUDGE_HERD_H

#include "runner/judge/judge_ctx.h"

struct herd {
	size_t peak;      /* attempts in the fullest window; 0: there were no attempts */
	size_t first;     /* index of the first of them in the given array */
	int64_t from_ns;  /* its first SYN */
	int64_t until_ns; /* the last one's first SYN, less than a window's length later */
};

/**
 * herd_measure() - find the fullest window [t, t + @within_ns), the first if there are several
 * @attempts: in the order of their first SYNs
 *
 * Pure; takes linear time.
 */
struct herd herd_measure(const struct attempt_history *const *attempts, size_t n_attempts,
			 int64_t within_ns);

/**
 * herd_attempts() - list the attempts that an expectation on a herd counts
 * @ret: an array of pointers in the order of first SYNs; the caller frees the array
 *
 * Return: how many there are.
 */
size_t herd_attempts(const struct history *history, const struct expectation *expectation,
		     const struct attempt_history ***ret);
/** herd_counted() - say what such an expectation counts: "attempts" or "retries" */
const char *herd_counted(const struct expectation *expectation);

/** judge_herd() - judge "herd": how many attempts fall into one window of time */
void judge_herd(struct judge_ctx *ctx, const struct expectation *expectation);

#endif
