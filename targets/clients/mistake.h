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
	MISTAKE_SAME_SEED,     /* its jitter is the same in every run */
	MISTAKE_SLOW_TIMEOUT,  /* waits twice as long for an answer */
	MISTAKE_WRONG_ORDER,   /* begins with the last of its targets */
	MISTAKE_SLOW_FALLBACK, /* waits a second before it turns to the next target */
	MISTAKE_IMPATIENT, /* begins the next attempt before it ends the one without an answer */
	MISTAKE_HANDS_SOCKET_ON, /* a process that it started keeps its connection */
	MISTAKE_N_KINDS,
};

/* Exit status for a wrong command line (EX_USAGE of sysexits.h). */
#define EXIT_USAGE 64

/* "never-gives-up", …; NULL for MISTAKE_NONE. */
const char *mistake_name(enum mistake mistake);
/* Finds a mistake by its name. Returns true and writes @ret, or false for a name that is unknown.
 */
bool mistake_parse(const char *name, enum mistake *ret);
/*
 * The mistake named in the environment, MISTAKE_NONE when the variable is unset or empty. Returns
 * true and writes @ret, or false for a name that is unknown.
 */
bool mistake_from_environment(enum mistake *ret);
/* How many attempts a client makes that is to make @tries: infinitely many, one more, or these. */
double mistake_tries(enum mistake mistake, double tries);
/* Whether it tries again after an error after which one does (@right) or does not. */
bool mistake_retries(enum mistake mistake, bool right);
/* Writes the list of mistakes as part of a --help text. */
void mistake_help(FILE *file);

/* A whole number or a decimal in [@low, @high]. Returns true and writes @ret. */
bool parse_number(const char *text, double low, double high, double *ret);
/* Sleeps; signals don't cut it short. */
void sleep_ms(double milliseconds);

#endif
