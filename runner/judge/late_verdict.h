/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that came too late: the client gave an attempt up after the time at which the script
 * answers it, and only synfault's own lag held the answer back. On a faster machine the client
 * might not have done what it did from then on, such as make one more attempt or exit with an
 * error.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_LATE_VERDICT_H
#define SYNFAULT_RUNNER_JUDGE_LATE_VERDICT_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

struct late_verdict {
	uint32_t attempt; /* id */
	int64_t late_ns;  /* from when the answer was due until it came, or the socket was closed */
};

/**
 * late_verdict_find() - find the first attempt that was answered too late
 * @scenario: the one that the record is of; attempts that don't fit it are passed over
 *
 * An RST or ICMP message counts only if it came after the socket's death; otherwise the client may
 * have received it.
 *
 * Return: whether there is one.
 */
bool late_verdict_find(const struct scenario *scenario, const struct history *history,
		       struct late_verdict *ret);
/**
 * late_verdict_due_times() - find when the first answer to each attempt was due by the script
 *
 * Return: an array by attempt id, in ns; INT64_MAX: never. Owned by the caller.
 */
int64_t *late_verdict_due_times(const struct scenario *scenario, const struct history *history);
/**
 * late_verdict_text() - describe an answer that came too late
 *
 * Return: "attempt 1 at api was answered 116 ms late, after the client had given it up"; owned by
 * the caller.
 */
char *late_verdict_text(const struct scenario *scenario, const struct record *record,
			const struct late_verdict *verdict);

#endif
