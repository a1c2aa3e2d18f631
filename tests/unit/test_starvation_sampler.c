/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the threads of clients that others start: what of them gets into which record. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "runner/judge/delays.h"
#include "runner/sandbox/starvation_log.h"
#include "runner/sandbox/starvation_sampler.h"

TestSuite(sampler, .timeout = 60);

#define MS NS_PER_MS

static struct starvation_entry entry_at(int64_t at_ms, int64_t client_ns)
{
	return (struct starvation_entry){
		.began_ns = at_ms * MS - MS, .ended_ns = at_ms * MS, .client_ns = client_ns};
}

static void add(struct starvation_log *log, int64_t at_ms, int64_t client_ns, int64_t raise_ns)
{
	const struct starvation_entry entry = entry_at(at_ms, client_ns);

	starvation_log_add(log, &entry, raise_ns, 0);
}

/* ---- the log ---- */

Test(sampler, log_keeps_the_ends_of_a_calm_time)
{
	struct starvation_log log = {0};

	for (int i = 1; i <= 100; i++)
		add(&log, 10 * i, i * NS_PER_US, 0);
	cr_assert_eq(log.n_items, 2);
	cr_expect_eq(log.items[0].ended_ns, 10 * MS);
	cr_expect_eq(log.items[1].ended_ns, 1000 * MS);
	add(&log, 1010, 5 * MS, 0);
	add(&log, 1020, 5 * MS, 0);
	cr_assert_eq(log.n_items, 4);
	cr_expect_eq(log.items[1].ended_ns, 1000 * MS, "the look before the wait stays");
	cr_expect_eq(log.items[2].client_ns, 5 * MS);
	starvation_log_free(&log);
}

Test(sampler, log_keeps_looks_that_missed_threads)
{
	struct starvation_log log = {0};
	struct starvation_entry entry = entry_at(20, 0);

	add(&log, 10, 0, 0);
	entry.incomplete = true;
	starvation_log_add(&log, &entry, 0, 0);
	add(&log, 30, 0, 0);
	add(&log, 40, 0, 0);
	add(&log, 50, 0, 0);
	cr_assert_geq(log.n_items, 3);
	cr_expect(log.items[1].incomplete);
	starvation_log_free(&log);
}

Test(sampler, log_raises_the_last_look_by_what_the_next_one_shows)
{
	struct starvation_log log = {0};

	add(&log, 10, 0, 0);
	add(&log, 20, 9 * MS, 7 * MS);
	cr_assert_eq(log.n_items, 2);
	cr_expect_eq(log.items[0].client_ns, 7 * MS);
	starvation_log_free(&log);
}

static void add_syn(struct record *record, int64_t at_ms)
{
	const struct event event = {.kind = EVENT_SYN, .at_ns = at_ms * MS};

	record_add_event(record, &event);
}

Test(sampler, record_gets_the_looks_since_its_time_0)
{
	AUTO_RECORD struct record *record = record_new();
	struct starvation_log log = {0};

	add(&log, 900, 40 * MS, 0);
	add(&log, 1050, 60 * MS, 0);
	add(&log, 1200, 65 * MS, 0);
	add_syn(record, 50);
	add_syn(record, 100);
	starvation_log_insert(&log, record, 1000 * MS, 3 * MS, 2 * MS);
	cr_assert_eq(record->n_events, 4);
	cr_expect(record->has_starvation);
	cr_expect_eq(record->events[0].kind, EVENT_SYN, "at the same time it comes first");
	cr_expect_eq(record->events[1].kind, EVENT_STARVATION);
	cr_expect_eq(record->events[1].at_ns, 50 * MS);
	cr_expect_eq(record->events[1].early_ns, MS);
	cr_expect_eq(record->events[1].u.starvation.client_ns, 20 * MS);
	cr_expect_eq(record->events[2].kind, EVENT_SYN);
	cr_expect_eq(record->events[3].u.starvation.client_ns, 25 * MS + 3 * MS,
		     "what waits still counts");
	cr_expect_eq(record->events[3].u.starvation.server_ns, 2 * MS);
	cr_expect_not(record->events[3].u.starvation.incomplete);
	starvation_log_free(&log);
}

Test(sampler, record_without_a_look_before_its_time_0_has_no_bound_until_the_first)
{
	AUTO_RECORD struct record *record = record_new();
	struct starvation_log log = {0};
	struct delays delays;

	add(&log, 1100, 0, 0);
	add(&log, 1200, 0, 0);
	add_syn(record, 50);
	starvation_log_insert(&log, record, 1000 * MS, 0, 0);
	delays = delays_make(record);
	cr_expect_eq(delays_of_client(&delays, 10 * MS, 50 * MS), 40 * MS);
	cr_expect_eq(delays_of_client(&delays, 110 * MS, 150 * MS), 0);
	delays_free(&delays);
	starvation_log_free(&log);
}

/* ---- real processes ---- */

static void bind_to_first_processor(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	sched_getaffinity(0, sizeof(first), &first);
	for (int i = 0, n = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &first) && n++ > 0)
			CPU_CLR(i, &first);
	sched_setaffinity(0, sizeof(first), &first);
}

static void sleep_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		sleep_for_ever();
	return pid;
}

static void work_until(int64_t until_ns)
{
	while (clock_monotonic_ns() < until_ns)
		;
}

/* A process with two children that take turns on one processor. */
static pid_t start_contenders(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	bind_to_first_processor();
	for (int i = 0; i < 2; i++) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work_until(INT64_MAX);
	}
	sleep_for_ever();
	return 0;
}

static void on_time(evutil_socket_t fd, short what, void *userdata)
{
	event_base_loopbreak(userdata);
}

/* They live as long as the process. */
static struct event_base *base;
static struct starvation_sampler *sampler;

static void begin(void)
{
	base = event_loop_new();
	sampler = starvation_sampler_new(base, false);
}

/* Returns how long the record's client starved, as the sampler says. */
static int64_t starved_ns(pid_t root, int64_t origin_ns)
{
	AUTO_RECORD struct record *record = record_new();
	struct delays delays;
	int64_t ns;

	starvation_sampler_complete(sampler, root, origin_ns, record);
	cr_assert(record->has_starvation);
	delays = delays_make(record);
	ns = delays_of_client(&delays, 0, clock_monotonic_ns() - origin_ns);
	delays_free(&delays);
	return ns;
}

Test(sampler, counts_the_descendants_of_the_process_that_a_record_is_for, .init = begin)
{
	const struct timeval time = {.tv_usec = 400000};
	pid_t quiet = start_sleeper(), busy = start_contenders();
	pid_t servers[] = {start_sleeper(), start_sleeper()};
	int64_t quiet_ns, busy_ns, all_ns, machine_ns, origin_ns;

	starvation_sampler_open(sampler, quiet, servers[0]);
	starvation_sampler_open(sampler, busy, servers[1]);
	origin_ns = clock_monotonic_ns();
	event_base_once(base, -1, EV_TIMEOUT, on_time, base, &time);
	event_base_dispatch(base);
	quiet_ns = starved_ns(quiet, origin_ns);
	busy_ns = starved_ns(busy, origin_ns);
	all_ns = starved_ns(0, origin_ns);
	machine_ns = starved_ns(SAMPLER_MACHINE, origin_ns);
	cr_expect_geq(machine_ns, 100 * MS, "%lld us", (long long)(machine_ns / 1000));
	cr_expect_geq(busy_ns, 100 * MS, "%lld us", (long long)(busy_ns / 1000));
	cr_expect_geq(all_ns, 100 * MS, "%lld us", (long long)(all_ns / 1000));
	/* On a busy machine the canary is late, which counts for both. */
	cr_expect_lt(quiet_ns, busy_ns, "%lld us", (long long)(quiet_ns / 1000));
	starvation_sampler_close(sampler, quiet, servers[0]);
	starvation_sampler_close(sampler, busy, servers[1]);
	kill(quiet, SIGKILL);
	kill(busy, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		kill(servers[i], SIGKILL);
}

Test(sampler, keeps_an_orphan_with_the_process_that_it_descends_from, .init = begin)
{
	const struct timeval time = {.tv_usec = 300000};
	pid_t root, server = start_sleeper();
	int64_t origin_ns;
	int ready[2];
	char byte;

	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	cr_assert_eq(pipe(ready), 0);
	root = fork();
	if (root == 0) {
		bind_to_first_processor();
		for (int i = 0; i < 2; i++) {
			if (fork() != 0)
				continue;
			/* It outlives the process that has started it, but not for long. */
			work_until(clock_monotonic_ns() + NS_PER_S);
			_exit(0);
		}
		if (write(ready[1], "x", 1) == 1)
			sleep_for_ever();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	starvation_sampler_open(sampler, root, server);
	kill(root, SIGKILL);
	starvation_sampler_take_dead(sampler, root);
	waitpid(root, NULL, 0);
	origin_ns = clock_monotonic_ns();
	event_base_once(base, -1, EV_TIMEOUT, on_time, base, &time);
	event_base_dispatch(base);
	cr_expect_geq(starved_ns(root, origin_ns), 50 * MS);
	kill(server, SIGKILL);
}
