/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's timers: alarm(), setitimer(), timer_settime(), timerfd_settime(). Pure. */
#ifndef SYNFAULT_RUNNER_CLOCK_CLIENT_TIMERS_H
#define SYNFAULT_RUNNER_CLOCK_CLIENT_TIMERS_H

#include <sys/types.h>

#include "common/util.h"

enum client_timer_kind {
	CLIENT_TIMER_ALARM, /* ITIMER_REAL: one for each process; the clock process is its kernel */
	CLIENT_TIMER_FD,    /* by descriptor */
	CLIENT_TIMER_POSIX, /* by the kernel's number */
};

struct client_timer {
	enum client_timer_kind kind;
	pid_t process;
	int number;          /* ALARM: 0 */
	int64_t deadline_ns; /* by the client's CLOCK_MONOTONIC */
	int64_t interval_ns; /* 0: once */
	/*
	 * How far the client's clock was ahead when it was set to a length of time. The kernel's
	 * own timer comes in time as long as it is as far.
	 */
	int64_t began_ahead_ns;
	bool absolute; /* it was set to a time, by a clock that was ahead already */
};

struct client_timers {
	struct client_timer *items;
	size_t n_items, capacity;
};

/** client_timers_set() - set or replace a timer; one with deadline_ns 0 is taken away */
void client_timers_set(struct client_timers *self, const struct client_timer *timer);
/** client_timers_find() - return a timer, or NULL */
const struct client_timer *client_timers_find(const struct client_timers *self,
					      enum client_timer_kind kind, pid_t process,
					      int number);
/** client_timers_forget() - take away all timers of a process that has ended */
void client_timers_forget(struct client_timers *self, pid_t process);
/** client_timers_executed() - take away what does not outlive execve(2): all but its alarm */
void client_timers_executed(struct client_timers *self, pid_t process);
/** client_timers_next_ns() - return the earliest deadline, or INT64_MAX */
int64_t client_timers_next_ns(const struct client_timers *self);

/**
 * client_timers_take() - take a timer that is due
 * @ret_late: whether the kernel's own timer would come later
 *
 * One with an interval is set to its next deadline.
 *
 * Return: whether there was one.
 */
bool client_timers_take(struct client_timers *self, int64_t now_ns, int64_t ahead_ns,
			struct client_timer *ret, bool *ret_late);
void client_timers_deinit(struct client_timers *self);

#endif
