/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of mistakes, and a few functions that both clients in C need. */
#include "targets/clients/mistake.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const char *const names[] = {
	[MISTAKE_NONE] = NULL,
	[MISTAKE_NEVER_GIVES_UP] = "never-gives-up",
	[MISTAKE_NO_PAUSE] = "no-pause",
	[MISTAKE_RETRIES_EVERYTHING] = "retries-everything",
	[MISTAKE_RETRIES_NOTHING] = "retries-nothing",
	[MISTAKE_SWALLOWS_ERROR] = "swallows-error",
	[MISTAKE_NO_CAP] = "no-cap",
	[MISTAKE_ONE_TOO_MANY] = "one-too-many",
	[MISTAKE_LEAKS_SOCKET] = "leaks-socket",
	[MISTAKE_NESTED_RETRIES] = "nested-retries",
	[MISTAKE_LEAVES_CHILD] = "leaves-child",
	[MISTAKE_SAME_SEED] = "same-seed",
	[MISTAKE_WIDE_JITTER] = "wide-jitter",
	[MISTAKE_PAUSES_FIRST] = "pauses-first",
	[MISTAKE_NEVER_RESETS] = "never-resets",
	[MISTAKE_SLOW_TIMEOUT] = "slow-timeout",
	[MISTAKE_SLOW_READ] = "slow-read",
	[MISTAKE_WRONG_ORDER] = "wrong-order",
	[MISTAKE_SLOW_FALLBACK] = "slow-fallback",
	[MISTAKE_IMPATIENT] = "impatient",
	[MISTAKE_HANDS_SOCKET_ON] = "hands-socket-on",
	[MISTAKE_SLOW_STOP] = "slow-stop",
};
_Static_assert(ARRAY_SIZE(names) == MISTAKE_N_KINDS, "each mistake has a name");

const char *mistake_name(enum mistake mistake)
{
	return names[mistake];
}

bool mistake_parse(const char *name, enum mistake *ret)
{
	for (size_t i = MISTAKE_NONE + 1; i < MISTAKE_N_KINDS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum mistake)i;
			return true;
		}
	}
	return false;
}

bool mistake_from_environment(enum mistake *ret)
{
	const char *name = getenv("SYNFAULT_MISTAKE");

	if (!name || name[0] == '\0') {
		*ret = MISTAKE_NONE;
		return true;
	}
	return mistake_parse(name, ret);
}

void mistake_help(FILE *file)
{
	fputs("\nMistakes to make on purpose (or name one in SYNFAULT_MISTAKE):\n"
	      "  never-gives-up      goes on after the last attempt\n"
	      "  no-pause            tries again at once\n"
	      "  retries-everything  retries errors that do not pass, too\n"
	      "  retries-nothing     gives up at the first error\n"
	      "  swallows-error      exits with 0 and says nothing when all attempts failed\n"
	      "  no-cap              waits grow for ever\n"
	      "  one-too-many        one attempt more than allowed\n"
	      "  leaks-socket        leaves a timed-out socket open and goes on\n"
	      "  nested-retries      all attempts are made once more when they have failed\n"
	      "  leaves-child        gives up, but a process that it started goes on\n",
	      file);
}

static void on_term(int number)
{
	alarm(3);
	signal(SIGALRM, SIG_DFL);
}

void mistake_stop_slowly(void)
{
	struct sigaction action = {.sa_handler = on_term, .sa_flags = SA_RESTART};

	sigaction(SIGTERM, &action, NULL);
}

double mistake_tries(enum mistake mistake, double tries)
{
	switch (mistake) {
	case MISTAKE_NEVER_GIVES_UP:
		return INFINITY;
	case MISTAKE_ONE_TOO_MANY:
		return tries + 1;
	default:
		return tries;
	}
}

bool mistake_retries(enum mistake mistake, bool right)
{
	if (mistake == MISTAKE_RETRIES_NOTHING)
		return false;
	return right || mistake == MISTAKE_RETRIES_EVERYTHING;
}

bool parse_number(const char *text, double low, double high, double *ret)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	/* Written so that NaN is refused too. */
	if (errno != 0 || end == text || *end != '\0' || !(value >= low && value <= high))
		return false;
	*ret = value;
	return true;
}

void sleep_ms(double milliseconds)
{
	struct timespec left = {
		.tv_sec = (time_t)(milliseconds / 1000),
	};

	left.tv_nsec = (long)((milliseconds - (double)left.tv_sec * 1000) * 1e6);
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}
