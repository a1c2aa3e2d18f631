/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that came too late: an attempt that its client gave up at a time when the script had it
 * answered already, and only synfault's own lag kept the answer back. Whatever the client did from
 * there on, one more attempt or an exit status that says so, it might not have done on a machine
 * that is not so slow.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_LATE_VERDICT_H
#define SYNFAULT_RUNNER_JUDGE_LATE_VERDICT_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

struct late_verdict {
	uint32_t attempt; /* id */
	int64_t late_ns;  /* how much later than the script has it: until it came, or for nothing */
};

/*
 * The first such attempt. Returns whether there is one. The record has to be of that scenario;
 * attempts of which it is not are passed over.
 *
 * An answer that is an RST or an ICMP message counts only when it came after the socket's death:
 * else the client may have had it.
 */
bool late_verdict_find(const struct scenario *scenario, const struct history *history,
		       struct late_verdict *ret);
/* When the script has the first answer to each attempt, by id; INT64_MAX: never. The caller's. */
int64_t *late_verdict_due_times(const struct scenario *scenario, const struct history *history);
/* "attempt 1 at api was answered 116 ms late, when the client had given it up"; the caller's. */
char *late_verdict_text(const struct scenario *scenario, const struct record *record,
			const struct late_verdict *overdue);

#endif
