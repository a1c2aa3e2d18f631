/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mistakes a client makes on request (--mistake NAME, or SYNFAULT_MISTAKE in its
 * environment), so that scenarios can be shown to catch each of them. Shared by the clients in C;
 * fetch.py knows the names of the first ones, which every client can make.
 */
#ifndef SYNFAULT_TARGETS_CLIENTS_MISTAKE_H
#define SYNFAULT_TARGETS_CLIENTS_MISTAKE_H

#include <stdbool.h>
#include <stdio.h>

enum mistake {
	MISTAKE_NONE,
	MISTAKE_NEVER_GIVES_UP,     /* goes on after the last attempt that is allowed */
	MISTAKE_NO_PAUSE,           /* tries again at once */
	MISTAKE_RETRIES_EVERYTHING, /* takes every error for one that passes */
	MISTAKE_RETRIES_NOTHING,    /* gives up at the first error */
	MISTAKE_SWALLOWS_ERROR,     /* all attempts failed: exits with 0 and says nothing */
	MISTAKE_NO_CAP,             /* waits grow for ever */
	MISTAKE_ONE_TOO_MANY,       /* one attempt more than allowed */
	MISTAKE_LEAKS_SOCKET,       /* leaves a failed socket open, whose SYNs go on */
	/* These the clients in C can make. */
	MISTAKE_NESTED_RETRIES, /* two nested retry loops */
	MISTAKE_LEAVES_CHILD,   /* gives up, but its child process goes on */
	/* These only synfault-backoff can make. */
	MISTAKE_SAME_SEED,       /* its jitter is the same in every run */
	MISTAKE_WIDE_JITTER,     /* adds three times the jitter */
	MISTAKE_PAUSES_FIRST,    /* pauses before the first retry, too */
	MISTAKE_NEVER_RESETS,    /* its backoff keeps growing after a success */
	MISTAKE_SLOW_TIMEOUT,    /* waits twice as long to connect */
	MISTAKE_SLOW_READ,       /* waits twice as long for the answer */
	MISTAKE_WRONG_ORDER,     /* begins with the last of its targets */
	MISTAKE_SLOW_FALLBACK,   /* pauses a second before the next target */
	MISTAKE_IMPATIENT,       /* closes an unanswered attempt after the next has begun */
	MISTAKE_HANDS_SOCKET_ON, /* its child process keeps the connection */
	MISTAKE_SLOW_STOP,       /* takes 3 s to end after SIGTERM */
	MISTAKE_N_KINDS,
};

/* Exit status for a wrong command line (EX_USAGE of sysexits.h). */
#define EXIT_USAGE 64

/* "never-gives-up", …; NULL for MISTAKE_NONE. */
const char *mistake_name(enum mistake mistake);
/* Finds a mistake by name. Returns true and writes @ret, or false for an unknown name. */
bool mistake_parse(const char *name, enum mistake *ret);
/*
 * Reads the mistake from the environment; MISTAKE_NONE if the variable is unset or empty. Returns
 * true and writes @ret, or false for an unknown name.
 */
bool mistake_from_environment(enum mistake *ret);
/* Returns how many attempts a client makes that should make @tries: infinitely many, one more, … */
double mistake_tries(enum mistake mistake, double tries);
/* Returns whether the client retries an error that a right client does (@right) or does not. */
bool mistake_retries(enum mistake mistake, bool right);
/* Writes the list of mistakes as part of a --help text. */
void mistake_help(FILE *file);
/* Makes the process end 3 s after SIGTERM, by SIGALRM. */
void mistake_stop_slowly(void);

/* Parses an integer or a decimal in [@low, @high]. Returns true and writes @ret. */
bool parse_number(const char *text, double low, double high, double *ret);
/* Sleeps; signals don't cut it short. */
void sleep_ms(double milliseconds);

#endif
