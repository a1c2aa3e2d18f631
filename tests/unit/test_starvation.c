/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds for the time without a processor: what looks at threads show, and the same on real threads
 * that contend for a processor.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "common/duration.h"
#include "runner/sandbox/canary.h"
#include "runner/sandbox/client_progress.h"
#include "runner/sandbox/thread_looks.h"

TestSuite(starvation, .timeout = 60);
TestSuite(progress, .timeout = 60);

#define MS NS_PER_MS

/* A look at threads: those with a number. */
struct table_look {
	int64_t at_ms;
	struct thread_look threads[3];
	bool unseen, calm;
	/* The client's bound until this look, as known at the next one. */
	int64_t bound_ms;
};

static void looks_give(const char *name, const struct table_look *looks, size_t n_looks)
{
	struct starvation starvation;
	int64_t bounds_ns[8];

	starvation_begin(&starvation, 0);
	cr_assert_leq(n_looks, ARRAY_SIZE(bounds_ns));
	for (size_t i = 0; i < n_looks; i++) {
		struct thread_look threads[3];
		size_t n = 0;
		int64_t more_ns;

		for (size_t k = 0; k < 3; k++)
			if (looks[i].threads[k].tid)
				threads[n++] = looks[i].threads[k];
		more_ns = starvation_look(&starvation, threads, n, looks[i].at_ms * MS,
					  looks[i].at_ms * MS, looks[i].unseen, looks[i].calm);
		if (i > 0)
			bounds_ns[i - 1] += more_ns;
		else
			cr_expect_eq(more_ns, 0);
		bounds_ns[i] = starvation.bound_ns;
	}
	for (size_t i = 0; i < n_looks; i++)
		cr_expect_eq(bounds_ns[i], looks[i].bound_ms * MS, "%s: look %zu: %lld ms", name, i,
			     (long long)(bounds_ns[i] / MS));
	starvation_end(&starvation);
}
#define LOOKS_GIVE(name, ...)                                                                      \
	do {                                                                                       \
		static const struct table_look looks[] = {__VA_ARGS__};                            \
                                                                                                   \
		looks_give(name, looks, ARRAY_SIZE(looks));                                        \
	} while (false)

#define ASLEEP(tid_, wait, run)                                                                    \
	{                                                                                          \
		.tid = tid_, .started = 1, .wait_ns = (wait)*MS, .run_ns = (run)*MS                \
	}
#define READY(tid_, wait, run)                                                                     \
	{                                                                                          \
		.tid = tid_, .started = 1, .wait_ns = (wait)*MS, .run_ns = (run)*MS, .ready = true \
	}

Test(starvation, is_what_the_kernel_counted_of_threads_asleep)
{
	LOOKS_GIVE("one", {100, {ASLEEP(5, 3, 10)}, .bound_ms = 3},
		   {200, {ASLEEP(5, 7, 20)}, .bound_ms = 7},
		   {300, {ASLEEP(5, 7, 20)}, .bound_ms = 7});
	LOOKS_GIVE("the sum", {100, {ASLEEP(5, 3, 0), ASLEEP(6, 4, 0)}, .bound_ms = 7},
		   {200, {ASLEEP(6, 5, 0), ASLEEP(5, 5, 0)}, .bound_ms = 10});
	LOOKS_GIVE("no more than the time",
		   {10, {ASLEEP(5, 8, 0), ASLEEP(6, 9, 0)}, .bound_ms = 10});
}

#define CHORE(tid_, wait, run)                                                                     \
	{                                                                                          \
		.tid = tid_, .started = 1, .wait_ns = (wait)*MS, .run_ns = (run)*MS, .chore = true \
	}

Test(starvation, leaves_out_threads_that_only_look_after_the_runtime)
{
	LOOKS_GIVE("a compiler beside a thread",
		   {100, {ASLEEP(5, 3, 10), CHORE(6, 90, 0)}, .bound_ms = 3},
		   {200, {ASLEEP(5, 7, 20), CHORE(6, 180, 1)}, .bound_ms = 7},
		   /* It ended unseen. */
		   {300, {ASLEEP(5, 7, 20)}, .bound_ms = 7});
}

Test(starvation, is_zero_for_a_thread_that_was_running)
{
	LOOKS_GIVE("a look while it ran", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {200, {READY(5, 0, 2)}, .bound_ms = 0}, {300, {ASLEEP(5, 0, 9)}, .bound_ms = 0});
}

Test(starvation, counts_a_wait_that_the_next_look_shows)
{
	/* It waited 30 ms, and all of that may have been before the second look. */
	LOOKS_GIVE("ended", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {200, {READY(5, 0, 1)}, .bound_ms = 30},
		   {300, {ASLEEP(5, 30, 2)}, .bound_ms = 60});
	/* At the second look it can't have waited for longer than it did not run. */
	LOOKS_GIVE("after it ran", {100, {ASLEEP(5, 0, 0)}, .bound_ms = 0},
		   {200, {READY(5, 0, 90)}, .bound_ms = 10},
		   {300, {ASLEEP(5, 30, 95)}, .bound_ms = 40});
}

Test(starvation, counts_a_wait_over_several_looks_once)
{
	LOOKS_GIVE("long", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {200, {READY(5, 0, 1)}, .bound_ms = 100},
		   {300, {READY(5, 0, 1)}, .bound_ms = 200},
		   {400, {ASLEEP(5, 250, 2)}, .bound_ms = 300});
}

Test(starvation, is_the_whole_time_when_a_thread_ends_unseen)
{
	LOOKS_GIVE("gone", {100, {ASLEEP(5, 0, 1), ASLEEP(6, 0, 1)}, .bound_ms = 0},
		   {150, {ASLEEP(5, 0, 1)}, .bound_ms = 50},
		   {250, {ASLEEP(5, 1, 1)}, .bound_ms = 51});
	LOOKS_GIVE("told", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {150, {ASLEEP(5, 0, 1)}, .unseen = true, .bound_ms = 50});
	LOOKS_GIVE("reaped", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {150, {{.tid = 5, .started = 1, .run_ns = MS, .reaped = 7}}, .bound_ms = 50});
	LOOKS_GIVE("its number used again", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {150, {{.tid = 5, .started = 2}}, .bound_ms = 50});
}

Test(starvation, is_little_of_a_thread_that_ends_unseen_on_a_calm_machine)
{
	LOOKS_GIVE("gone", {100, {ASLEEP(5, 0, 1), ASLEEP(6, 0, 1)}, .bound_ms = 0},
		   {150, {ASLEEP(5, 0, 1)}, .calm = true, .bound_ms = 1},
		   {250, {ASLEEP(5, 0, 1)}, .unseen = true, .calm = true, .bound_ms = 2});
	LOOKS_GIVE("no longer than the time", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {100, {ASLEEP(5, 0, 1)}, .unseen = true, .calm = true, .bound_ms = 0});
	LOOKS_GIVE("another had to wait", {100, {ASLEEP(5, 0, 1)}, .bound_ms = 0},
		   {150, {ASLEEP(5, 3, 1)}, .unseen = true, .calm = true, .bound_ms = 50});
	LOOKS_GIVE("it may have waited before", {100, {ASLEEP(6, 0, 1)}, .bound_ms = 0},
		   {150, {READY(6, 0, 1)}, .bound_ms = 1},
		   {200, {{0}}, .calm = true, .bound_ms = 2});
}

Test(starvation, machine_is_calm_while_no_thread_waits)
{
	static const struct {
		const char *name;
		struct machine_look before, now;
		bool calm;
	} cases[] = {
		{"none waited", {.waited_ns = 5 * MS}, {.n_running = 9, .waited_ns = 5 * MS}, true},
		{"a tenth", {.waited_ns = 5 * MS}, {.n_running = 1, .waited_ns = 6 * MS}, true},
		{"more", {.waited_ns = 5 * MS}, {.n_running = 1, .waited_ns = 7 * MS}, false},
		{"not told, two", {.waited_ns = -1}, {.n_running = 2, .waited_ns = -1}, true},
		{"not told, three", {.waited_ns = -1}, {.n_running = 3, .waited_ns = -1}, false},
		{"nothing", {.waited_ns = -1}, {.n_running = UINT_MAX, .waited_ns = -1}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(machine_was_calm(&cases[i].before, &cases[i].now, 10 * MS, 2),
			     cases[i].calm, "%s", cases[i].name);
}

Test(starvation, of_a_thread_that_no_look_sees_is_what_the_machine_says)
{
	static const struct {
		const char *name;
		struct machine_look before, now;
		int64_t wait_ms;
	} cases[] = {
		{"none waited", {.waited_ns = 5 * MS}, {.n_running = 2, .waited_ns = 5 * MS}, 0},
		{"on one of two", {.waited_ns = 5 * MS}, {.n_running = 2, .waited_ns = 7 * MS}, 4},
		{"no more than all",
		 {.waited_ns = 5 * MS},
		 {.n_running = 2, .waited_ns = 14 * MS},
		 10},
		{"waits now", {.waited_ns = 5 * MS}, {.n_running = 3, .waited_ns = 5 * MS}, 10},
		{"not told", {.waited_ns = -1}, {.n_running = 1, .waited_ns = -1}, 10},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(machine_wait_ns(&cases[i].before, &cases[i].now, 10 * MS, 2),
			     cases[i].wait_ms * MS, "%s", cases[i].name);
}

Test(starvation, has_the_end_of_a_thread_that_was_taken)
{
	struct starvation starvation;
	struct thread_look first[] = {ASLEEP(5, 1, 1), ASLEEP(6, 2, 1)}, then[] = {ASLEEP(5, 1, 1)};
	const struct thread_look last = ASLEEP(6, 9, 3), unknown = ASLEEP(7, 4, 1);

	starvation_begin(&starvation, 0);
	starvation_look(&starvation, first, 2, 100 * MS, 100 * MS, false, false);
	starvation_take_last(&starvation, &last);
	starvation_take_last(&starvation, &unknown);
	starvation_look(&starvation, then, 1, 200 * MS, 200 * MS, false, false);
	cr_expect_eq(starvation.bound_ns, (3 + 7 + 4) * MS);
	cr_expect_eq(starvation.counted_ns, (3 + 7 + 4) * MS);
	starvation_end(&starvation);
}

Test(starvation, has_delays_that_no_thread_shows_within_the_interval)
{
	struct starvation starvation;
	struct thread_look looks[] = {ASLEEP(5, 1, 1)};

	starvation_begin(&starvation, 0);
	starvation_look(&starvation, looks, 1, 100 * MS, 100 * MS, false, false);
	starvation_take_delay(&starvation, 30 * MS);
	starvation_look(&starvation, looks, 1, 200 * MS, 200 * MS, false, false);
	cr_expect_eq(starvation.bound_ns, (1 + 30) * MS);
	starvation_take_delay(&starvation, 300 * MS);
	starvation_look(&starvation, looks, 1, 250 * MS, 250 * MS, false, false);
	cr_expect_eq(starvation.bound_ns, (1 + 30 + 50) * MS);
	starvation_end(&starvation);
}

/* ---- whether a client has gone on ---- */

Test(progress, is_made_once_every_thread_has_slept_or_run)
{
	static struct thread_look asleep[] = {ASLEEP(5, 0, 1)}, ready[] = {READY(5, 0, 1)},
				  has_run[] = {READY(5, 1, 3)}, another[] = {READY(6, 0, 0)},
				  again[] = {{.tid = 5, .started = 9, .run_ns = MS, .ready = true}};
	static const struct {
		const char *name;
		struct thread_look *first, *now;
		bool made;
	} cases[] = {
		{"it sleeps", ready, asleep, true},
		{"it has slept", asleep, ready, true},
		{"it may not have run", ready, ready, false},
		{"it has run", ready, has_run, true},
		{"another one was started", ready, another, true},
		{"another one has its number", ready, again, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct thread_looks first = {.items = cases[i].first, .n_items = 1};
		const struct thread_looks now = {.items = cases[i].now, .n_items = 1};

		cr_expect_eq(client_progress_is_made(&first, &now), cases[i].made, "%s",
			     cases[i].name);
	}
}

/* ---- real threads ---- */

/* What a thread computes; beside another one that takes at least as long again. */
#define WORK_NS (60 * MS)

static void work(int64_t length_ns)
{
	struct timespec time;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	while (time.tv_sec * NS_PER_S + time.tv_nsec < length_ns);
}

static pid_t fork_bound(void)
{
	cpu_set_t first;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&first);
	sched_getaffinity(0, sizeof(first), &first);
	for (int i = 0, n = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &first) && n++ > 0)
			CPU_CLR(i, &first);
	sched_setaffinity(0, sizeof(first), &first);
	return 0;
}

static void *work_in_thread(void *userdata)
{
	work(WORK_NS);
	for (;;)
		pause();
	return NULL;
}

/* Its second thread computes, not the leader; so does its child. */
static pid_t start_client(void)
{
	pthread_t thread;
	pid_t pid = fork_bound();

	if (pid != 0)
		return pid;
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(WORK_NS);
		for (;;)
			pause();
	}
	pthread_create(&thread, NULL, work_in_thread, NULL);
	for (;;)
		pause();
}

static size_t look(struct starvation *starvation, pid_t server, int64_t *ret_server_ns)
{
	struct thread_looks client = {0}, servers = {0};
	int64_t began_ns = clock_monotonic_ns();
	size_t n;

	cr_assert(thread_looks_read(&server, 1, &client, &servers),
		  "the kernel has no lists of children");
	starvation_look(starvation, client.items, client.n_items, began_ns, clock_monotonic_ns(),
			false, false);
	*ret_server_ns = 0;
	for (size_t i = 0; i < servers.n_items; i++)
		*ret_server_ns += servers.items[i].wait_ns;
	n = client.n_items;
	free(client.items);
	free(servers.items);
	return n;
}

Test(starvation, is_seen_in_every_thread_of_every_process)
{
	pid_t client, contender = fork_bound();
	struct starvation starvation;
	int64_t server_ns, until_ns = clock_monotonic_ns() + 10 * NS_PER_S;

	if (contender == 0)
		for (;;)
			work(INT64_MAX);
	starvation_begin(&starvation, clock_monotonic_ns());
	client = start_client();
	while (starvation.counted_ns < WORK_NS && clock_monotonic_ns() < until_ns) {
		look(&starvation, contender, &server_ns);
		poll(NULL, 0, 5);
	}
	cr_expect_eq(look(&starvation, contender, &server_ns), 3, "threads");
	/* Its threads and the contender take turns. */
	cr_expect_geq(starvation.counted_ns, WORK_NS);
	/* Waits that the last looks saw begin are pending, and not in the bound yet. */
	cr_expect_geq(starvation.bound_ns, WORK_NS / 2);
	cr_expect_gt(server_ns, 0, "the contender counts as a server");
	kill(client, SIGKILL);
	kill(contender, SIGKILL);
	starvation_end(&starvation);
}

Test(starvation, of_a_dead_child_can_be_read_until_it_is_reaped)
{
	struct thread_look dead;
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	cr_assert(thread_look_dead(pid, &dead));
	cr_expect_eq(dead.tid, pid);
	cr_expect_gt(dead.run_ns, 0);
	cr_expect_not(dead.ready);
	cr_expect_geq(machine_look_read().last_pid, (uint64_t)1);
	cr_expect_geq(machine_look_read().n_running, 1u);
	waitpid(pid, NULL, 0);
	cr_expect_not(thread_look_dead(pid, &dead));
}

Test(starvation, of_a_stopped_process_is_seen_by_its_canary)
{
	int report[2];
	int64_t late_ns = 0;
	pid_t pid;

	cr_assert_eq(pipe(report), 0);
	pid = fork();
	if (pid == 0) {
		struct canary *canary = canary_new();

		/* It can't be late before it sleeps for the first time. */
		poll(NULL, 0, 50);
		if (!canary || write(report[1], "x", 1) != 1)
			_exit(1);
		poll(NULL, 0, 300);
		late_ns = canary_late_ns(canary);
		canary_free(canary);
		_exit(write(report[1], &late_ns, sizeof(late_ns)) == sizeof(late_ns) ? 0 : 1);
	}
	cr_assert_eq(read(report[0], &late_ns, 1), 1);
	kill(pid, SIGSTOP);
	poll(NULL, 0, 200);
	kill(pid, SIGCONT);
	cr_assert_eq(read(report[0], &late_ns, sizeof(late_ns)), (ssize_t)sizeof(late_ns));
	cr_expect_geq(late_ns, 150 * MS, "%lld us", (long long)(late_ns / 1000));
	waitpid(pid, NULL, 0);
}
