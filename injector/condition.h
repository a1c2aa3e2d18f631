/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions of a fault step: which attempts it is for. A condition asks for everything that it
 * names: a set of attempt numbers, a window of time, an address family, a chance. Everything here
 * is pure: the facts about an attempt come in, the random draw included.
 *
 *     attempts = N | N "+" [ STEP ] | N ".." M [ "+" STEP ] | N ".." [ "+" STEP ] | ".." M
 *     window   = [ D ] ".." [ D ] [ "every" D ]
 *
 * The set 1..9+2 is 1, 3, 5, 7, 9; 2+ is 2 and all after it; 2+3 is 2, 5, 8 and so on. A window
 * begins with its first instant and ends before its last; `every` repeats it with that period. Its
 * times count from the client's start, or from the first SYN at the endpoint.
 */
#ifndef SYNFAULT_INJECTOR_CONDITION_H
#define SYNFAULT_INJECTOR_CONDITION_H

#include "common/strbuf.h"

/* Numbers from first to last, counting by step. */
struct attempt_range {
	uint32_t first, last; /* at least 1; last ATTEMPT_RANGE_OPEN: no end */
	uint32_t step;        /* at least 1 */
};
#define ATTEMPT_RANGE_OPEN    UINT32_MAX
#define ATTEMPT_RANGE_HIGHEST 1000000

/* The instant that a window's times count from. */
enum time_origin {
	TIME_FROM_START,         /* the client's start */
	TIME_FROM_FIRST_ATTEMPT, /* the first SYN at the endpoint, at any of its addresses */
	TIME_N_ORIGINS,
};
extern const char *const time_origin_names[]; /* "start", "first-attempt"; ends with NULL */

/* Times since its origin: [from_ns, to_ns), repeated when every_ns is more than 0. */
struct time_window {
	enum time_origin from;
	int64_t from_ns;
	int64_t to_ns;    /* INT64_MAX: no end */
	int64_t every_ns; /* 0: once; else at least to_ns */
};

/* Chances are counted in millionths. */
#define CHANCE_ALWAYS UINT32_C(1000000)

#define CONDITION_MAX_RANGES 8

struct condition {
	bool given; /* false: the step has none, and all else here is 0 */
	bool has_window;
	uint16_t family;                                   /* AF_INET, AF_INET6; 0: either */
	uint32_t chance;                                   /* 1 to CHANCE_ALWAYS */
	uint32_t n_ranges;                                 /* 0: every attempt */
	struct attempt_range ranges[CONDITION_MAX_RANGES]; /* in the order given */
	struct time_window window;
};

/* What a condition can ask of an attempt. */
struct condition_facts {
	uint32_t number; /* of the attempt, from 1 */
	uint16_t family;
	int64_t since_start_ns; /* from the client's start to the attempt's first SYN */
	int64_t since_first_ns; /* from the first SYN at the endpoint to the attempt's first */
};

/* Why a text is no attempt set or window. */
struct condition_error {
	char message[128];
	char hint[128]; /* empty when there is none */
};

/* Reads one range. Returns 0 and writes @ret, or -EINVAL and writes @ret_error. */
int attempt_range_parse(const char *text, struct attempt_range *ret,
			struct condition_error *ret_error);
/*
 * Reads a window, in whole microseconds; its origin is TIME_FROM_START. @lone_end: a single
 * duration is a window from 0 to it. Returns 0 and writes @ret, or -EINVAL and writes @ret_error.
 */
int time_window_parse(const char *text, bool lone_end, struct time_window *ret,
		      struct condition_error *ret_error);
/*
 * Both write what the parsers read back equal; " from first-attempt" follows a window with that
 * origin. A window from 0 is written with its end alone when @lone_end.
 */
void attempt_range_format(const struct attempt_range *range, struct strbuf *out);
void time_window_format(const struct time_window *window, bool lone_end, struct strbuf *out);

bool attempt_range_holds(const struct attempt_range *range, uint32_t number);
/* @since_ns: time since the window's origin; negative: before it, which no window holds. */
bool time_window_holds(const struct time_window *window, int64_t since_ns);

/* Whether all but the chance speaks for it. A step without a condition is for every attempt. */
bool condition_is_due(const struct condition *condition, const struct condition_facts *facts);
/* Whether the chance does: @draw is a uniform 64-bit value. */
bool condition_is_hit(const struct condition *condition, uint64_t draw);

/* The lowest attempt number of the condition, from 1. */
uint32_t condition_first_attempt(const struct condition *condition);
/*
 * Whether every attempt for which @inner can hold is one for which @outer does: a step with @outer
 * leaves nothing to a later one with @inner. Says no when in doubt.
 */
bool condition_covers(const struct condition *outer, const struct condition *inner);

/* "attempt 1..3 or 7+, time 0s..5s, ipv6, chance 30%", joined by " and "; what is not asked for is
 * left out. */
void condition_format(const struct condition *condition, struct strbuf *out);

#endif
