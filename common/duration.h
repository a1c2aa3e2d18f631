/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Durations as users write them (300ms, 2s, 1m30s) and the monotonic clock. Inside the program a
 * time is always a signed 64-bit count of nanoseconds in a variable that ends in _ns.
 */
#ifndef SYNFAULT_COMMON_DURATION_H
#define SYNFAULT_COMMON_DURATION_H

#include <sys/time.h>

#include "common/util.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)
/* The longest duration, 24 hours: longer ones are typing errors. */
#define DURATION_MAX_NS (INT64_C(24) * 3600 * NS_PER_S)

/** clock_monotonic_ns() - return the time of CLOCK_MONOTONIC, in nanoseconds */
int64_t clock_monotonic_ns(void);
/**
 * clock_kernel_ns() - return the time of the kernel's own clock, even in a process whose clock was
 * moved (runner/clock), for what is measured in the kernel's time, such as processor time
 */
int64_t clock_kernel_ns(void);
int64_t clock_kernel_realtime_ns(void);
/** clock_realtime_ns() - return the time of CLOCK_REALTIME, in nanoseconds since 1970 */
int64_t clock_realtime_ns(void);
/** clock_thread_ns() - return the processor time that the calling thread has used */
int64_t clock_thread_ns(void);

/**
 * duration_parse() - read a duration such as "300ms", "1.5s", "1m30s", "2h", "0s"
 * @text: the whole text; units are us, ms, s, m, h, the largest first
 * @ret_ns: the duration
 * @ret_reason: on an error, a static text such as "has no unit"; may be NULL
 *
 * A number needs a unit, even 0.
 *
 * Return: 0; -EINVAL if it is not a duration; -ERANGE above DURATION_MAX_NS.
 */
int duration_parse(const char *text, int64_t *ret_ns, const char **ret_reason);

/**
 * duration_meant() - guess what a text that duration_parse() refused means, for "did you mean": "5"
 * gives "5s" or "5ms" with these quotes, "5 seconds" gives "5s"
 *
 * Return: a new text, or NULL without a guess.
 */
char *duration_meant(const char *text);

/**
 * duration_timeval() - convert nanoseconds for a timer
 *
 * Rounds up, so that no timer is early; a negative duration is 0. libevent can't arm a timer with
 * more than 999,999 in tv_usec.
 */
struct timeval duration_timeval(int64_t ns);

#define DURATION_TEXT_SIZE 32
/**
 * duration_format() - write a duration for people, with three significant digits: "0", "1.27 ms",
 * "300 ms", "2.00 s", "1 m 30.0 s"
 *
 * Negative values get a leading "-".
 *
 * Return: @buffer.
 */
char *duration_format(int64_t duration_ns, char buffer[static DURATION_TEXT_SIZE]);

/**
 * duration_format_exact() - write a duration as scenario files take it: "300ms", "1500us", "2s"
 *
 * Rounds to 1 us, otherwise without loss.
 *
 * Return: @buffer.
 */
char *duration_format_exact(int64_t duration_ns, char buffer[static DURATION_TEXT_SIZE]);

#endif
