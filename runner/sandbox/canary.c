/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that only sleeps: see canary.h. */
#include "runner/sandbox/canary.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#include "common/confine.h"
#include "common/duration.h"
#include "common/util.h"
#include "runner/sandbox/lateness.h"

#define STEP_NS (10 * NS_PER_MS)
/* Even without load, timers and the scheduler can take this long: such a wake-up is punctual. */
#define PUNCTUAL_NS NS_PER_MS

enum { STACK_SIZE = 65536 };

/* The thread frees it. */
struct canary {
	_Atomic int64_t late_ns; /* all wake-ups so far */
	_Atomic int64_t due_ns;  /* when the next wake-up is due */
	_Atomic bool stop;
};

static int64_t lateness(int64_t due_ns, int64_t now_ns)
{
	return now_ns - due_ns > PUNCTUAL_NS ? now_ns - due_ns : 0;
}

/*
 * Returns how late it was, without its time in the run queue: the measured threads have their own
 * waits there.
 */
static int64_t unexplained(int64_t late_ns, const struct lateness_mark *before,
			   const struct lateness_mark *now)
{
	if (before->busy_ns < 0 || now->busy_ns < 0)
		return late_ns;
	return MAX(late_ns - (now->busy_ns - before->busy_ns), INT64_C(0));
}

static void *sleep_and_look(void *userdata)
{
	struct canary *canary = userdata;
	struct lateness_clock clock = lateness_clock_open();
	struct lateness_mark before = lateness_now(&clock), now;

	/* Capabilities are a thread's own, and this one needs none. */
	(void)confine_capabilities(0);
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	while (!atomic_load(&canary->stop)) {
		int64_t due_ns = clock_kernel_ns() + STEP_NS;
		const struct timespec until = {.tv_sec = due_ns / NS_PER_S,
					       .tv_nsec = due_ns % NS_PER_S};

		atomic_store(&canary->due_ns, due_ns);
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
			;
		now = lateness_now(&clock);
		atomic_fetch_add(&canary->late_ns,
				 unexplained(lateness(due_ns, clock_kernel_ns()), &before, &now));
		before = now;
	}
	lateness_clock_close(&clock);
	free(canary);
	return NULL;
}

struct canary *canary_new(void)
{
	struct canary *canary = xzalloc(sizeof(*canary));
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int status;

	atomic_store(&canary->due_ns, INT64_MAX);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	/* The thread that runs the event loop handles signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&thread, &attributes, sleep_and_look, canary);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (status == 0)
		return canary;
	free(canary);
	return NULL;
}

void canary_free(struct canary *canary)
{
	/* To wait for its last sleep would take 5 ms of each scenario. */
	if (canary)
		atomic_store(&canary->stop, true);
}

int64_t canary_late_ns(const struct canary *canary)
{
	int64_t due_ns = atomic_load(&canary->due_ns);

	/* The current sleep may be late already. */
	return atomic_load(&canary->late_ns) +
	       (due_ns == INT64_MAX ? 0 : lateness(due_ns, clock_kernel_ns()));
}

bool canary_is_late(const struct canary *canary, int64_t *late_ns)
{
	const int64_t before_ns = *late_ns;

	if (canary)
		*late_ns = canary_late_ns(canary);
	return *late_ns > before_ns;
}
