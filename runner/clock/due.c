/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is due by the client's clock: waits that end, timers that fire. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/duration.h"
#include "runner/clock/clock_impl.h"
#include "runner/clock/vdso.h"

int64_t due_next_ns(const struct clock_process *self, int64_t *ret_chores)
{
	int64_t next_ns = client_timers_next_ns(&self->timers), chores_ns = INT64_MAX;
	struct thread *thread;

	for (thread = self->tracees.threads; thread; thread = thread->hh.next) {
		if (!thread->waits || thread->ending)
			continue;
		if (thread->chore)
			chores_ns = MIN(chores_ns, thread->wait.deadline_ns);
		else
			next_ns = MIN(next_ns, thread->wait.deadline_ns);
	}
	*ret_chores = chores_ns;
	return next_ns;
}

/* Returns when the kernel itself ends the thread's wait, by its own clock. */
static int64_t kernel_ends_ns(const struct thread *thread)
{
	if (!thread->waits)
		return INT64_MAX;
	return thread->wait.deadline_ns - (thread->wait.absolute ? 0 : thread->began_ahead_ns);
}

bool due_woke(const struct clock_process *self)
{
	const struct thread *thread;

	for (thread = self->tracees.threads; thread; thread = thread->hh.next)
		if (!thread_still_sleeps(thread) && clock_monotonic_ns() < kernel_ends_ns(thread))
			return true;
	return false;
}

/* Sets the kernel's timer so that it fires now. */
static void fire_timer(struct clock_process *self, const struct client_timer *timer)
{
	const struct itimerspec now = {
		.it_interval = {.tv_sec = timer->interval_ns / NS_PER_S,
				.tv_nsec = timer->interval_ns % NS_PER_S},
		.it_value = {.tv_nsec = 1},
	};
	const uint64_t arguments[6] = {(uint64_t)timer->number, 0, 0, 0, VDSO_MAGIC, 0};
	struct process *process;
	long result;

	HASH_FIND_INT(self->tracees.processes, &timer->process, process);
	if (!process)
		return;
	result = remote_call(self, process,
			     timer->kind == CLIENT_TIMER_FD ? SYS_timerfd_settime
							    : SYS_timer_settime,
			     arguments, &now, sizeof(now), 2);
	/* The program has closed or deleted it. */
	if (result == -EBADF || result == -EINVAL)
		client_timers_set(&self->timers, &(struct client_timer){.kind = timer->kind,
									.process = timer->process,
									.number = timer->number});
	else if (result < 0)
		clock_process_fail(self, "a timer of process %d could not be triggered: %s",
				   timer->process, strerror((int)-result));
}

static bool take_timers(struct clock_process *self, int64_t now_ns)
{
	struct client_timer timer;
	bool late, any = false;

	while (client_timers_take(&self->timers, now_ns, self->ahead_ns, &timer, &late)) {
		any = true;
		if (timer.kind == CLIENT_TIMER_ALARM)
			(void)kill(timer.process, SIGALRM);
		else if (late)
			fire_timer(self, &timer);
	}
	return any;
}

bool due_take(struct clock_process *self)
{
	int64_t now_ns = clock_process_now_ns(self);
	struct thread *thread;
	bool any = take_timers(self, now_ns);

	for (thread = self->tracees.threads; thread; thread = thread->hh.next) {
		if (!thread->waits || thread->ending || thread->wait.deadline_ns > now_ns)
			continue;
		/* If the kernel's deadline is the same, the kernel is about to end the wait. */
		if (!thread->forced &&
		    !wait_ends_late(&thread->wait, thread->began_ahead_ns, self->ahead_ns))
			continue;
		any = true;
		thread->ending = ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) == 0;
		thread->waits = thread->ending;
	}
	return any;
}

void due_hurry(struct clock_process *self, struct connecting *connecting)
{
	const uint64_t arguments[6] = {
		(uint64_t)connecting->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0, sizeof(int), 0};
	const int soon_ms = 1;
	struct process *process;
	long result;

	connecting->hurried = true;
	HASH_FIND_INT(self->tracees.processes, &connecting->process, process);
	result = process ? remote_call(self, process, SYS_setsockopt, arguments, &soon_ms,
				       sizeof(soon_ms), 3)
			 : -ESRCH;
	if (result < 0)
		clock_process_fail(self,
				   "the kernel's own timeout of a connection is next, and can't "
				   "be moved: %s",
				   strerror((int)-result));
}
