/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions of a fault step: which attempts it applies to. A condition holds if all its parts do:
 * a set of attempt numbers, a window of time, an address family, a chance. All functions are pure:
 * the facts about an attempt are parameters, the random draw included.
 *
 *     attempts = N | N "+" [ STEP ] | N ".." M [ "+" STEP ] | N ".." [ "+" STEP ] | ".." M
 *     window   = [ D ] ".." [ D ] [ "every" D ]
 *
 * The set 1..9+2 is 1, 3, 5, 7, 9; 2+ is 2 and all after it; 2+3 is 2, 5, 8 and so on. A window
 * includes its start and excludes its end; `every` repeats it with that period. Its times count
 * from the client's start, from the first SYN at the endpoint, or from a command.
 */
#ifndef SYNFAULT_INJECTOR_CONDITION_H
#define SYNFAULT_INJECTOR_CONDITION_H

#include "common/strbuf.h"

/* Numbers from first to last, counting by step. */
struct attempt_range {
	uint32_t first, last; /* at least 1; ATTEMPT_RANGE_OPEN: no end */
	uint32_t step;        /* at least 1 */
};
#define ATTEMPT_RANGE_OPEN    UINT32_MAX
#define ATTEMPT_RANGE_HIGHEST 1000000

/* What a window's times count from. */
enum time_origin {
	TIME_FROM_START,         /* the client's start */
	TIME_FROM_FIRST_ATTEMPT, /* the first SYN at the endpoint, at any of its addresses */
	TIME_FROM_COMMAND,       /* the last command to begin an outage at the endpoint */
	TIME_N_ORIGINS,
};
extern const char *const time_origin_names[]; /* "start", "first-attempt", …; ends with NULL */

/* A window of time: [from_ns, to_ns) after its origin. */
struct time_window {
	enum time_origin from;
	int64_t from_ns;
	int64_t to_ns;    /* INT64_MAX: no end */
	int64_t every_ns; /* the period, at least to_ns; 0: the window occurs once */
};

/* Chances are counted in millionths. */
#define CHANCE_ALWAYS UINT32_C(1000000)

#define CONDITION_MAX_RANGES 8

struct condition {
	bool given; /* false: the step has no condition, and all other fields are 0 */
	bool has_window;
	uint16_t family;                                   /* AF_INET, AF_INET6; 0: either */
	uint32_t chance;                                   /* 1 to CHANCE_ALWAYS */
	uint32_t n_ranges;                                 /* 0: every attempt */
	struct attempt_range ranges[CONDITION_MAX_RANGES]; /* in the order given */
	struct time_window window;
};

/* What a condition can depend on. */
struct condition_facts {
	uint32_t number; /* of the attempt, from 1 */
	uint16_t family;
	int64_t since_start_ns; /* from the client's start to the attempt's first SYN */
	int64_t since_first_ns; /* from the first SYN at the endpoint to the attempt's first SYN */
	int64_t since_command_ns; /* from the last command to the same; negative: there was none */
	int64_t command_lasts_ns; /* how long that outage lasts; 0: as the window says */
};

/* Why a text is not an attempt set or window. */
struct condition_error {
	char message[128];
	char hint[128]; /* the remedy; empty: none */
};

/**
 * attempt_range_parse() - read a set of attempts
 *
 * Return: 0 and writes @ret, or -EINVAL and writes @ret_error.
 */
int attempt_range_parse(const char *text, struct attempt_range *ret,
			struct condition_error *ret_error);
/**
 * time_window_parse() - read a window of time
 * @text: the whole text
 * @lone_end: accept a single duration as a window from 0 to it
 * @ret: the window, in whole microseconds; its origin is TIME_FROM_START
 * @ret_error: what is wrong
 *
 * Return: 0 and writes @ret, or -EINVAL and writes @ret_error.
 */
int time_window_parse(const char *text, bool lone_end, struct time_window *ret,
		      struct condition_error *ret_error);
/** attempt_range_format() - add a set as attempt_range_parse() reads it back */
void attempt_range_format(const struct attempt_range *range, struct strbuf *out);
/**
 * time_window_format() - add a window as time_window_parse() reads it back, and " from
 * first-attempt" if that is its origin
 * @lone_end: write only the end of a window from 0
 */
void time_window_format(const struct time_window *window, bool lone_end, struct strbuf *out);

/** attempt_range_holds() - return whether the set contains the number */
bool attempt_range_holds(const struct attempt_range *range, uint32_t number);
/**
 * time_window_holds() - return whether the window contains a time
 * @since_ns: since the window's origin; none holds if negative
 */
bool time_window_holds(const struct time_window *window, int64_t since_ns);

/**
 * time_window_next() - return when the window next begins, at @since_ns at the earliest
 * @since_ns: since the window's origin
 *
 * Return: the time since its origin; INT64_MAX: it does not begin any more.
 */
int64_t time_window_next(const struct time_window *window, int64_t since_ns);
/* A command says no longer time, and no turn waits longer: sums of two can't overflow. */
#define COMMANDED_MAX_NS (INT64_MAX / 4)
/**
 * time_window_commanded() - return the window of an outage by a command that says how long it lasts
 * @lasts_ns: at most COMMANDED_MAX_NS; 0: as long as the window
 *
 * One that begins later than the command comes after others of the same length: it waits for as
 * many as before.
 */
struct time_window time_window_commanded(const struct time_window *window, int64_t lasts_ns);

/**
 * condition_is_due() - return whether all parts but the chance hold
 *
 * A step without a condition applies to every attempt.
 */
bool condition_is_due(const struct condition *condition, const struct condition_facts *facts);
/** chance_format() - add a chance, of CHANCE_ALWAYS, as a percentage: "2.5%" */
void chance_format(uint32_t chance, struct strbuf *out);
/**
 * condition_is_hit() - return whether the chance holds
 * @draw: a uniform 64-bit value
 */
bool condition_is_hit(const struct condition *condition, uint64_t draw);

/**
 * condition_first_attempt() - return the lowest attempt number for which the condition can hold,
 * from 1
 */
uint32_t condition_first_attempt(const struct condition *condition);
/**
 * condition_covers() - return whether @outer holds for every attempt for which @inner can hold:
 * then a step with @outer leaves nothing to a later step with @inner
 *
 * Return: false when in doubt.
 */
bool condition_covers(const struct condition *outer, const struct condition *inner);

/**
 * condition_format() - add the parts of a condition, joined by " and ": "attempt 1..3 or 7+ and
 * ipv6 and chance 30%"
 */
void condition_format(const struct condition *condition, struct strbuf *out);

#endif
