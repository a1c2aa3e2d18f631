/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides whether a scenario that did not pass runs again; run_queue.h decides when. Its runs stay
 * one result: the last one counts, the others are kept as earlier runs. A scenario that passes in
 * the end is flaky.
 *
 * A run for which the machine was too slow says nothing about the client, good or bad, since
 * nothing was judged. It runs again when nothing else runs, and does not count as flaky.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_RETRY_H
#define SYNFAULT_RUNNER_SCHEDULE_RETRY_H

#include "runner/report/result.h"

/* If a machine is too slow three times, twice for this scenario alone, it will stay too slow. */
enum { RETRY_LATE_DEFAULT = 2 };

struct retry_policy {
	unsigned retries;      /* maximum of further runs of a scenario after failures and errors */
	unsigned late_retries; /* the same after runs for which the machine was too slow */
	bool flaky_fails;      /* a flaky result is a failure */
};

enum retry_kind {
	RETRY_NONE,
	RETRY_SOON,  /* side by side with others */
	RETRY_ALONE, /* when nothing else runs */
};

/**
 * retry_due() - decide whether and how a judged result runs again
 *
 * Failures and errors do, while retries are left. A skip would be skipped again, and a run that was
 * cut short shows nothing.
 */
enum retry_kind retry_due(const struct retry_policy *policy, const struct result *result);
/**
 * retry_is_unproven() - return whether a judged result was in virtual time and says nothing
 *
 * Its clock could not be trusted, or its failure or error has to be confirmed in real time.
 */
bool retry_is_unproven(const struct result *result);
/** retry_begin() - move record and judgement to the earlier runs, and leave them empty */
void retry_begin(struct result *result);
/** retry_settle() - mark a flaky result after its last run, and make it a failure if that is wanted
 */
void retry_settle(const struct retry_policy *policy, struct result *result);

#endif
