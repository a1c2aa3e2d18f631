/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The retry loop of the clients in C: see retry.h. */
#include "targets/clients/retry.h"

#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* The process that is left behind ends on its own, in case a person runs it by hand. */
enum { LEFT_BEHIND_S = 60 };

/* Leaves a process behind that does not know that the client has given up. */
static void leave_child(const struct retry *retry)
{
	if (fork() != 0)
		return;
	alarm(LEFT_BEHIND_S);
	for (double n = 1;; n++) {
		sleep_ms(retry->pause_ms(n, retry->client));
		retry->attempt(retry->client);
	}
}

static enum retry_status give_up(const struct retry *retry, double n, const char *error)
{
	if (retry->mistake == MISTAKE_LEAVES_CHILD)
		leave_child(retry);
	if (retry->mistake == MISTAKE_SWALLOWS_ERROR)
		return RETRY_DONE;
	fprintf(stderr, "gave up after %.0f attempt%s: %s\n", n, n == 1 ? "" : "s", error);
	return RETRY_GAVE_UP;
}

/* Runs one loop; @before attempts were made before it. */
static enum retry_status run_once(const struct retry *retry, double before, bool last,
				  double *ret_attempts)
{
	double allowed = mistake_tries(retry->mistake, retry->tries);

	for (double n = 1;; n++) {
		struct retry_result result = retry->attempt(retry->client);

		*ret_attempts = before + n;
		if (!result.error)
			return RETRY_DONE;
		if (retry->mistake != MISTAKE_SWALLOWS_ERROR)
			fprintf(stderr, "attempt %.0f: %s\n", before + n, result.error);
		if (!mistake_retries(retry->mistake, result.transient)) {
			fprintf(stderr, "not retried: %s\n", result.error);
			return RETRY_LET_THROUGH;
		}
		if (n >= allowed && last)
			return give_up(retry, before + n, result.error);
		if (retry->mistake != MISTAKE_NO_PAUSE)
			sleep_ms(retry->pause_ms(n, retry->client));
		if (n >= allowed)
			return RETRY_GAVE_UP;
	}
}

enum retry_status retry_run(const struct retry *retry, double *ret_attempts)
{
	enum retry_status status = RETRY_GAVE_UP;

	*ret_attempts = 0;
	/* Two nested loops that do not know of each other. */
	if (retry->mistake == MISTAKE_NESTED_RETRIES)
		status = run_once(retry, 0, false, ret_attempts);
	return status == RETRY_GAVE_UP ? run_once(retry, *ret_attempts, true, ret_attempts)
				       : status;
}
