/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's timers: alarm(), setitimer(), timer_settime(), timerfd_settime(). Pure. */
#ifndef SYNFAULT_RUNNER_CLOCK_CLIENT_TIMERS_H
#define SYNFAULT_RUNNER_CLOCK_CLIENT_TIMERS_H

#include <sys/types.h>

#include "common/util.h"

enum client_timer_kind {
	CLIENT_TIMER_ALARM, /* ITIMER_REAL, one per process; the kernel's own is never set */
	CLIENT_TIMER_FD,    /* timerfd_create(2) */
	CLIENT_TIMER_POSIX, /* timer_create(2) */
};

struct client_timer {
	enum client_timer_kind kind;
	pid_t process;
	int number;          /* FD: the descriptor; POSIX: the kernel's timer_t; ALARM: 0 */
	int64_t deadline_ns; /* by the client's CLOCK_MONOTONIC */
	int64_t interval_ns; /* 0: one-shot */
	/*
	 * How far the client's clock was ahead when the timer was set. A relative timer of the
	 * kernel's expires on time unless the clock has jumped since.
	 */
	int64_t began_ahead_ns;
	bool absolute; /* set to a point in time (TIMER_ABSTIME), by the client's clock */
};

struct client_timers {
	struct client_timer *items;
	size_t n_items, capacity;
};

/** client_timers_set() - add or replace a timer, which is copied; deadline_ns 0 removes it */
void client_timers_set(struct client_timers *self, const struct client_timer *timer);
/**
 * client_timers_find() - look up a timer
 * @process: the process that set it
 * @number: as in struct client_timer
 *
 * Return: the timer, valid until the next change of @self; NULL if it is not set.
 */
const struct client_timer *client_timers_find(const struct client_timers *self,
					      enum client_timer_kind kind, pid_t process,
					      int number);
/** client_timers_forget() - remove all timers of a process that has ended */
void client_timers_forget(struct client_timers *self, pid_t process);
/** client_timers_executed() - remove the timers that execve(2) deletes: all but the alarm */
void client_timers_executed(struct client_timers *self, pid_t process);
/** client_timers_next_ns() - return the earliest deadline_ns, or INT64_MAX without timers */
int64_t client_timers_next_ns(const struct client_timers *self);

/**
 * client_timers_take() - remove one timer that is due
 * @now_ns: by the client's CLOCK_MONOTONIC
 * @ahead_ns: how far the client's clock is ahead of the kernel's
 * @ret: a copy of the timer, as it was when it expired
 * @ret_late: whether the kernel's own timer has yet to expire
 *
 * A periodic timer stays, with its next deadline.
 *
 * Return: whether a timer was due.
 */
bool client_timers_take(struct client_timers *self, int64_t now_ns, int64_t ahead_ns,
			struct client_timer *ret, bool *ret_late);

#endif
