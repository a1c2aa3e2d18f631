/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervising process of one scenario: see supervise.h.
 *
 * Theory of operation
 * -------------------
 * In a private sandbox the process is the first of its pid namespace: when it ends, the kernel ends
 * all of it. In a shared sandbox it is the subreaper of its descendants (tree.h), which it ends
 * itself, and it gives back what it has (shared.h), also when its parent is killed; if it is killed
 * itself, the next run sweeps (sweep.h). All works on one event loop:
 *
 *     STARTING ──(all servers listen)──► RUNNING ──(time-out, interrupt)────────────────► ENDING
 *        │                                  └──(client exits)──► LINGERING ──(see below)─►   │
 *        └──(a server fails)─────────────────────────────────────────────► ENDING            │
 *                                                                                          ▼
 *     done ◄──(deaths of the last sockets seen, or SETTLE_NS over)── SETTLING ◄──(no process left)
 *
 * The injector is armed when RUNNING begins, before the client is started. LINGERING is over when
 * nothing is left of the client, or its time (scenario_leftover_timeout_ns()); mostly that is at
 * once. ENDING sends TERM to everything in the sandbox, and KILL after GRACE_NS. Orphans of the
 * client are our children, so "no process left" is what waitpid() says.
 */
#include "runner/sandbox/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "injector/injector.h"
#include "runner/sandbox/descendants.h"
#include "runner/sandbox/endpoint.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/network.h"
#include "runner/sandbox/orphan_sockets.h"
#include "runner/sandbox/output_capture.h"
#include "runner/sandbox/packet_capture.h"
#include "runner/sandbox/process.h"
#include "runner/sandbox/remote.h"
#include "runner/sandbox/requirements.h"
#include "runner/sandbox/run_delay.h"
#include "runner/sandbox/sandbox.h"
#include "runner/sandbox/snapshot.h"
#include "runner/sandbox/sock_lookup.h"
#include "runner/sandbox/socket_owner.h"

/* How long a sandbox waits for one that ends, when no more network namespaces are to be had. */
#define ROOM_PATIENCE_NS (10 * NS_PER_S)
/* How long the sandbox's processes have between TERM and KILL. */
#define GRACE_NS (1 * NS_PER_S)
/* How long we wait for notices of sockets that the client left open; they come in a millisecond. */
#define SETTLE_NS (100 * NS_PER_MS)
/* How often we look whether servers listen. */
#define READY_POLL_NS (2 * NS_PER_MS)
/* Beyond this number the client's writes are no longer events of their own. */
enum { MAX_OUTPUT_EVENTS = 10000 };
/* The client's processes are looked at every so often, and around attempts, which may be many. */
#define LOOK_NS     (250 * NS_PER_MS)
#define MIN_LOOK_NS (20 * NS_PER_MS)
/* Writes of one stream closer together than this are one event. */
#define OUTPUT_MERGE_NS NS_PER_MS

enum phase {
	PHASE_STARTING,
	PHASE_RUNNING,
	PHASE_LEFTOVERS,
	PHASE_ENDING,
	PHASE_SETTLING,
};

struct supervisor {
	const struct supervise_config *config;
	const struct scenario *scenario;
	struct shared_sandbox *shared; /* NULL: the sandbox is private */
	struct sandbox sandbox;
	struct event_base *base;
	struct record *record;
	struct packet_capture *packets; /* NULL: they are not captured */
	struct injector *injector;
	struct endpoint_server **servers; /* per endpoint; NULL: not built in */
	pid_t *server_pids;               /* per endpoint; 0: no process, or dead */

	struct output_capture **captures; /* as record->streams; some NULL */
	size_t n_captures;
	size_t n_output_events;

	/*
	 * The instances of the client: so many run side by side, one after the other in rounds. The
	 * first of a round are numbered on from the last of the round before.
	 */
	pid_t *clients; /* by instance; 0: not started, or dead */
	uint32_t n_instances, n_started, n_running;
	struct socket_owners
		*owners; /* NULL: the instance that was started last makes all attempts */
	struct run_delay *run_delay; /* of a client that runs alone; else NULL */
	int64_t looked_ns;           /* when it was looked at */

	enum phase phase;
	int64_t origin_ns;   /* CLOCK_MONOTONIC of time 0 of the record */
	int64_t due_ns;      /* when the timer is to fire */
	int64_t ready_by_ns; /* STARTING: until when all servers have to listen */
	int64_t leftovers_until_ns;
	int64_t timer_lag_ns;
	int64_t own_delay_ns; /* this process's scheduling delay when the client was started */
	bool killed;          /* ENDING: KILL was sent */
	bool done;            /* the loop has nothing to wait for */
	bool under_way;
	struct event *timer, *starter, *looker, *children, *control;
	/* Attempts that are not kept (attached->most_attempts), and the problem that says so. */
	uint64_t n_dropped_attempts;
	size_t dropped_problem;
};

static void enter_ending(struct supervisor *self);

static void problems_from_diags(struct supervisor *self, struct diag_list *diags)
{
	for (size_t i = 0; i < diags->n_items; i++)
		record_add_problem(self->record, false, "%s%s%s", diags->items[i].message,
				   diags->items[i].hint ? "; " : "",
				   diags->items[i].hint ? diags->items[i].hint : "");
	diag_list_free(diags);
}

static void set_timer(struct supervisor *self, int64_t in_ns)
{
	struct timeval delay = {.tv_sec = in_ns / NS_PER_S,
				.tv_usec = in_ns % NS_PER_S / NS_PER_US};

	self->due_ns = clock_monotonic_ns() + in_ns;
	event_add(self->timer, &delay);
}

/* Tells the parent that the start is over: it may start another scenario. */
static void report_started(struct supervisor *self)
{
	const char message = SUPERVISE_UNDER_WAY;

	if (self->under_way)
		return;
	self->under_way = true;
	if (self->config->attached)
		return;
	/* A parent that is gone doesn't care; its death is noticed by on_control(). */
	(void)!send(self->config->control_fd, &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- what the injector and the client's output add to the record ---- */

static void add_event(struct supervisor *self, const struct event *event)
{
	record_add_event(self->record, event);
	if (self->config->on_event)
		self->config->on_event(self->config, self->record, event);
}

/* While its SYN is held: the socket can't be gone. */
static uint32_t instance_of(const struct supervisor *self, const struct attempt_info *attempt)
{
	if (self->owners)
		return socket_owners_find(self->owners, &attempt->key.client, &attempt->key.server);
	return self->n_started - 1;
}

static void add_attempt(const struct supervisor *self, const struct attempt_info *attempt)
{
	struct record *record = self->record;

	if (attempt->id < record->n_attempts)
		return;
	array_append(record->attempts, record->n_attempts, record->attempts_capacity,
		     (struct record_attempt){
			     .endpoint = attempt->endpoint,
			     .number = attempt->number,
			     .instance = instance_of(self, attempt),
			     .step = attempt->step,
			     .delay_ns = attempt->delay_ns,
			     .client = attempt->key.client,
			     .server = attempt->key.server,
			     .isn = attempt->key.isn,
		     });
}

/* Whether an event is of an attempt for which there is no room in the record; if so, counts it. */
static bool is_beyond(struct supervisor *self, const struct injector_event *event)
{
	const struct supervise_attached *attached = self->config->attached;

	if (!attached || event->attempt.id < attached->most_attempts)
		return false;
	if (event->kind != INJECTOR_SYN || event->syn_ordinal > 1)
		return true;
	if (self->n_dropped_attempts++ == 0) {
		self->dropped_problem = self->record->n_problems;
		record_add_problem(self->record, false,
				   "more than %zu attempts: those after them are not in the record",
				   attached->most_attempts);
		attached->on_full(attached->userdata);
	}
	return true;
}

/* At the end it is known how many there were. */
static void count_beyond(const struct supervisor *self)
{
	struct problem *problem = &self->record->problems[self->dropped_problem];

	if (self->n_dropped_attempts == 0)
		return;
	free(problem->message);
	problem->message =
		xasprintf("%" PRIu64 " attempts after the first %zu are not in the record "
			  "(--most-attempts)",
			  self->n_dropped_attempts, self->config->attached->most_attempts);
}

/* What a connection carried is known when its socket has died; so is that it did. */
static bool needs_carried(const struct supervisor *self)
{
	for (size_t i = 0; i < self->scenario->n_expectations; i++) {
		enum expectation_kind kind = self->scenario->expectations[i].kind;

		if (kind == EXPECT_RECEIVED || kind == EXPECT_SENT || kind == EXPECT_ENDED ||
		    kind == EXPECT_LEAKS)
			return true;
	}
	return false;
}

/* Whether all is known that will be. */
static bool is_settled(const struct supervisor *self)
{
	return !self->injector ||
	       (injector_n_waiting(self->injector) == 0 &&
		(injector_n_connected(self->injector) == 0 || !needs_carried(self)));
}

/* As often as it may be, and not more often. */
static void look_at_delays(struct supervisor *self)
{
	int64_t now_ns = clock_monotonic_ns();

	if (!self->run_delay || now_ns - self->looked_ns < MIN_LOOK_NS)
		return;
	self->looked_ns = now_ns;
	run_delay_look(self->run_delay);
}

static void on_look(evutil_socket_t fd, short what, void *userdata)
{
	look_at_delays(userdata);
}

static void on_injector_event(void *userdata, const struct injector_event *source)
{
	static const enum event_kind kinds[INJECTOR_N_KINDS] = {
		[INJECTOR_SYN] = EVENT_SYN,
		[INJECTOR_VERDICT] = EVENT_VERDICT,
		[INJECTOR_ESTABLISHED] = EVENT_ESTABLISHED,
		[INJECTOR_FAULT] = EVENT_FAULT,
		[INJECTOR_CLOSED] = EVENT_CLOSED,
	};
	struct supervisor *self = userdata;
	struct event event = {
		.kind = kinds[source->kind],
		.at_ns = source->at_ns - self->origin_ns,
		.u.net = {.attempt = source->attempt.id, .ordinal = source->syn_ordinal},
	};

	switch (source->kind) {
	case INJECTOR_SYN:
		event.u.net.payload_length = source->payload_length;
		break;
	case INJECTOR_VERDICT:
		event.u.net.verdict = source->verdict;
		event.u.net.lag_ns = source->lag_ns;
		break;
	case INJECTOR_FAULT:
		event.u.net.fault = source->fault;
		event.u.net.bytes = source->bytes;
		break;
	case INJECTOR_CLOSED:
		event.u.net.retransmissions = source->retransmissions;
		event.u.net.bytes_received = source->bytes_received;
		event.u.net.bytes_acked = source->bytes_acked;
		event.u.net.bytes_sent = source->bytes_sent;
		break;
	case INJECTOR_ESTABLISHED:
	case INJECTOR_N_KINDS:
		break;
	}
	if (!is_beyond(self, source)) {
		add_attempt(self, &source->attempt);
		add_event(self, &event);
	}
	report_started(self);
	/* A program that makes one attempt may be gone before the next regular look. */
	if (source->kind == INJECTOR_VERDICT)
		look_at_delays(self);
	if (self->phase == PHASE_SETTLING && is_settled(self))
		set_timer(self, 0);
}

static void on_injector_problem(void *userdata, bool fatal, const char *message)
{
	struct supervisor *self = userdata;

	record_add_problem(self->record, false, "%s", message);
	if (fatal)
		enter_ending(self);
}

static void on_output(void *userdata, uint32_t stream, size_t length)
{
	struct supervisor *self = userdata;
	struct record *record = self->record;
	struct event *last = record->n_events ? &record->events[record->n_events - 1] : NULL;
	int64_t at_ns = clock_monotonic_ns() - self->origin_ns;
	struct event event = {
		.kind = EVENT_OUTPUT,
		.at_ns = at_ns,
		.u.output = {.stream = stream, .instance = INSTANCE_UNKNOWN, .length = length},
	};

	if (length == 0)
		return;
	if (stream < STREAMS_EACH * self->n_instances)
		event.u.output.instance = stream / STREAMS_EACH;
	if (last && last->kind == EVENT_OUTPUT && last->u.output.stream == stream &&
	    (at_ns - last->at_ns < OUTPUT_MERGE_NS || self->n_output_events >= MAX_OUTPUT_EVENTS)) {
		last->u.output.length += length;
	} else if (self->n_output_events < MAX_OUTPUT_EVENTS) {
		self->n_output_events++;
		add_event(self, &event);
	}
}

/* ---- ending ---- */

static void on_orphan(void *userdata, uint32_t attempt, const struct sock_found *socket)
{
	struct supervisor *self = userdata;
	const struct event event = {
		.kind = EVENT_ORPHANED,
		.at_ns = clock_monotonic_ns() - self->origin_ns,
		.u.net = {.attempt = attempt,
			  .retransmissions = socket->retransmissions,
			  .bytes_received = socket->bytes_received,
			  .bytes_acked = socket->bytes_acked,
			  .bytes_sent = socket->bytes_sent},
	};

	add_event(self, &event);
}

/* Can happen before the loop has begun, when breaking it would have no effect. */
static void finish(struct supervisor *self)
{
	self->done = true;
	event_base_loopbreak(self->base);
}

static void enter_settling(struct supervisor *self)
{
	self->phase = PHASE_SETTLING;
	report_started(self);
	if (is_settled(self))
		finish(self);
	else
		set_timer(self, SETTLE_NS);
}

/* Sends a signal to everything in the sandbox. Returns false when no process is left. */
static bool signal_all(const struct supervisor *self, int number)
{
	if (self->shared)
		return descendants_signal(number);
	return kill(-1, number) == 0 || errno != ESRCH;
}

/* Ends everything in the sandbox; goes on when no process is left. */
static void enter_ending(struct supervisor *self)
{
	if (self->phase >= PHASE_ENDING)
		return;
	/* Before anything is ended: as it was when the client did, or when its time was over. */
	if (self->phase == PHASE_RUNNING)
		snapshot_take(&self->sandbox, self->record);
	self->phase = PHASE_ENDING;
	if (signal_all(self, SIGTERM))
		set_timer(self, GRACE_NS);
	else
		enter_settling(self);
}

/* ---- what the client left behind ---- */

static bool has_left_something(const struct supervisor *self)
{
	return descendants_has_others(self->server_pids, self->scenario->n_endpoints);
}

static void on_standing(void *userdata, uint32_t attempt)
{
	struct supervisor *self = userdata;
	const struct event event = {
		.kind = EVENT_STANDING,
		.at_ns = clock_monotonic_ns() - self->origin_ns,
		.u.net.attempt = attempt,
	};

	add_event(self, &event);
}

/* Its attempts are seen as those of the client are; for its connections we have to look. */
static void enter_lingering(struct supervisor *self)
{
	int64_t leftover_timeout_ns = scenario_leftover_timeout_ns(self->scenario);

	snapshot_take(&self->sandbox, self->record);
	self->phase = PHASE_LEFTOVERS;
	if (leftover_timeout_ns == 0 || !has_left_something(self)) {
		enter_ending(self);
		return;
	}
	self->leftovers_until_ns = clock_monotonic_ns() + leftover_timeout_ns;
	set_timer(self, MIN(leftover_timeout_ns, LEFTOVER_LOOK_NS));
}

static void on_linger_timer(struct supervisor *self)
{
	int64_t left_ns = self->leftovers_until_ns - clock_monotonic_ns();

	orphan_sockets_look(self->record, on_standing, self);
	if (left_ns > 0)
		set_timer(self, left_ns);
	else
		enter_ending(self);
}

static void start_round(struct supervisor *self);

static void on_client_end(struct supervisor *self, uint32_t instance, int wait_status)
{
	struct event event = {
		.kind = EVENT_EXIT,
		.at_ns = clock_monotonic_ns() - self->origin_ns,
		.u.exit = {.instance = instance, .wait_status = wait_status},
	};

	self->clients[instance] = 0;
	self->n_running--;
	add_event(self, &event);
	if (self->n_running > 0 || self->phase != PHASE_RUNNING ||
	    self->n_started % scenario_n_clients(self->scenario) != 0)
		return;
	if (self->n_started < self->n_instances)
		start_round(self);
	else
		enter_lingering(self);
}

static void on_server_end(struct supervisor *self, size_t endpoint, int wait_status)
{
	const char *name = self->scenario->endpoints[endpoint].name;
	struct event event = {
		.kind = EVENT_SERVER_EXIT,
		.at_ns = clock_monotonic_ns() - self->origin_ns,
		.u.server = {.endpoint = (uint32_t)endpoint, .wait_status = wait_status},
	};

	self->server_pids[endpoint] = 0;
	if (self->phase >= PHASE_LEFTOVERS)
		return;
	if (self->phase == PHASE_RUNNING)
		add_event(self, &event);
	if (WIFSIGNALED(wait_status))
		record_add_problem(self->record, false,
				   "the server of %s was killed by signal %d%s", name,
				   WTERMSIG(wait_status),
				   self->phase == PHASE_STARTING ? " before it listened"
								 : " while the client ran");
	else
		record_add_problem(self->record, false, "the server of %s ended with status %d%s",
				   name, WEXITSTATUS(wait_status),
				   self->phase == PHASE_STARTING ? " before it listened"
								 : " while the client ran");
	enter_ending(self);
}

static void on_child_end(struct supervisor *self, pid_t pid, int wait_status)
{
	for (uint32_t instance = 0; instance < self->n_started; instance++) {
		if (self->clients[instance] == pid) {
			on_client_end(self, instance, wait_status);
			return;
		}
	}
	for (size_t i = 0; i < self->scenario->n_endpoints; i++)
		if (pid == self->server_pids[i])
			on_server_end(self, i, wait_status);
}

static void note_client_lag(struct supervisor *self, pid_t pid)
{
	int64_t lag_ns;

	if (self->run_delay) {
		run_delay_look(self->run_delay);
		lag_ns = run_delay_total_ns(self->run_delay);
		run_delay_free(self->run_delay);
		self->run_delay = NULL;
		event_del(self->looker);
	} else {
		lag_ns = process_run_delay_ns(pid);
	}
	self->record->client_lag_ns = MAX(self->record->client_lag_ns, lag_ns);
}

/*
 * The next child that has ended, 0: none, or -1. Looked at before it is reaped: after, the kernel
 * no longer says how long it waited for a processor.
 */
static pid_t look_for_dead(struct supervisor *self)
{
	siginfo_t info = {0};

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -1;
	for (uint32_t instance = 0; info.si_pid != 0 && instance < self->n_started; instance++)
		if (self->clients[instance] == info.si_pid)
			note_client_lag(self, info.si_pid);
	return info.si_pid;
}

static void on_children(evutil_socket_t fd, short what, void *userdata)
{
	struct supervisor *self = userdata;
	struct signalfd_siginfo notice;
	int wait_status;
	pid_t pid;

	/* One notice may stand for several children: they are all asked for below. */
	(void)!read(fd, &notice, sizeof(notice));
	while ((pid = look_for_dead(self)) > 0 && waitpid(pid, &wait_status, WNOHANG) == pid)
		on_child_end(self, pid, wait_status);
	if (self->phase == PHASE_LEFTOVERS && !has_left_something(self))
		enter_ending(self);
	else if (pid < 0 && errno == ECHILD && self->phase == PHASE_ENDING)
		enter_settling(self);
	else if (self->killed && self->phase == PHASE_ENDING)
		signal_all(self, SIGKILL); /* what was started since, or was not seen */
}

/* ---- running ---- */

/* How everything in the sandbox is started. */
static struct process_config process_template(const struct supervisor *self)
{
	return (struct process_config){
		.n_files = self->config->n_files,
		.uid = self->shared ? 0 : self->config->uid,
		.gid = self->shared ? 0 : self->config->gid,
		.dies_with_us = self->shared != NULL,
	};
}

/*
 * Starts a program with its output captured in two streams, from @slot on. Their names are "stdout"
 * and "stderr" with something before or after.
 */
static int spawn(struct supervisor *self, const struct process_config *config, const char *before,
		 const char *after, size_t slot, pid_t *ret_pid, char **ret_message)
{
	static const char *const names[] = {"stdout", "stderr"};
	struct process_config instance = process_template(self);
	int fds[2] = {-1, -1}, status = 0;

	for (size_t i = 0; !status && i < ARRAY_SIZE(fds); i++) {
		AUTO_FREE char *stream = xasprintf("%s%s%s", before, names[i], after);

		status = output_capture_new(self->base, stream, (uint32_t)(slot + i), on_output,
					    self, &fds[i], &self->captures[slot + i]);
		if (status < 0)
			*ret_message = xasprintf("no pipe: %s", strerror(-status));
	}
	instance.command = config->command;
	instance.environment = config->environment;
	instance.cwd = config->cwd;
	instance.stdin_fd = config->stdin_fd;
	instance.stdout_fd = fds[0];
	instance.stderr_fd = fds[1];
	if (!status)
		status = process_spawn(&instance, ret_message);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (status < 0)
		return status;
	*ret_pid = status;
	return 0;
}

static int start_copy(struct supervisor *self)
{
	const uint32_t number = self->n_started;
	const struct client_spec *spec = &self->scenario->client;
	AUTO_STRV char **command =
		substitute_strv(&self->sandbox.substitution,
				self->config->command ? self->config->command : spec->command);
	AUTO_STRV char **environment = sandbox_environment(&self->sandbox, true);
	AUTO_CLOSE int stdin_fd = sandbox_open_stdin(&self->sandbox);
	AUTO_FREE char *message = NULL, *cwd = NULL, *after = NULL;
	struct event event = {.kind = EVENT_START, .u.start.instance = number};
	const struct timeval look = {.tv_usec = LOOK_NS / NS_PER_US};
	struct process_config process = {
		.command = command, .environment = environment, .stdin_fd = stdin_fd};
	int status;

	if (stdin_fd < 0) {
		record_add_problem(self->record, false, "no stdin for the client: %s",
				   strerror(-stdin_fd));
		return stdin_fd;
	}
	if (spec->cwd)
		process.cwd = cwd =
			spec->cwd[0] == '/'
				? xstrdup(spec->cwd)
				: xasprintf("%s/%s", self->sandbox.directory, spec->cwd);
	if (number == 0) {
		self->origin_ns = clock_monotonic_ns();
		self->record->started_realtime_ns = clock_realtime_ns();
		injector_client_started(self->injector, self->origin_ns);
	}
	event.at_ns = clock_monotonic_ns() - self->origin_ns;
	after = number > 0 ? xasprintf(".%" PRIu32, number + 1) : xstrdup("");
	status = spawn(self, &process, "", after, STREAMS_EACH * number, &self->clients[number],
		       &message);
	if (status < 0) {
		record_add_problem(self->record, false, "the client can't be started: %s", message);
		return status;
	}
	self->n_started++;
	self->n_running++;
	self->record->client_started = true;
	add_event(self, &event);
	if (self->owners)
		socket_owners_add(self->owners, number, self->clients[number]);
	if (scenario_n_clients(self->scenario) == 1) {
		run_delay_free(self->run_delay);
		self->run_delay = run_delay_new(self->clients[number]);
		event_add(self->looker, &look);
	}
	return 0;
}

/* One instance per turn of the loop: what the first ones send is not to wait for the last one. */
static void on_starter(evutil_socket_t fd, short what, void *userdata)
{
	const struct timeval now = {0};
	struct supervisor *self = userdata;

	if (self->phase != PHASE_RUNNING)
		return;
	if (start_copy(self) < 0)
		enter_ending(self);
	else if (self->n_started % scenario_n_clients(self->scenario) != 0)
		event_add(self->starter, &now);
}

static void start_round(struct supervisor *self)
{
	on_starter(-1, 0, self);
}

/*
 * Whether nobody listens at the endpoint: a foreign server on all addresses would, in its stead
 * where nobody is to, or before the endpoint's own. In a private sandbox there is no foreign
 * server.
 */
static bool is_deserted(struct supervisor *self, size_t index)
{
	const struct sandbox_endpoint *endpoint = &self->sandbox.endpoints[index];
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < endpoint->n_addresses; i++) {
		if (network_listens(&endpoint->addresses[i], 1, false) != 1)
			continue;
		record_add_problem(self->record, true,
				   "nobody else may listen on %s for endpoint %s, but another "
				   "program listens on that port of all addresses: end it, leave "
				   "out the endpoint's 'port', or have private isolation "
				   "(CAP_SYS_ADMIN)",
				   address_format(&endpoint->addresses[i], text),
				   self->scenario->endpoints[index].name);
		return false;
	}
	return true;
}

/* Before anything of ours listens; ports that were chosen are free. */
static bool fixed_ports_are_free(struct supervisor *self)
{
	for (size_t i = 0; self->shared && i < self->scenario->n_endpoints; i++)
		if (self->scenario->endpoints[i].port != 0 && !self->sandbox.endpoints[i].remote &&
		    !is_deserted(self, i))
			return false;
	return true;
}

/* Once all that is ours listens. */
static bool are_deserted(struct supervisor *self)
{
	for (size_t i = 0; self->shared && i < self->scenario->n_endpoints; i++)
		if (self->scenario->endpoints[i].serve == SERVE_NONE &&
		    !self->sandbox.endpoints[i].remote && !is_deserted(self, i))
			return false;
	return true;
}

/* How SYNs to other hosts are delayed, which the client can tell (injector.h). */
static void describe_delays(struct supervisor *self)
{
	for (size_t i = 0; i < self->record->n_endpoints; i++) {
		const struct sandbox_endpoint *endpoint = &self->sandbox.endpoints[i];
		const struct script *script = &self->scenario->endpoints[i].script;
		bool delays = false;

		for (size_t k = 0; endpoint->remote && k < script->n_steps; k++)
			delays = delays || script->steps[k].action == STEP_DELAY;
		if (delays && !remote_is_here(&endpoint->addresses[0]))
			self->record->endpoints[i].delays =
				xstrdup(injector_reinjects(self->injector) ? "reinjected" : "held");
	}
}

/* Returns false when the injector can't work: then the record says why. */
static bool arm(struct supervisor *self)
{
	char remote[REMOTE_TABLE_SIZE];
	AUTO_FREE struct tracker_endpoint *endpoints = sandbox_tracker_endpoints(&self->sandbox);
	AUTO_DIAG struct diag_list diags = {0};
	struct injector_config config = {
		.base = self->base,
		.table = "synfault",
		.queue_number = 1, /* private: the network namespace is ours alone */
		.queue_form = self->config->queue_form,
		.seed = self->config->seed,
		.endpoints = endpoints,
		.n_endpoints = self->scenario->n_endpoints,
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
		describe_delays(self);
		return true;
	}
	problems_from_diags(self, &diags);
	return false;
}

static void begin_attached(struct supervisor *self);

static void begin_packets(struct supervisor *self)
{
	if (self->config->capture)
		self->packets =
			packet_capture_begin(&self->sandbox, self->base, self->config->capture_fd,
					     self->config->capture_size);
}

static void enter_running(struct supervisor *self)
{
	begin_packets(self);
	if (!are_deserted(self) || !arm(self)) {
		enter_ending(self);
		return;
	}
	self->phase = PHASE_RUNNING;
	self->own_delay_ns = process_run_delay_ns(0);
	if (self->config->attached) {
		begin_attached(self);
		return;
	}
	/* What an instance leaves behind goes on while the next ones run. */
	if (scenario_n_clients(self->scenario) > 1 ||
	    (self->n_instances > 1 && scenario_leftover_timeout_ns(self->scenario) > 0))
		self->owners = socket_owners_new(self->n_instances);
	start_round(self);
	if (self->phase == PHASE_RUNNING)
		set_timer(self, self->scenario->timeout_ns);
}

/* ---- starting ---- */

static int start_server(struct supervisor *self, size_t index)
{
	const struct endpoint_spec *spec = &self->scenario->endpoints[index];
	const struct sandbox_endpoint *endpoint = &self->sandbox.endpoints[index];
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *message = NULL;
	int status;

	if (spec->serve == SERVE_NONE)
		return 0;
	if (spec->serve == SERVE_COMMAND) {
		AUTO_STRV char **command =
			substitute_strv(&self->sandbox.substitution, spec->serve_command);
		AUTO_STRV char **environment = sandbox_environment(&self->sandbox, false);
		AUTO_FREE char *before = xasprintf("%s.", spec->name);
		AUTO_CLOSE int stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		struct process_config process = {
			.command = command, .environment = environment, .stdin_fd = stdin_fd};

		status = spawn(self, &process, before, "", self->n_captures,
			       &self->server_pids[index], &message);
		self->n_captures += 2;
		if (status < 0)
			record_add_problem(self->record, false,
					   "the server of %s can't be started: %s", spec->name,
					   message);
		return status;
	}
	status = endpoint_server_new(self->base, spec, endpoint->addresses, endpoint->n_addresses,
				     &diags, &self->servers[index]);
	problems_from_diags(self, &diags);
	return status;
}

/* Whether there is a server at the same port of another endpoint. */
static bool shares_port(const struct supervisor *self, size_t index)
{
	for (size_t i = 0; i < self->scenario->n_endpoints; i++)
		if (i != index && self->scenario->endpoints[i].serve != SERVE_NONE &&
		    self->sandbox.endpoints[i].port == self->sandbox.endpoints[index].port)
			return true;
	return false;
}

/*
 * Whether all server commands listen; names the first that doesn't. Of two that share a port, one
 * that listens on all addresses would stand for the other, too, which then finds its port taken.
 */
static bool servers_listen(struct supervisor *self, const char **ret_missing)
{
	for (size_t i = 0; i < self->scenario->n_endpoints; i++) {
		const struct sandbox_endpoint *endpoint = &self->sandbox.endpoints[i];

		if (self->scenario->endpoints[i].serve != SERVE_COMMAND ||
		    network_listens(endpoint->addresses, endpoint->n_addresses,
				    shares_port(self, i)) == 1)
			continue;
		*ret_missing = self->scenario->endpoints[i].name;
		return false;
	}
	return true;
}

static void poll_servers(struct supervisor *self)
{
	const char *missing = NULL;
	size_t index;

	if (servers_listen(self, &missing)) {
		enter_running(self);
		return;
	}
	if (clock_monotonic_ns() < self->ready_by_ns) {
		set_timer(self, READY_POLL_NS);
		return;
	}
	index = scenario_endpoint(self->scenario, missing);
	record_add_problem(
		self->record, false,
		"the server of %s did not listen on %s:%u within %.1f s; has it the right "
		"address and port, or does it need a longer 'ready'?",
		missing, self->sandbox.values[index].host, self->sandbox.values[index].port,
		(double)self->scenario->endpoints[index].serve_ready_ns / (double)NS_PER_S);
	enter_ending(self);
}

/* Another client than the scenario's own needs other things. */
static bool requirements_are_met(struct supervisor *self)
{
	const struct requirements_spec *spec = &self->scenario->requirements;
	struct requirements_spec own = {.programs = spec->programs};
	const struct process_config process = process_template(self);
	AUTO_STRV char **command = NULL, **environment = NULL;
	AUTO_FREE char *missing = NULL;

	if (self->config->command || (!spec->programs && !spec->command))
		return true;
	environment = sandbox_environment(&self->sandbox, true);
	if (spec->command)
		own.command = command = substitute_strv(&self->sandbox.substitution, spec->command);
	missing = requirements_missing(&own, environment, &process);
	if (missing)
		record_add_problem(self->record, true, "%s", missing);
	return !missing;
}

static void enter_starting(struct supervisor *self)
{
	int64_t longest_ns = 0;

	if (!requirements_are_met(self) || !fixed_ports_are_free(self)) {
		enter_ending(self);
		return;
	}

	for (size_t i = 0; i < self->scenario->n_endpoints; i++) {
		longest_ns = MAX(longest_ns, self->scenario->endpoints[i].serve_ready_ns);
		if (start_server(self, i) < 0) {
			enter_ending(self);
			return;
		}
	}
	self->ready_by_ns = clock_monotonic_ns() + longest_ns;
	poll_servers(self);
}

/* ---- timers and orders ---- */

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct supervisor *self = userdata;
	int64_t now_ns = clock_monotonic_ns();
	struct event timeout = {.kind = EVENT_TIMEOUT, .at_ns = now_ns - self->origin_ns};

	switch (self->phase) {
	case PHASE_STARTING:
		poll_servers(self);
		break;
	case PHASE_RUNNING:
		self->timer_lag_ns = MAX(self->timer_lag_ns, now_ns - self->due_ns);
		add_event(self, &timeout);
		enter_ending(self);
		break;
	case PHASE_LEFTOVERS:
		on_linger_timer(self);
		break;
	case PHASE_ENDING:
		if (self->killed)
			record_add_problem(self->record, false,
					   "processes of the scenario could not be ended");
		if (self->killed || !signal_all(self, SIGKILL)) {
			enter_settling(self);
			break;
		}
		self->killed = true;
		set_timer(self, GRACE_NS);
		break;
	case PHASE_SETTLING:
		/* What it is to be asked for of these, no death will tell. */
		if (!is_settled(self))
			orphan_sockets_count(self->record, on_orphan, self);
		finish(self);
		break;
	}
}

/* What outlives us unless we remove it. In a private sandbox, nothing does. */
static void clear_away(struct supervisor *self)
{
	if (!self->shared)
		return;
	descendants_end();
	/* At once: others may want to reach it. */
	if (self->sandbox.n_claims > 0)
		remote_clear(self->sandbox.remote_table);
	/*
	 * The rules stay, and nobody is at their addresses any more: the parent removes those of
	 * many scenarios at once (sweep.h), since each removal holds up everybody.
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
		clear_away(self);
		/* Maybe we are the last of the run. */
		netns_tables_leave(self->config->space);
		_exit(EXIT_FAILURE);
	}
	if (message == SUPERVISE_INTERRUPT) {
		record_add_problem(self->record, false, "the run was interrupted");
		enter_ending(self);
	}
}

/* ---- the whole ---- */

static void describe(struct supervisor *self)
{
	const struct scenario *scenario = self->scenario;
	struct record *record = self->record;
	struct utsname system;

	record->scenario = xstrdup(scenario->name);
	record->path = xstrdup(scenario->path);
	record->seed = self->config->seed;
	record->kernel = xstrdup(uname(&system) == 0 ? system.release : "unknown");
	record->isolation = xstrdup(self->config->shared ? "shared" : "private");
	record->client_lag_ns = -1;
	record->attached = self->config->attached != NULL;
	record->n_instances = self->n_instances;
	if (!self->sandbox.endpoints)
		return; /* there is no sandbox */
	record->n_endpoints = scenario->n_endpoints;
	record->endpoints = xzalloc(scenario->n_endpoints * sizeof(*record->endpoints));
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];
		const struct sandbox_endpoint *endpoint = &self->sandbox.endpoints[i];
		struct strbuf script = {0};

		script_format(&spec->script, &script);
		record->endpoints[i] = (struct record_endpoint){
			.name = xstrdup(spec->name),
			.script = strbuf_steal(&script),
			.addresses = xmemdup(endpoint->addresses,
					     endpoint->n_addresses * sizeof(struct address)),
			.n_addresses = endpoint->n_addresses,
			.hostname = spec->hostname ? xstrdup(spec->hostname) : NULL,
			.remote = spec->remote ? remote_format(spec) : NULL,
		};
	}
}

/* The sysctls in force in the sandbox. */
static void describe_kernel(struct supervisor *self)
{
	struct record *record = self->record;

	record->syn_retries = sysctls_read_number("net/ipv4/tcp_syn_retries", 6);
	record->syn_linear_timeouts = sysctls_read_number("net/ipv4/tcp_syn_linear_timeouts", 0);
}

/* The stream of what was never started. */
static void finish_unused(struct supervisor *self, size_t i)
{
	AUTO_FREE char *number = xasprintf(".%zu", i / STREAMS_EACH + 1);
	AUTO_FREE char *name = xasprintf("%s%s", i % STREAMS_EACH ? "stderr" : "stdout",
					 i < STREAMS_EACH ? "" : number);

	stream_writer_finish(stream_writer_new(name), &self->record->streams[i]);
}

static void finish_record(struct supervisor *self)
{
	struct record *record = self->record;
	int64_t own_delay_ns = process_run_delay_ns(0);

	if (self->injector) {
		injector_finish(self->injector);
		record->harness_lag_ns =
			MAX(self->timer_lag_ns, injector_max_lag_ns(self->injector));
	}
	packet_capture_end(self->packets);
	self->packets = NULL;
	/*
	 * Notices of deaths carry no time of their own; what they may be late by is the time this
	 * process was ready and did not run.
	 */
	if (own_delay_ns >= 0 && self->own_delay_ns >= 0 && record->client_started)
		record->harness_lag_ns =
			MAX(record->harness_lag_ns, own_delay_ns - self->own_delay_ns);
	record->n_streams = self->n_captures;
	record->streams = xzalloc(record->n_streams * sizeof(*record->streams));
	for (size_t i = 0; i < self->n_captures; i++) {
		if (self->captures[i])
			output_capture_finish(self->captures[i], &record->streams[i]);
		else
			finish_unused(self, i);
	}
	count_beyond(self);
	record->complete = true;
}

/* Not libevent's own signals: those belong to the parent's event base, which we have an instance
 * of. */
static int open_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void run(struct supervisor *self)
{
	int children_fd = open_children();
	AUTO_DIAG struct diag_list diags = {0};
	struct record *record = self->record;

	if (children_fd < 0) {
		record_add_problem(record, false, "no signalfd: %s", strerror(errno));
		return;
	}
	if (sandbox_build(&self->sandbox, self->config->settings, &diags) < 0) {
		problems_from_diags(self, &diags);
		return;
	}
	describe_kernel(self);
	self->timer = evtimer_new(self->base, on_timer, self);
	self->starter = evtimer_new(self->base, on_starter, self);
	self->looker = event_new(self->base, -1, EV_PERSIST, on_look, self);
	self->children =
		event_new(self->base, children_fd, EV_READ | EV_PERSIST, on_children, self);
	event_add(self->children, NULL);
	if (!self->config->attached) {
		self->control = event_new(self->base, self->config->control_fd,
					  EV_READ | EV_PERSIST, on_control, self);
		event_add(self->control, NULL);
	}
	enter_starting(self);
	if (!self->done)
		event_base_dispatch(self->base);
}

static struct event_base *make_event_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		out_of_memory();
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (!base)
		out_of_memory();
	return base;
}

/* Moves a descriptor out of the way of those that are to be closed; -1 stays. */
static void keep(int *fd, int lowest)
{
	if (*fd < 0)
		return;
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, lowest);
	if (*fd < 0)
		_exit(EXIT_FAILURE);
}

/* Signals and descriptors that came from the parent are none of our business. */
static void close_inherited_fds(struct supervise_config *config)
{
	int *const kept[] = {&config->result_fd, &config->control_fd, &config->space,
			     &config->capture_fd};

	if (!config->capture)
		config->capture_fd = -1;
	/* Twice: above all others first, then at the bottom, and what is above goes. */
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		keep(kept[i], 10);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (*kept[i] >= 0 && dup3(*kept[i], (int)(3 + i), O_CLOEXEC) >= 0)
			*kept[i] = (int)(3 + i);
	syscall(SYS_close_range, (unsigned)(3 + ARRAY_SIZE(kept)), ~0U, 0);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (*kept[i] < 0)
			close((int)(3 + i));
	/* The program speaks to us through the control socket; the terminal is not for us. */
	for (int number = 1; number < NSIG; number++)
		if (number != SIGCHLD)
			signal(number, number == SIGABRT || number == SIGSEGV || number == SIGBUS ||
						       number == SIGFPE || number == SIGILL
					       ? SIG_DFL
					       : SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	setsid();
}

/* Returns false when a shared sandbox can't be had: then the record says why. */
static bool open_shared(struct supervisor *self)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (shared_sandbox_open(self->config->number_hint, &diags, &self->shared) == 0)
		return true;
	problems_from_diags(self, &diags);
	return false;
}

/* Returns false when there are no private namespaces to be had: then the record says why. */
static bool enter_private(struct supervisor *self)
{
	int status = namespace_enter(ROOM_PATIENCE_NS);

	if (status < 0)
		record_add_problem(self->record, false, "no network namespace of its own: %s%s",
				   strerror(-status),
				   status == -ENOSPC ? " (sysctl user.max_net_namespaces)" : "");
	return status == 0;
}

/* When it fails, there are no endpoints, and the record says why. */
static void plan(struct supervisor *self)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (sandbox_plan(&self->sandbox, self->scenario, self->shared, &diags) < 0)
		problems_from_diags(self, &diags);
}

static void prepare(struct supervisor *self)
{
	self->record = record_new();
	self->servers = xzalloc(self->scenario->n_endpoints * sizeof(*self->servers));
	self->server_pids = xzalloc(self->scenario->n_endpoints * sizeof(*self->server_pids));
	self->n_instances = scenario_n_instances(self->scenario);
	self->clients = xzalloc(self->n_instances * sizeof(*self->clients));
	self->n_captures = (size_t)STREAMS_EACH * self->n_instances;
	self->captures = xzalloc((self->n_captures + STREAMS_EACH * self->scenario->n_endpoints) *
				 sizeof(*self->captures));
}

void supervise(const struct supervise_config *config)
{
	struct supervise_config own = *config;
	struct supervisor self = {.config = &own, .scenario = config->scenario};
	char *text;
	size_t length;

	close_inherited_fds(&own);
	self.base = make_event_base();
	prepare(&self);
	if (own.shared ? open_shared(&self) : enter_private(&self))
		plan(&self);
	describe(&self);
	if (self.sandbox.endpoints)
		run(&self);
	finish_record(&self);
	clear_away(&self);
	text = record_write_json(self.record, &length);
	/* The process ends here and with it everything it holds: nothing is freed one by one. */
	_exit(write_all(own.result_fd, text, length) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- a client that somebody else starts ---- */

/* Time 0 is when it is armed. */
static void begin_attached(struct supervisor *self)
{
	const struct supervise_attached *attached = self->config->attached;

	self->origin_ns = clock_monotonic_ns();
	self->record->started_realtime_ns = clock_realtime_ns();
	self->record->client_started = true;
	injector_client_started(self->injector, self->origin_ns);
	attached->on_armed(attached->userdata, &self->sandbox, self->record);
}

void supervise_stop(struct supervisor *supervisor)
{
	enter_ending(supervisor);
}

int supervise_reset(struct supervisor *self)
{
	if (self->phase != PHASE_RUNNING)
		return -EBUSY;
	injector_finish(self->injector);
	injector_leave(self->injector);
	self->injector = NULL;
	if (self->packets) {
		packet_capture_end(self->packets);
		self->config->attached->on_restart(self->config->attached->userdata, self->record);
		begin_packets(self);
	}
	record_free(self->record);
	self->record = record_new();
	describe(self);
	describe_kernel(self);
	self->n_output_events = 0;
	self->n_dropped_attempts = 0;
	self->timer_lag_ns = 0;
	if (!arm(self)) {
		enter_ending(self);
		return -EIO;
	}
	self->own_delay_ns = process_run_delay_ns(0);
	begin_attached(self);
	return 0;
}

/* All but the record; and the rules stay. */
static void dismantle(struct supervisor *self)
{
	descendants_end();
	injector_leave(self->injector);
	for (size_t i = 0; i < self->scenario->n_endpoints; i++)
		endpoint_server_free(self->servers[i]);
	if (self->timer)
		event_free(self->timer);
	if (self->starter)
		event_free(self->starter);
	if (self->looker)
		event_free(self->looker);
	if (self->children) {
		close(event_get_fd(self->children));
		event_free(self->children);
	}
	if (self->sandbox.n_claims > 0)
		remote_clear(self->sandbox.remote_table);
	sandbox_free(&self->sandbox);
	shared_sandbox_clear(self->shared);
	free(self->servers);
	free(self->server_pids);
	run_delay_free(self->run_delay);
	free(self->clients);
	free(self->captures);
}

struct record *supervise_attached(const struct supervise_config *config)
{
	const struct supervise_attached *attached = config->attached;
	struct supervisor self = {
		.config = config,
		.scenario = config->scenario,
		.shared = attached->sandbox,
		.base = attached->base,
	};

	prepare(&self);
	plan(&self);
	self.sandbox.clientless = true;
	describe(&self);
	attached->on_begin(attached->userdata, &self);
	if (self.sandbox.endpoints)
		run(&self);
	finish_record(&self);
	dismantle(&self);
	return self.record;
}
