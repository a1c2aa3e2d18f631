/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a client's processes waited for processors: all of them are bound to one processor here,
 * for which one more process contends.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "common/duration.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/run_delay.h"

/* What a child computes; beside another process that takes at least as long again. */
#define WORK_NS (60 * NS_PER_MS)

TestSuite(run_delay, .timeout = 60);

static int64_t processor_time_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void work(int64_t length_ns)
{
	while (processor_time_ns() < length_ns)
		;
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

static pid_t start_contender(void)
{
	pid_t pid = fork_bound();

	if (pid == 0) {
		for (;;)
			work(INT64_MAX);
	}
	return pid;
}

/* Runs two programs one after the other and waits for each, as a shell does. */
static pid_t start_client(void)
{
	pid_t pid = fork_bound();

	if (pid != 0)
		return pid;
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			work(WORK_NS);
			_exit(0);
		}
		wait(NULL);
	}
	_exit(0);
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

Test(run_delay, is_that_of_all_processes_of_a_client)
{
	pid_t contender = start_contender(), client = start_client();
	struct run_delay *delay = run_delay_new(client);
	int64_t leader_ns, total_ns;

	if (process_run_delay_ns(client) < 0)
		cr_skip_test("the kernel does not say how long processes wait");
	while (!has_ended(client)) {
		run_delay_look(delay);
		poll(NULL, 0, 5);
	}
	run_delay_look(delay);
	leader_ns = process_run_delay_ns(client);
	total_ns = run_delay_total_ns(delay);
	run_delay_free(delay);
	kill(contender, SIGKILL);
	while (wait(NULL) > 0)
		;
	/* Each of the two is seen to wait, though it is gone when the client ends. */
	cr_expect_geq(total_ns - leader_ns, WORK_NS, "%lld ns of all, %lld ns of the first",
		      (long long)total_ns, (long long)leader_ns);
}

Test(run_delay, of_nothing_is_not_known)
{
	struct run_delay *delay = run_delay_new(INT32_MAX);

	run_delay_look(delay);
	cr_expect_eq(run_delay_total_ns(delay), -1);
	run_delay_free(delay);
}
