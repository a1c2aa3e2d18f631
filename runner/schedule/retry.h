/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a scenario again that did not pass. Its runs stay one result: the last one is what
 * counts, the others are kept as earlier runs. One that passes in the end is flaky.
 *
 * A run that the machine was too slow for says nothing of the client, good or bad: nothing was
 * judged. It runs again when nothing else runs, and does not count as flaky.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_RETRY_H
#define SYNFAULT_RUNNER_SCHEDULE_RETRY_H

#include "runner/report/result.h"

/* A machine that is too slow three times, the last two for one scenario alone, stays so. */
enum { RETRY_LATE_DEFAULT = 2 };

struct retry_policy {
	unsigned retries;      /* most further runs of one scenario, after failures and errors */
	unsigned late_retries; /* most further ones after those that the machine was too slow for */
	bool flaky_fails;      /* a flaky result is a failure */
};

enum retry_kind {
	RETRY_NONE,
	RETRY_SOON,  /* beside the others */
	RETRY_ALONE, /* when nothing else runs */
};

/*
 * Whether and how a judged result is to be run again: a failure or an error, retries left. A skip
 * would be one again; a run that was cut short says nothing.
 */
enum retry_kind retry_due(const struct retry_policy *policy, const struct result *result);
/* Puts what it has aside as an earlier run; record and judgement are empty after. */
void retry_begin(struct result *result);
/* After the last run: finds out whether it is flaky, and makes that a failure where it is one. */
void retry_settle(const struct retry_policy *policy, struct result *result);

#endif
