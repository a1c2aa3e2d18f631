/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine of the supervisor: see supervisor.h.
 *
 * Theory of operation
 * -------------------
 * In a private sandbox the supervisor is the first process of its pid namespace: when it ends, the
 * kernel ends all others in it. In a shared sandbox it is the subreaper of its descendants
 * (descendants.h). It ends them itself and releases what it has (shared_sandbox.h), even if its
 * parent is killed. If the supervisor is killed, the next run cleans up (stale_cleanup.h). One
 * event loop does everything:
 *
 *     STARTING ──(all servers listen)──► RUNNING ──(timeout, interrupt)──────────────────► ENDING
 *        │                                  └──(client exits)──► LEFTOVERS ──(see below)─►   │
 *        └──(a server fails)──────────────────────────────────────────────► ENDING           │
 *                                                                                            ▼
 *     done ◄──(last sockets' deaths seen, or after SETTLE_NS)─ SETTLING ◄──(no process left)─┘
 *
 * The injector is armed when RUNNING begins, before the client is started. LEFTOVERS ends when no
 * process of the client is left, which is usually at once, or after scenario_leftover_timeout_ns().
 * A client with a time to run (run-for) gets TERM after that time, and KILL after the scenario's
 * stop-timeout; from then on it is like any client that has ended. ENDING does the same to
 * everything in the sandbox. Orphans of the client are our children, so waitpid() says when no
 * process is left.
 *
 * What the machine drives is in files of its own: clients.c, servers.c, launcher.c, which starts
 * the programs of both, and recorder.c. supervise.c begins and ends the process; attached.c is for
 * clients that others start.
 */
#include "runner/sandbox/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "injector/event_loop.h"
#include "runner/judge/needs.h"
#include "runner/sandbox/descendants.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/orphan_sockets.h"
#include "runner/sandbox/remote.h"
#include "runner/sandbox/requirements.h"
#include "runner/sandbox/snapshot.h"
#include "runner/sandbox/supervisor_confine.h"

/*
 * How long processes may take to end after KILL. They need a processor for that, which a busy
 * machine may not give them for seconds; those that end sooner are not waited for.
 */
#define KILL_NS (5 * NS_PER_S)
/*
 * How long to wait for notices of sockets that the client left open, and how often again while a
 * socket is gone without one: notices come in a millisecond, but from a work queue, which waits
 * for a busy machine's processors like any process.
 */
#define SETTLE_NS   (100 * NS_PER_MS)
#define MAX_SETTLES 30
/* How often to check whether servers listen. */
#define READY_POLL_NS (2 * NS_PER_MS)

static void set_timer(struct supervisor *self, int64_t in_ns)
{
	const struct timeval delay = duration_timeval(in_ns);

	self->due_ns = clock_monotonic_ns() + in_ns;
	event_add(self->timer, &delay);
}

/* Reports to the parent that the client has started, so that another scenario may start. */
static void report_started(struct supervisor *self)
{
	const char message = SUPERVISE_UNDER_WAY;

	if (self->under_way)
		return;
	self->under_way = true;
	if (self->config->attached)
		return;
	/* A dead parent doesn't care; on_control() notices that it is dead. */
	(void)!send(self->config->control_fd, &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- the record ---- */

static void on_event(void *userdata, const struct event *event)
{
	const struct supervisor *self = userdata;

	if (self->config->on_event)
		self->config->on_event(self->config, self->recorder.record, event);
}

static void on_full(void *userdata)
{
	const struct supervise_attached *attached =
		((const struct supervisor *)userdata)->config->attached;

	attached->on_full(attached->userdata);
}

static uint32_t instance_of(void *userdata, const struct attempt_info *attempt)
{
	const struct supervisor *self = userdata;

	return clients_instance_of(&self->clients, attempt);
}

static void on_output(void *userdata, uint32_t stream, size_t length, int64_t early_ns)
{
	recorder_output(&((struct supervisor *)userdata)->recorder, stream, length, early_ns);
}

static void on_still_open(void *userdata, uint32_t attempt)
{
	recorder_still_open(&((struct supervisor *)userdata)->recorder, attempt);
}

static void on_orphan(void *userdata, uint32_t attempt, const struct sock_found *socket)
{
	recorder_orphan(&((struct supervisor *)userdata)->recorder, attempt, socket);
}

/* Returns whether the end of every attempt is known. */
static bool is_settled(const struct supervisor *self)
{
	return !self->injector || (injector_n_waiting(self->injector) == 0 &&
				   (injector_n_connected(self->injector) == 0 ||
				    !(scenario_needs(self->scenario) & NEEDS_DEATHS)));
}

static void on_injector_event(void *userdata, const struct injector_event *event)
{
	struct supervisor *self = userdata;

	recorder_injector_event(&self->recorder, event);
	report_started(self);
	if (event->kind == EVENT_SYN || event->kind == EVENT_VERDICT)
		starvation_meter_look_soon(self->meter);
	if (self->phase == PHASE_SETTLING && is_settled(self))
		set_timer(self, 0);
}

static int went_on(void *userdata, const struct attempt_info *attempt)
{
	struct supervisor *self = userdata;

	return client_progress_ask(self->progress, attempt->id, self->servers.pids,
				   self->scenario->n_endpoints);
}

static int64_t to_own_ns(void *userdata, int64_t kernel_ns)
{
	return client_clock_to_own_ns(&((struct supervisor *)userdata)->clock, kernel_ns);
}

static void on_injector_problem(void *userdata, enum injector_problem kind, const char *message)
{
	struct supervisor *self = userdata;
	struct record *record = self->recorder.record;

	record_add_problem(record, false, "%s", message);
	record->problems[record->n_problems - 1].late = kind == INJECTOR_LATE;
	if (kind == INJECTOR_DEAD)
		supervisor_end(self);
}

/* ---- ending ---- */

/* May be called before the loop has begun, when breaking it would have no effect. */
static void finish(struct supervisor *self)
{
	self->done = true;
	event_base_loopbreak(self->base);
}

static void enter_settling(struct supervisor *self)
{
	self->phase = PHASE_SETTLING;
	client_clock_finish(&self->clock);
	self->servers.pids[self->scenario->n_endpoints] = 0;
	report_started(self);
	if (is_settled(self))
		finish(self);
	else
		set_timer(self, SETTLE_NS);
}

/* Sends a signal to everything in the sandbox. Returns false if no process is left. */
static bool signal_all(const struct supervisor *self, int number)
{
	const pid_t clock_pid = client_clock_pid(&self->clock);

	if (clock_pid) {
		descendants_signal_others(number, &clock_pid, 1);
		return descendants_has_others(&clock_pid, 1);
	}
	if (self->shared)
		return descendants_signal(number);
	return kill(-1, number) == 0 || errno != ESRCH;
}

void supervisor_end(struct supervisor *self)
{
	if (self->phase >= PHASE_ENDING)
		return;
	starvation_meter_stop(self->meter);
	/* First of all, to show the network as it was when the client ended or timed out. */
	if (self->phase == PHASE_RUNNING)
		snapshot_take(&self->sandbox, self->recorder.record);
	self->phase = PHASE_ENDING;
	if (signal_all(self, SIGTERM))
		set_timer(self, self->scenario->stop_timeout_ns);
	else
		enter_settling(self);
}

/* ---- what the client left behind ---- */

static bool has_left_something(const struct supervisor *self)
{
	return descendants_has_others(self->servers.pids, self->scenario->n_endpoints + 1);
}

/* The injector sees attempts of what the client left; for its connections we have to look. */
static void enter_leftovers(struct supervisor *self)
{
	int64_t leftover_timeout_ns = scenario_leftover_timeout_ns(self->scenario);

	snapshot_take(&self->sandbox, self->recorder.record);
	self->phase = PHASE_LEFTOVERS;
	if (leftover_timeout_ns == 0 || !has_left_something(self)) {
		supervisor_end(self);
		return;
	}
	self->leftovers_until_ns = clock_monotonic_ns() + leftover_timeout_ns;
	set_timer(self, MIN(leftover_timeout_ns, LEFTOVER_LOOK_NS));
}

static void on_leftovers_timer(struct supervisor *self)
{
	int64_t left_ns = self->leftovers_until_ns - clock_monotonic_ns();

	orphan_sockets_look(self->recorder.record, on_still_open, self);
	if (left_ns > 0)
		set_timer(self, left_ns);
	else
		supervisor_end(self);
}

static void set_stopper(struct supervisor *self, int64_t in_ns)
{
	const struct timeval delay = duration_timeval(in_ns);

	/* The loop's cached time is older than the start of the client. */
	event_base_update_cache_time(self->base);
	event_add(self->stopper, &delay);
}

/* Called when the client's time has run out (run-for), and again after stop-timeout. */
static void on_stopper(evutil_socket_t fd, short what, void *userdata)
{
	struct supervisor *self = userdata;
	const struct event stop = {.kind = EVENT_STOP, .at_ns = recorder_now_ns(&self->recorder)};

	if (self->phase != PHASE_RUNNING)
		return;
	descendants_signal_others(self->stopped ? SIGKILL : SIGTERM, self->servers.pids,
				  self->scenario->n_endpoints + 1);
	if (self->stopped)
		return;
	self->stopped = true;
	recorder_event(&self->recorder, &stop);
	set_stopper(self, self->scenario->stop_timeout_ns);
}

static void on_starter(evutil_socket_t fd, short what, void *userdata);

static void start_round(struct supervisor *self)
{
	self->stopped = false;
	on_starter(-1, 0, self);
	if (self->scenario->run_for_ns > 0)
		set_stopper(self, self->scenario->run_for_ns);
}

static void on_server_end(struct supervisor *self, size_t endpoint, int wait_status)
{
	self->servers.pids[endpoint] = 0;
	if (self->phase >= PHASE_LEFTOVERS)
		return;
	servers_take_end(&self->servers, endpoint, wait_status, self->phase == PHASE_RUNNING);
	supervisor_end(self);
}

static void on_child_end(struct supervisor *self, pid_t pid, int wait_status, int64_t early_ns)
{
	const size_t endpoint = servers_find(&self->servers, pid);

	if (endpoint != SIZE_MAX)
		on_server_end(self, endpoint, wait_status);
	else if (!clients_take_end(&self->clients, pid, wait_status, early_ns) ||
		 self->phase != PHASE_RUNNING)
		return;
	else if (clients_are_over(&self->clients))
		enter_leftovers(self);
	else if (clients_round_is_over(&self->clients))
		start_round(self);
}

/* Returns the next child that has ended but is not reaped yet; 0: none; -1: no children. */
static pid_t look_for_dead(struct supervisor *self, struct lateness_mark *ret_now)
{
	siginfo_t info = {0};

	*ret_now = lateness_now(&self->lateness);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -1;
	if (info.si_pid != 0)
		starvation_meter_take_dead(self->meter, info.si_pid);
	return info.si_pid;
}

/* Returns whether no process is left but the clock's. */
static bool none_is_left(const struct supervisor *self, bool no_child)
{
	const pid_t clock_pid = client_clock_pid(&self->clock);

	return clock_pid ? !descendants_has_others(&clock_pid, 1) : no_child;
}

static void on_children(evutil_socket_t fd, short what, void *userdata)
{
	struct supervisor *self = userdata;
	struct signalfd_siginfo notice;
	struct lateness_mark now;
	int wait_status;
	pid_t pid;

	/* One notice may be about several children; the loop below asks for all of them. */
	(void)!read(fd, &notice, sizeof(notice));
	while ((pid = look_for_dead(self, &now)) > 0 && waitpid(pid, &wait_status, WNOHANG) == pid)
		on_child_end(self, pid, wait_status,
			     lateness_since(&self->lateness, &self->unreaped, &now));
	self->unreaped = now;
	if (self->phase == PHASE_LEFTOVERS && !has_left_something(self))
		supervisor_end(self);
	else if (self->phase == PHASE_ENDING && none_is_left(self, pid < 0 && errno == ECHILD))
		enter_settling(self);
	else if (self->killed && self->phase == PHASE_ENDING)
		signal_all(self,
			   SIGKILL); /* to processes that have started since, or were not seen */
}

/* ---- running ---- */

/* Starts one instance per turn of the loop: SYNs of the first must not wait for the last. */
static void on_starter(evutil_socket_t fd, short what, void *userdata)
{
	const struct timeval now = {0};
	struct supervisor *self = userdata;
	const bool is_first = self->clients.n_started == 0;

	if (self->phase != PHASE_RUNNING)
		return;
	if (clients_start_next(&self->clients) < 0)
		supervisor_end(self);
	else if (!clients_round_is_started(&self->clients))
		event_add(self->starter, &now);
	if (is_first)
		injector_client_started(self->injector, self->recorder.origin_ns);
	if (clients_are_started(&self->clients))
		supervisor_confine(self->shared ? ROLE_SHARED : ROLE_PRIVATE);
}

bool supervisor_arm(struct supervisor *self)
{
	char remote[REMOTE_TABLE_SIZE];
	AUTO_FREE struct tracker_endpoint *endpoints = sandbox_tracker_endpoints(&self->sandbox);
	AUTO_DIAG struct diag_list diags = {0};
	struct injector_config config = {
		.base = self->base,
		.table = "synfault",
		.queue_number = 1, /* private: no other program uses the network namespace */
		.queue_form = self->config->queue_form,
		.seed = self->config->seed,
		.endpoints = endpoints,
		.n_endpoints = self->scenario->n_endpoints,
		.want_sockets = self->config->want_sockets,
		.want_client_ends = self->config->want_client_ends,
		.replaceable = self->config->attached && self->config->attached->replaceable,
		.went_on = self->config->attached ? NULL : went_on,
		.to_own_ns = self->config->virtual_time ? to_own_ns : NULL,
		.on_event = on_injector_event,
		.on_problem = on_injector_problem,
		.userdata = self,
	};

	if (self->shared) {
		config.table = SPACE_TABLE;
		config.part = self->shared->number;
		config.queue_number = self->shared->queue;
		config.refuse_mark = self->shared->mark;
		config.networks = &self->shared->networks;
		if (scenario_has_remote(self->scenario))
			config.remote_table = remote_table(self->sandbox.remote_table, remote);
	}
	if (injector_new(&config, &diags, &self->injector) == 0) {
		recorder_describe_delays(&self->recorder, &self->sandbox,
					 injector_reinjects(self->injector));
		client_clock_arm(&self->clock, self->injector);
		return true;
	}
	recorder_diags(&self->recorder, &diags);
	return false;
}

void supervisor_begin_packets(struct supervisor *self)
{
	if (self->config->capture)
		self->packets =
			packet_capture_begin(&self->sandbox, self->base, self->config->capture_fd,
					     self->config->capture_size);
}

void supervisor_begin_attached(struct supervisor *self)
{
	const struct supervise_attached *attached = self->config->attached;

	recorder_start(&self->recorder);
	self->recorder.record->client_started = true;
	injector_client_started(self->injector, self->recorder.origin_ns);
	attached->on_armed(attached->userdata, &self->sandbox, self->recorder.record);
}

static void enter_running(struct supervisor *self)
{
	supervisor_begin_packets(self);
	if (!servers_none_is_foreign(&self->servers) || !supervisor_arm(self)) {
		supervisor_end(self);
		return;
	}
	self->phase = PHASE_RUNNING;
	self->own_delay_ns = process_run_delay_ns(0);
	if (self->config->attached) {
		supervisor_begin_attached(self);
		return;
	}
	clients_begin(&self->clients);
	self->meter = starvation_meter_new(self->base, &self->recorder, &self->servers,
					   &self->lateness, self->injector, !self->shared);
	self->clock.meter = self->meter;
	start_round(self);
	if (self->phase == PHASE_RUNNING)
		set_timer(self, self->scenario->timeout_ns);
}

/* ---- starting ---- */

static void poll_servers(struct supervisor *self)
{
	switch (servers_poll(&self->servers)) {
	case SERVERS_LISTEN:
		enter_running(self);
		break;
	case SERVERS_START:
		set_timer(self, READY_POLL_NS);
		break;
	case SERVERS_FAILED:
		supervisor_end(self);
		break;
	}
}

/* A client from the command line does not require what the scenario's own client does. */
static bool requirements_are_met(struct supervisor *self)
{
	const struct requirements_spec *spec = &self->scenario->requirements;
	struct requirements_spec own = {.programs = spec->programs};
	AUTO_STRV char **command = NULL, **environment = NULL;
	AUTO_FREE char *missing = NULL;

	if (self->config->command || (!spec->programs && !spec->command))
		return true;
	environment = sandbox_environment(&self->sandbox, true, 0);
	if (spec->command)
		own.command = command = substitute_strv(&self->sandbox.substitution, spec->command);
	missing = requirements_missing(&own, environment, &self->launcher.template);
	if (missing)
		record_add_problem(self->recorder.record, true, "%s", missing);
	return !missing;
}

static void enter_starting(struct supervisor *self)
{
	if (!requirements_are_met(self) || !servers_fixed_ports_are_free(&self->servers) ||
	    servers_start(&self->servers) < 0)
		supervisor_end(self);
	else
		poll_servers(self);
}

/* ---- timers and commands ---- */

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct supervisor *self = userdata;
	int64_t now_ns = clock_monotonic_ns();
	struct event timeout = {.kind = EVENT_TIMEOUT, .at_ns = now_ns - self->recorder.origin_ns};

	switch (self->phase) {
	case PHASE_STARTING:
		poll_servers(self);
		break;
	case PHASE_RUNNING:
		self->timer_lag_ns = MAX(self->timer_lag_ns, now_ns - self->due_ns);
		recorder_event(&self->recorder, &timeout);
		supervisor_end(self);
		break;
	case PHASE_LEFTOVERS:
		on_leftovers_timer(self);
		break;
	case PHASE_ENDING:
		if (self->killed)
			record_add_problem(self->recorder.record, false,
					   "processes of the scenario could not be ended");
		if (self->killed || !signal_all(self, SIGKILL)) {
			enter_settling(self);
			break;
		}
		self->killed = true;
		set_timer(self, KILL_NS);
		break;
	case PHASE_SETTLING:
		if (!is_settled(self) && ++self->n_settles < MAX_SETTLES &&
		    orphan_sockets_n_gone(self->recorder.record) > 0) {
			set_timer(self, SETTLE_NS);
			break;
		}
		/* In that case no death notice reports what they have carried. */
		if (!is_settled(self))
			orphan_sockets_count(self->recorder.record, on_orphan, self);
		finish(self);
		break;
	}
}

void supervisor_clear_away(struct supervisor *self)
{
	if (!self->shared)
		return;
	descendants_end();
	/* At once, since other runs may want these addresses. */
	if (self->sandbox.n_claims > 0)
		remote_clear(self->sandbox.remote_table);
	/*
	 * The rules stay, although no process uses their addresses any more. Each removal delays
	 * all sandboxes, so the parent removes those of many scenarios at once (stale_cleanup.h).
	 */
	shared_sandbox_close(self->shared);
	self->shared = NULL;
}

static void on_control(evutil_socket_t fd, short what, void *userdata)
{
	struct supervisor *self = userdata;
	char message;
	ssize_t length = recv(fd, &message, 1, MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* The parent is dead. */
	if (length <= 0) {
		supervisor_clear_away(self);
		/* Perhaps nothing else of the run is left. */
		netns_tables_leave(self->config->space);
		_exit(EXIT_FAILURE);
	}
	if (message == SUPERVISE_INTERRUPT) {
		record_add_problem(self->recorder.record, false, "the run was interrupted");
		supervisor_end(self);
	}
}

/* ---- everything ---- */

/* Not libevent's own signals: they belong to the parent's event base, which we have a copy of. */
static int open_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void on_clock_failure(void *userdata)
{
	supervisor_end(userdata);
}

/* Programs that start from here on are on the client's clock. */
static bool start_clock(struct supervisor *self)
{
	self->clock = (struct client_clock){
		.base = self->base,
		.recorder = &self->recorder,
		.launcher = &self->launcher,
		.unreaped = &self->unreaped,
		.networks = self->shared ? &self->shared->networks : NULL,
		.on_failure = on_clock_failure,
		.userdata = self,
	};
	if (!client_clock_start(&self->clock))
		return false;
	self->servers.pids[self->scenario->n_endpoints] = client_clock_pid(&self->clock);
	return true;
}

void supervisor_run(struct supervisor *self)
{
	int children_fd = open_children();
	AUTO_DIAG struct diag_list diags = {0};

	if (children_fd < 0) {
		record_add_problem(self->recorder.record, false, "can't make a signalfd: %s",
				   strerror(errno));
		return;
	}
	if (sandbox_build(&self->sandbox, self->config->settings, &diags) < 0) {
		recorder_diags(&self->recorder, &diags);
		return;
	}
	recorder_describe_kernel(&self->recorder);
	sysctl_guard_begin(&self->sysctls, !self->shared);
	self->timer = evtimer_new(self->base, on_timer, self);
	self->starter = evtimer_new(self->base, on_starter, self);
	self->stopper = evtimer_new(self->base, on_stopper, self);
	self->children = event_loop_readable(self->base, children_fd, on_children, self);
	if (!self->config->attached)
		self->control =
			event_loop_readable(self->base, self->config->control_fd, on_control, self);
	if (!self->config->virtual_time || start_clock(self))
		enter_starting(self);
	if (!self->done)
		event_base_dispatch(self->base);
}

void supervisor_init(struct supervisor *self)
{
	const struct supervise_config *config = self->config;
	const bool shared = config->shared || config->attached;

	self->scenario = config->scenario;
	self->lateness = lateness_clock_open();
	self->unreaped = lateness_now(&self->lateness);
	self->progress = client_progress_new();
	self->recorder = (struct recorder){
		.n_instances = scenario_n_instances(self->scenario),
		.instance_of = instance_of,
		.on_event = on_event,
		.on_full = on_full,
		.userdata = self,
	};
	recorder_reset(&self->recorder);
	self->launcher = (struct launcher){
		.clock = &self->lateness,
		.base = self->base,
		.template =
			{
				.n_files = config->n_files,
				.uid = shared ? 0 : config->uid,
				.gid = shared ? 0 : config->gid,
				.dies_with_us = shared,
			},
		.on_output = on_output,
		.userdata = self,
	};
	launcher_init(&self->launcher, self->recorder.n_instances, self->scenario->n_endpoints);
	self->servers = (struct servers){
		.scenario = self->scenario,
		.sandbox = &self->sandbox,
		.launcher = &self->launcher,
		.recorder = &self->recorder,
	};
	servers_init(&self->servers);
	self->clients = (struct clients){
		.scenario = self->scenario,
		.sandbox = &self->sandbox,
		.command = config->command,
		.launcher = &self->launcher,
		.recorder = &self->recorder,
	};
	clients_init(&self->clients);
}
