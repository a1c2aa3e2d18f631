/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs scenarios side by side: see schedule.h. */
#include "runner/schedule/schedule.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/random.h"
#include "common/text.h"
#include "injector/event_loop.h"
#include "runner/clock/obstacle.h"
#include "runner/judge/needs.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/netns_lock.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/stale_cleanup.h"
#include "runner/sandbox/supervise.h"
#include "runner/schedule/handed_record.h"
#include "runner/schedule/limits.h"
#include "runner/schedule/live_messages.h"
#include "runner/schedule/ports.h"
#include "runner/schedule/run_queue.h"
#include "runner/schedule/searcher.h"

/* How often the progress is drawn, and slow starts no longer hold up others. */
#define TICK_NS (100 * NS_PER_MS)
/* After this time a scenario no longer counts as starting. */
#define START_NS (1 * NS_PER_S)
/* A supervisor that exceeds all its time limits by this much is stuck. */
#define WATCHDOG_NS (15 * NS_PER_S)
/* After the run's time limit, scenarios get this long to end before they are killed. */
#define ENDING_NS (10 * NS_PER_S)
/* How many scenarios in virtual time run at once, unless the number of jobs is given. */
enum { VIRTUAL_PER_PROCESSOR = 1 };

struct scheduler;

/* A running scenario. */
struct running {
	struct scheduler *scheduler;
	struct result *result;
	pid_t pid;
	int pidfd, result_fd, control_fd;
	int capture_fd; /* -1: packets are not captured */
	struct event *exited, *spoke, *overdue;
	int64_t started_ns;
	bool starting;
	bool virtual_time;
	struct running *next, *previous;
	struct strbuf heard; /* an incomplete message on control_fd */
};

/* A scenario that has ended, and whose output is being searched for patterns that take long. */
struct searching {
	struct scheduler *scheduler;
	struct result *result;
	int capture_fd;
	struct searcher *searcher;
	struct searching *next;
};

struct scheduler {
	const struct schedule_config *config;
	struct run_results *results;
	struct event_base *base;
	struct isolation isolation;
	uint32_t number_hint; /* shared: for the next scenario */
	size_t n_stale;       /* shared: scenarios whose rules still exist */
	struct ports ports;   /* shared: fixed ports of running scenarios */
	struct rlimit n_files;
	struct running *running;     /* list */
	struct searching *searching; /* list */
	size_t n_running, n_searching, n_starting, n_done;
	struct run_queue queue;
	size_t jobs, max_starting, max_virtual, n_failures;
	enum stop_cause stop; /* when set, the queue is closed */
	int n_ends;           /* how often running scenarios were asked to end */
	struct event *tick, *interrupt, *terminate, *unread, *status, *deadline;
};

uint64_t schedule_scenario_seed(uint64_t run_seed, const struct scenario *scenario)
{
	return random_draw(run_seed, text_hash(scenario->name), 0, 0);
}

uint64_t schedule_repetition_seed(uint64_t run_seed, unsigned repetition)
{
	return repetition > 1 ? random_draw(run_seed, repetition, 0, 1) : run_seed;
}

static void start_more(struct scheduler *self);

static void stop(struct scheduler *self, enum stop_cause cause)
{
	if (self->stop == STOP_NONE)
		self->stop = cause;
	run_queue_close(&self->queue);
}

/* Reports a final result; that of a document that could not be loaded is an error. */
static void settle(struct scheduler *self, struct result *result)
{
	retry_settle(&self->config->retry, result);
	self->n_done++;
	self->n_failures += result_is_failure(result);
	if (self->config->on_result)
		self->config->on_result(self->config->userdata, result);
	if (self->config->max_failures && self->n_failures >= self->config->max_failures)
		stop(self, STOP_FAILURES);
}

/* ---- a scenario ends ---- */

/*
 * Judges a result, and decides on a rerun. @capture_fd: the scenario's packets; -1: none.
 * @searches: of its output for patterns; NULL: there is no output.
 */
static void judge_result(struct scheduler *self, struct result *result, int capture_fd,
			 const struct text_searches *searches)
{
	struct judgement *judgement = &result->judgement;
	struct judge_options options = self->config->judge;
	const size_t index = (size_t)(result - self->results->items);
	enum retry_kind retry;

	options.searches = searches;
	*judgement = judge(result->scenario, result->record, &options);
	if (judgement->outcome == OUTCOME_SKIP && self->config->require)
		judgement->outcome = OUTCOME_ERROR;
	if (capture_fd >= 0)
		captures_take(&self->config->capture, capture_fd, result, index);
	retry = self->queue.closed ? RETRY_NONE : retry_due(&self->config->retry, result);
	if (retry == RETRY_NONE)
		settle(self, result);
	else
		/* NOLINTNEXTLINE(readability-suspicious-call-argument) */
		run_queue_retry(&self->queue, index, retry);
}

static void on_searched(void *userdata, const struct text_searches *searches)
{
	struct searching *searching = userdata, **link;
	struct scheduler *self = searching->scheduler;
	struct result *result = searching->result;
	AUTO_CLOSE int capture_fd = searching->capture_fd;

	for (link = &self->searching; *link != searching; link = &(*link)->next)
		;
	*link = searching->next;
	self->n_searching--;
	free(searching);
	if (self->n_ends > 0) {
		result->interrupted = true;
		result->stop = self->stop;
	}
	judge_result(self, result, capture_fd, searches);
	start_more(self);
}

/* Leaves the search to another process. Returns 0 or a negative errno. */
static int search_apart(struct scheduler *self, struct result *result, int capture_fd)
{
	struct searching *searching = xzalloc(sizeof(*searching));
	const struct searcher_config config = {
		.base = self->base,
		.scenario = result->scenario,
		.record = result->record,
		.limits = pattern_default_limits,
		.patience_ns = searcher_default_patience_ns(),
		.on_end = on_searched,
		.userdata = searching,
	};
	int status = searcher_start(&config, &searching->searcher);

	if (status < 0) {
		free(searching);
		return status;
	}
	searching->scheduler = self;
	searching->result = result;
	searching->capture_fd = capture_fd;
	searching->next = self->searching;
	self->searching = searching;
	self->n_searching++;
	return 0;
}

/* Judges a result once its output has been searched. @capture_fd: becomes ours. */
static void search_and_judge(struct scheduler *self, struct result *result, int capture_fd)
{
	struct pattern_limits limits = searcher_limits_at_once();
	struct text_searches searches =
		text_searches_make(result->scenario, result->record, &limits);

	if (limits.reached && self->n_ends == 0) {
		text_searches_free(&searches);
		if (search_apart(self, result, capture_fd) == 0)
			return;
		/* Without a process of its own, the search has to be waited for. */
		limits = pattern_default_limits;
		searches = text_searches_make(result->scenario, result->record, &limits);
	}
	judge_result(self, result, capture_fd, &searches);
	text_searches_free(&searches);
	cleanup_close(&capture_fd);
}

static void stop_starting(struct running *running)
{
	if (running->starting)
		running->scheduler->n_starting--;
	running->starting = false;
}

static void forget(struct running *running)
{
	struct scheduler *self = running->scheduler;

	stop_starting(running);
	ports_give(&self->ports, running->result->scenario);
	event_free(running->exited);
	event_free(running->spoke);
	event_free(running->overdue);
	close(running->pidfd);
	close(running->result_fd);
	cleanup_close(&running->capture_fd);
	close(running->control_fd);
	strbuf_free(&running->heard);
	if (running->previous)
		running->previous->next = running->next;
	else
		self->running = running->next;
	if (running->next)
		running->next->previous = running->previous;
	self->n_running--;
	free(running);
}

static void on_live_event(void *userdata, const char *line)
{
	struct running *running = userdata;
	const struct schedule_config *config = running->scheduler->config;

	config->on_live(config->userdata, running->result, line);
}

static void on_live_start(void *userdata)
{
	stop_starting(userdata);
}

/* Reads messages. Returns whether there may be more. */
static bool read_messages(struct running *running)
{
	char messages[4096];
	ssize_t length = recv(running->control_fd, messages, sizeof(messages), MSG_DONTWAIT);

	if (length > 0) {
		strbuf_add(&running->heard, messages, (size_t)length);
		live_messages_take(&running->heard, on_live_event, on_live_start, running);
		return true;
	}
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* It has closed its end, and on_exited() will see that it has ended. */
	stop_starting(running);
	event_del(running->spoke);
	return false;
}

static void on_exited(evutil_socket_t fd, short what, void *userdata)
{
	struct running *running = userdata;
	struct scheduler *self = running->scheduler;
	struct result *result = running->result;
	int wait_status, capture_fd;

	/* Its last messages, before the result. */
	while (self->config->on_live && read_messages(running))
		;
	wait_status = process_wait(running->pid);
	result->record =
		handed_record(result->scenario, running->result_fd, wait_status, self->n_ends > 1);
	if (isolation_is_shared(&self->isolation, result->scenario))
		stale_cleanup_after(wait_status, &self->n_stale);
	result->duration_ns = clock_monotonic_ns() - running->started_ns;
	result->interrupted = self->n_ends > 0 && result->record->n_problems > 0;
	result->stop = result->interrupted ? self->stop : STOP_NONE;
	capture_fd = steal_fd(&running->capture_fd);
	forget(running);
	search_and_judge(self, result, capture_fd);
	start_more(self);
}

static void on_spoke(evutil_socket_t fd, short what, void *userdata)
{
	struct running *running = userdata;

	read_messages(running);
	start_more(running->scheduler);
}

static void on_overdue(evutil_socket_t fd, short what, void *userdata)
{
	struct running *running = userdata;

	kill(running->pid, SIGKILL);
}

/* ---- a scenario starts ---- */

/* Returns the longest that a scenario can take if the harness works as it should. */
static struct timeval overdue_after(const struct scenario *scenario)
{
	int64_t limit_ns = scenario->timeout_ns + scenario_leftover_timeout_ns(scenario) +
			   2 * scenario->stop_timeout_ns + WATCHDOG_NS;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		limit_ns += scenario->endpoints[i].serve_ready_ns;
	return (struct timeval){.tv_sec = limit_ns / NS_PER_S};
}

static void watch(struct running *running)
{
	struct scheduler *self = running->scheduler;
	struct timeval overdue = overdue_after(running->result->scenario);

	running->exited = event_new(self->base, running->pidfd, EV_READ, on_exited, running);
	running->spoke = event_loop_readable(self->base, running->control_fd, on_spoke, running);
	running->overdue = evtimer_new(self->base, on_overdue, running);
	event_add(running->exited, NULL);
	event_add(running->overdue, &overdue);
	running->next = self->running;
	if (self->running)
		self->running->previous = running;
	self->running = running;
	self->n_running++;
	self->n_starting++;
	running->starting = true;
}

static enum time_mode time_of(const struct scheduler *self, const struct scenario *scenario)
{
	return self->config->time != TIME_N_MODES ? self->config->time : scenario->time;
}

/*
 * Returns whether the scenario runs in virtual time; if that is wanted but impossible, notes why.
 */
static bool takes_virtual_time(const struct scheduler *self, struct result *result)
{
	const enum time_mode mode = time_of(self, result->scenario);

	if (mode == TIME_REAL || result->real_time || retry_is_unproven(result))
		return false;
	free(result->no_virtual);
	result->no_virtual = clock_obstacle(result->scenario);
	/* What is only observed has no failure to confirm. */
	result->confirm = mode == TIME_AUTO && !self->config->observe;
	return !result->no_virtual;
}

/* Returns 0, or a negative errno if no process can be made. */
static int start(struct scheduler *self, struct result *result)
{
	AUTO_CLOSE int result_fd = memfd_create("record", MFD_CLOEXEC);
	AUTO_CLOSE int capture_fd = captures_open(&self->config->capture);
	int control[2] = {-1, -1}, pidfd = -1;
	int64_t started_ns = clock_monotonic_ns();
	const bool shared = isolation_is_shared(&self->isolation, result->scenario);
	const bool virtual_time = takes_virtual_time(self, result);
	const unsigned needs = self->config->observe ? NEEDS_ALL : scenario_needs(result->scenario);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct running *running;
	pid_t pid;

	if (result_fd < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0)
		return -errno;
	/* Use all numbers in turn, since the ports of a recent one may still be in TIME-WAIT. */
	self->number_hint = (self->number_hint + 1) % NETNS_LOCK_LAST_SANDBOX;
	pid = shared ? shared_sandbox_fork(&pidfd) : namespace_fork(&pidfd);
	if (pid == 0) {
		struct supervise_config config = {
			.scenario = result->scenario,
			.command = self->config->command,
			.seed = schedule_scenario_seed(
				schedule_repetition_seed(self->config->seed, result->repetition),
				result->scenario),
			.settings = &self->isolation.settings,
			.queue_form = self->isolation.queue_form,
			.shared = shared,
			.number_hint = self->number_hint,
			.space = shared ? self->isolation.space : -1,
			.n_files = &self->n_files,
			.uid = uid,
			.gid = gid,
			.result_fd = result_fd,
			.want_sockets = needs & NEEDS_SOCKETS,
			.want_client_ends = needs & NEEDS_CLIENT_ENDS,
			.virtual_time = virtual_time,
			.capture = capture_fd >= 0,
			.capture_fd = capture_fd,
			.capture_size = self->config->capture.size,
			.control_fd = control[1],
			.on_event = self->config->on_live ? live_messages_send : NULL,
		};

		supervise(&config);
	}
	close(control[1]);
	if (pid < 0) {
		close(control[0]);
		return pid;
	}
	running = xzalloc(sizeof(*running));
	*running = (struct running){
		.scheduler = self,
		.result = result,
		.pid = pid,
		.pidfd = pidfd,
		.result_fd = steal_fd(&result_fd),
		.capture_fd = steal_fd(&capture_fd),
		.control_fd = control[0],
		.started_ns = started_ns,
		.virtual_time = virtual_time,
	};
	watch(running);
	return 0;
}

/* Skips a scenario that can't run with this isolation, and gives the reason. */
static bool skip_impossible(struct scheduler *self, struct result *result)
{
	AUTO_FREE char *obstacle = isolation_obstacle(&self->isolation, result->scenario);

	if (!obstacle && time_of(self, result->scenario) == TIME_VIRTUAL &&
	    !takes_virtual_time(self, result) && result->no_virtual)
		obstacle = xasprintf("no virtual time: %s", result->no_virtual);
	if (!obstacle)
		return false;
	result->record = handed_record_empty(result->scenario);
	record_add_problem(result->record, true, "%s", obstacle);
	judge_result(self, result, -1, NULL);
	return true;
}

static void fail_to_start(struct scheduler *self, struct result *result, int status)
{
	result->record = handed_record_empty(result->scenario);
	record_add_problem(result->record, false, "can't start a process for the scenario: %s",
			   strerror(-status));
	judge_result(self, result, -1, NULL);
}

/*
 * Returns whether a running scenario keeps this one from starting; when that one ends, there is
 * room.
 */
static bool is_blocked(const struct scheduler *self, const struct result *result)
{
	AUTO_FREE const struct scenario **running =
		xzalloc((self->n_running + 1) * sizeof(const struct scenario *));
	size_t n = 0;

	for (const struct running *one = self->running; one; one = one->next)
		running[n++] = one->result->scenario;
	return !run_queue_may_run_beside(result->scenario, running, n);
}

/*
 * Returns whether enough scenarios run in virtual time. They don't spend their time waiting: with
 * more at once, each of them would starve. Scenarios in real time may overtake.
 */
static bool has_no_processor(struct scheduler *self, struct result *result)
{
	size_t n = 0;

	for (const struct running *one = self->running; one; one = one->next)
		n += one->virtual_time;
	return n >= self->max_virtual && takes_virtual_time(self, result);
}

/*
 * Returns 0 if it has started or has its result already, -EADDRINUSE if it has to wait for a port,
 * a remote endpoint or a processor, or another negative errno if no process can be made.
 */
static int start_or_settle(struct scheduler *self, struct result *result)
{
	int status;

	if (!result->scenario) {
		settle(self, result);
		return 0;
	}
	if (skip_impossible(self, result))
		return 0;
	if (has_no_processor(self, result) || is_blocked(self, result))
		return -EADDRINUSE;
	/* In a private sandbox all ports are free. */
	if (self->isolation.mode != ISOLATION_SHARED)
		return start(self, result);
	if (!ports_take(&self->ports, result->scenario))
		return -EADDRINUSE;
	status = start(self, result);
	if (status < 0)
		ports_give(&self->ports, result->scenario);
	return status;
}

/* Returns how many scenarios take up a job. */
static size_t n_busy(const struct scheduler *self)
{
	return self->n_running + self->n_searching;
}

static void start_more(struct scheduler *self)
{
	struct run_queue_item item;

	run_queue_begin_round(&self->queue);
	while (n_busy(self) < self->jobs && self->n_starting < self->max_starting &&
	       run_queue_next(&self->queue, n_busy(self), &item)) {
		struct result *result = &self->results->items[item.result];
		int status = start_or_settle(self, result);

		if (status == -EADDRINUSE) {
			run_queue_defer(&self->queue, &item);
			continue;
		}
		/*
		 * There is no process, descriptor or memory left: the end of a scenario will make
		 * room.
		 */
		if (status < 0 && n_busy(self) > 0)
			break;
		run_queue_take(&self->queue, &item);
		if (item.again) {
			captures_set_aside(result);
			retry_begin(result);
		}
		if (status < 0)
			fail_to_start(self, result, status);
	}
	if (n_busy(self) == 0 && run_queue_is_done(&self->queue))
		event_base_loopbreak(self->base);
}

/* ---- time and signals ---- */

static void on_tick(evutil_socket_t fd, short what, void *userdata)
{
	struct scheduler *self = userdata;
	AUTO_FREE const char **names = xzalloc((self->n_running + 1) * sizeof(*names));
	int64_t now_ns = clock_monotonic_ns();
	size_t n = 0;

	/* The list begins with the youngest, but people look for the oldest. */
	for (struct running *running = self->running; running; running = running->next) {
		names[self->n_running - ++n] = running->result->scenario->name;
		if (now_ns - running->started_ns > START_NS)
			stop_starting(running);
	}
	if (self->config->on_tick)
		self->config->on_tick(self->config->userdata, self->n_done, names, self->n_running);
	start_more(self);
}

static void on_status(evutil_socket_t fd, short what, void *userdata)
{
	struct scheduler *self = userdata;
	AUTO_FREE struct schedule_running *list = xzalloc((self->n_running + 1) * sizeof(*list));
	int64_t now_ns = clock_monotonic_ns();
	size_t n = self->n_running;

	for (struct running *running = self->running; running; running = running->next)
		list[--n] = (struct schedule_running){
			.result = running->result,
			.elapsed_ns = now_ns - running->started_ns,
		};
	if (self->config->on_status)
		self->config->on_status(self->config->userdata, self->n_done, list,
					self->n_running);
}

/* Asks all running scenarios to end, and starts nothing more. */
static void end_all(struct scheduler *self, enum stop_cause cause)
{
	const char message = SUPERVISE_INTERRUPT;

	if (self->n_ends == 0)
		self->stop = cause;
	run_queue_close(&self->queue);
	self->n_ends++;
	for (struct running *running = self->running; running; running = running->next) {
		/* The second request kills them. */
		if (self->n_ends > 1)
			kill(running->pid, SIGKILL);
		else
			(void)!send(running->control_fd, &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	for (struct searching *searching = self->searching; searching; searching = searching->next)
		searcher_stop(searching->searcher);
	start_more(self);
}

static void on_signal(evutil_socket_t number, short what, void *userdata)
{
	end_all(userdata, STOP_SIGNAL);
}

static void on_deadline(evutil_socket_t fd, short what, void *userdata)
{
	const struct timeval patience = {.tv_sec = ENDING_NS / NS_PER_S};
	struct scheduler *self = userdata;

	event_add(self->deadline, &patience);
	end_all(self, STOP_TIMEOUT);
}

/* ---- everything ---- */

/* Gives every result the same problem. @skip: it is a reason to skip (with --require an error). */
static void end_unrun(struct scheduler *self, bool skip, const char *message)
{
	struct run_queue_item item;

	run_queue_close(&self->queue);
	while (run_queue_drain(&self->queue, &item)) {
		struct result *result = &self->results->items[item.result];

		if (!result->scenario) {
			settle(self, result);
			continue;
		}
		result->record = handed_record_empty(result->scenario);
		record_add_problem(result->record, skip, "%s", message);
		judge_result(self, result, -1, NULL);
	}
}

static void watch_time_and_signals(struct scheduler *self)
{
	const struct timeval tick = duration_timeval(TICK_NS);
	const struct timeval limit = duration_timeval(self->config->global_timeout_ns);

	self->tick = event_new(self->base, -1, EV_PERSIST, on_tick, self);
	self->interrupt = event_loop_signal(self->base, SIGINT, on_signal, self);
	self->terminate = event_loop_signal(self->base, SIGTERM, on_signal, self);
	self->unread = event_loop_signal(self->base, SIGPIPE, on_signal, self);
	self->status = event_loop_signal(self->base, SIGUSR1, on_status, self);
	self->deadline = evtimer_new(self->base, on_deadline, self);
	event_add(self->tick, &tick);
	if (self->config->global_timeout_ns)
		event_add(self->deadline, &limit);
}

static void loop(struct scheduler *self)
{
	self->base = ALLOCATED(event_base_new());
	watch_time_and_signals(self);
	start_more(self);
	if (n_busy(self) > 0 || !run_queue_is_done(&self->queue))
		event_base_dispatch(self->base);
	event_free(self->tick);
	event_free(self->interrupt);
	event_free(self->terminate);
	event_free(self->unread);
	event_free(self->status);
	event_free(self->deadline);
	event_base_free(self->base);
}

/* Says of all results that did not run, and of the run, that it ended early. */
static void finish_early(struct scheduler *self)
{
	struct run_queue_item item;

	while (run_queue_drain(&self->queue, &item)) {
		struct result *result = &self->results->items[item.result];

		/* It was to run again: now its first run counts. */
		if (item.again) {
			settle(self, result);
			continue;
		}
		result->interrupted = true;
		result->stop = self->stop;
	}
	self->results->stop = self->stop;
	self->results->interrupted = self->stop == STOP_SIGNAL;
}

static void report_isolation(const struct schedule_config *config,
			     const struct isolation *isolation)
{
	if (config->on_isolation)
		config->on_isolation(config->userdata, isolation);
}

void schedule_run(const struct schedule_config *config, struct run_results *results)
{
	long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct scheduler self = {
		.config = config,
		.results = results,
		.queue = run_queue_new(results->n_items),
		.ports = {.claim = ports_claim},
		.jobs = config->jobs ? config->jobs : limits_default_jobs(),
		.max_virtual = config->jobs ? config->jobs
					    : VIRTUAL_PER_PROCESSOR * (size_t)MAX(n_processors, 1L),
		.max_starting = (size_t)MAX(n_processors, 1L),
	};
	AUTO_FREE char *missing = NULL;
	int64_t started_ns = clock_monotonic_ns();
	int status;

	results->started_realtime_ns = clock_realtime_ns();
	results->seed = config->seed;
	status = isolation_probe(config->isolation, &self.isolation, &missing);
	if (status < 0) {
		report_isolation(config, NULL);
		/* A probe that is killed says nothing about the machine. */
		end_unrun(&self, status != -EINTR, missing);
	} else {
		for (size_t i = 0; config->isolation == ISOLATION_AUTO && i < results->n_items; i++)
			if (results->items[i].scenario &&
			    scenario_has_remote(results->items[i].scenario)) {
				isolation_add_shared(&self.isolation);
				break;
			}
		report_isolation(config, &self.isolation);
		self.number_hint = (uint32_t)random_seed();
		limits_raise_files(&self.n_files);
		limits_keep_heap_tidy();
		loop(&self);
		setrlimit(RLIMIT_NOFILE, &self.n_files);
	}
	isolation_free(&self.isolation);
	finish_early(&self);
	run_queue_free(&self.queue);
	ports_deinit(&self.ports);
	results->duration_ns = clock_monotonic_ns() - started_ns;
}
