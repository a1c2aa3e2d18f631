/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process of one session: see session.h. */
#include "runner/session/session.h"

#include <errno.h>
#include <malloc.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "injector/step_text.h"
#include "runner/sandbox/detach.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/supervise.h"
#include "runner/sandbox/supervisor_confine.h"
#include "runner/scenario/inline_scenario.h"
#include "runner/schedule/handed_record.h"
#include "runner/session/control.h"
#include "runner/session/progress.h"
#include "runner/session/protocol.h"
#include "runner/session/restart.h"

/* Attempts that are kept in the record; further ones make it an error. */
enum { MAX_ATTEMPTS = 100000 };
/* Events in one reply. */
enum { MAX_EVENTS = 200 };
/* How long after arming memory is given back: not while other sessions are waited for. */
enum { TRIM_US = 20000 };

/* A `wait` that is not answered yet. */
struct waiting {
	struct session_process *self;
	struct control_request *request;
	struct event *timer;
	size_t endpoint;
	struct waiting *next;
};

struct session_process {
	struct session_config config;
	struct event_base *base;
	struct control *control;
	struct shared_sandbox *sandbox;
	struct supervisor *supervisor; /* NULL before and after it runs */
	const struct record *record;   /* NULL before it is armed */
	int64_t armed_ns;
	/* All events in the order in which they became known, which in the record they lack. */
	struct event *log;
	size_t n_log, log_capacity;
	struct waiting *waiting; /* list */
	bool following;          /* report events as they happen */
	bool closing;
};

/* ---- replies ---- */

static json_t *status_json(const void *session)
{
	const struct session_process *self = session;
	json_t *object = json_pack("{s:s}", "scenario", self->config.scenario->name);

	progress_add_status(object, self->config.scenario, self->record, self->armed_ns);
	return object;
}

/* Answers that nothing is armed yet, if so. */
static bool refuse_early(const struct session_process *self, struct control_request *request)
{
	if (self->record)
		return false;
	control_refuse(request, CONTROL_NOT_ARMED, NULL, "the session is not armed");
	return true;
}

static void command_status(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;

	if (refuse_early(self, request))
		return;
	supervise_look(self->supervisor);
	control_reply(request, status_json(self));
}

/*
 * Hands over the record so far. It is as complete as it can be; the client's output is never in it.
 * Returns 0 or a negative errno.
 */
static int hand_over(const struct session_process *self)
{
	struct record record = *self->record;
	const int fd = self->config.check_fd;
	AUTO_FREE struct stream *no_output = NULL;
	AUTO_FREE char *text = NULL;
	char name[] = "";
	size_t length;

	record.complete = true;
	record.n_streams = (size_t)STREAMS_EACH * record.n_instances;
	record.streams = no_output = xzalloc(record.n_streams * sizeof(*no_output));
	for (size_t i = 0; i < record.n_streams; i++)
		no_output[i].name = name;
	text = record_write_json(&record, &length);
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return write_all(fd, text, length);
}

static void command_check(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;
	int r;

	if (refuse_early(self, request))
		return;
	supervise_look(self->supervisor);
	r = hand_over(self);
	if (r < 0)
		control_refuse(request, CONTROL_UNAVAILABLE, NULL, "can't write the record: %s",
			       strerror(-r));
	else
		control_reply(request, json_object());
}

static void command_events(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;
	const struct events_arguments *wanted = arguments;
	size_t from = wanted->since, to;
	json_t *events, *following = NULL;

	if (refuse_early(self, request))
		return;
	supervise_look(self->supervisor);
	events = json_array();
	from = MIN(from, self->n_log);
	to = MIN(from + MAX_EVENTS, self->n_log);
	for (size_t i = from; i < to; i++)
		json_array_append_new(events, progress_event(self->record, &self->log[i], i));
	if (wanted->follow) {
		const bool all = to == self->n_log;

		following = json_boolean(all);
		self->following = self->following || all;
	}
	control_reply(request, json_pack("{s:o, s:I, s:o*}", "events", events, "next",
					 (json_int_t)to, "following", following));
}

/* Reports the newest event in the log. */
static void report_event(const struct session_process *self)
{
	const size_t i = self->n_log - 1;

	control_tell(self->control,
		     json_pack("{s:o}", "event", progress_event(self->record, &self->log[i], i)));
}

/* ---- waiting ---- */

/* Returns the index in the log of the event that is waited for, from @from on, or SIZE_MAX. */
static size_t find_event(const struct waiting *waiting, size_t from)
{
	const struct session_process *self = waiting->self;
	const struct wait_arguments *wanted = control_arguments(waiting->request);

	for (size_t i = from; i < self->n_log; i++) {
		const struct event *event = &self->log[i];
		const struct record_attempt *attempt;

		if (event->kind != wanted->event ||
		    event->u.net.attempt >= self->record->n_attempts)
			continue;
		attempt = &self->record->attempts[event->u.net.attempt];
		if (attempt->endpoint == waiting->endpoint &&
		    attempt->number == MAX(wanted->attempt, 1))
			return i;
	}
	return SIZE_MAX;
}

static void forget(struct waiting *waiting)
{
	struct waiting **link = &waiting->self->waiting;

	while (*link != waiting)
		link = &(*link)->next;
	*link = waiting->next;
	event_free(waiting->timer);
	free(waiting);
}

static void on_wait_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct waiting *waiting = userdata;
	const struct wait_arguments *wanted = control_arguments(waiting->request);

	control_refuse(waiting->request, CONTROL_TIMED_OUT, NULL,
		       "attempt %u at %s has had no event %s in time", MAX(wanted->attempt, 1),
		       waiting->self->record->endpoints[waiting->endpoint].name,
		       event_kind_name(wanted->event));
	forget(waiting);
}

/* Answers those that wait for one of the log's events from @from on. */
static void answer_waiting(struct session_process *self, size_t from)
{
	struct waiting *waiting = self->waiting, *next;

	for (; waiting; waiting = next) {
		size_t found = find_event(waiting, from);

		next = waiting->next;
		if (found == SIZE_MAX)
			continue;
		control_reply(waiting->request,
			      progress_event(self->record, &self->log[found], found));
		forget(waiting);
	}
}

static size_t find_endpoint(const struct record *record, const char *name)
{
	for (size_t i = 0; i < record->n_endpoints; i++)
		if (!name || strcmp(record->endpoints[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

/* Returns the endpoint that a request names, or SIZE_MAX after having refused the request. */
static size_t require_endpoint(const struct session_process *self, struct control_request *request,
			       const char *name)
{
	size_t endpoint;

	if (refuse_early(self, request))
		return SIZE_MAX;
	endpoint = find_endpoint(self->record, name);
	if (endpoint == SIZE_MAX)
		control_refuse(request, CONTROL_NOT_FOUND, NULL, "there is no endpoint \"%s\"",
			       name);
	return endpoint;
}

static void command_wait(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;
	const struct wait_arguments *wanted = arguments;
	const struct timeval timeout =
		duration_timeval(wanted->timeout_ns ? wanted->timeout_ns : WAIT_DEFAULT_NS);
	struct waiting *waiting;
	size_t endpoint;

	endpoint = require_endpoint(self, request, wanted->endpoint);
	if (endpoint == SIZE_MAX)
		return;
	waiting = xzalloc(sizeof(*waiting));
	*waiting = (struct waiting){
		.self = self, .request = request, .endpoint = endpoint, .next = self->waiting};
	waiting->timer = ALLOCATED(evtimer_new(self->base, on_wait_timer, waiting));
	self->waiting = waiting;
	event_add(waiting->timer, &timeout);
	supervise_look(self->supervisor);
	answer_waiting(self, 0);
}

/* ---- changes ---- */

static bool ends_connections(const struct script *script)
{
	for (size_t i = 0; i < script->n_steps; i++)
		if (script->steps[i].ending)
			return true;
	return false;
}

static void command_faults(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;
	const struct faults_arguments *wanted = arguments;
	size_t endpoint = require_endpoint(self, request, wanted->endpoint);
	AUTO_FREE char *message = NULL;
	struct script script;
	uint32_t first;

	if (endpoint == SIZE_MAX)
		return;
	if (inline_script_load(wanted->steps, &script, &message) < 0) {
		control_refuse(request, CONTROL_BAD_SCENARIO, NULL, "%s", message);
		return;
	}
	if (ends_connections(&script) ||
	    ends_connections(&self->config.scenario->endpoints[endpoint].script)) {
		script_free(&script);
		control_refuse(request, CONTROL_UNAVAILABLE, NULL,
			       "outages that end connections can't be replaced, or replace others");
		return;
	}
	first = supervise_replace(self->supervisor, endpoint, wanted->steps, &script);
	script_free(&script);
	if (first == 0)
		control_refuse(request, CONTROL_ENDED, NULL, "the session is ending");
	else
		control_reply(request, json_pack("{s:s, s:I}", "endpoint",
						 self->record->endpoints[endpoint].name, "attempt",
						 (json_int_t)first));
}

static void command_restart(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;

	if (!refuse_early(self, request))
		restart_outages(request, self->supervisor, self->config.scenario, arguments,
				status_json, self);
}

static void refuse_change(struct control_request *request, int r, const char *endpoint,
			  uint32_t attempt)
{
	if (r == -EBUSY)
		control_refuse(request, CONTROL_ENDED, NULL, "the session is ending");
	else
		control_refuse(request, r == -EEXIST ? CONTROL_BAD_REQUEST : CONTROL_NOT_HELD, NULL,
			       "attempt %u at %s %s", attempt, endpoint,
			       r == -EEXIST   ? "has begun, or is to be held already"
			       : r == -EAGAIN ? "has not begun"
			       : r == -ETIME  ? "has been let through after its limit"
					      : "is not held");
}

static void command_hold(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;
	const struct hold_arguments *wanted = arguments;
	size_t endpoint = require_endpoint(self, request, wanted->endpoint);
	int64_t limit_ns = wanted->limit_ns ? wanted->limit_ns : HOLD_DEFAULT_NS;
	uint32_t number = wanted->attempt;
	const struct script *script;
	const char *name;
	int r;

	if (endpoint == SIZE_MAX)
		return;
	if (limit_ns > HOLD_MAX_NS) {
		control_refuse(request, CONTROL_BAD_REQUEST, NULL,
			       "an attempt is held for at most 10 minutes");
		return;
	}
	script = &self->config.scenario->endpoints[endpoint].script;
	/* A held attempt is of no list, so that an outage could not tell whether it is its own. */
	if (ends_connections(script) && script_n_lists(script) > 1) {
		control_refuse(request, CONTROL_UNAVAILABLE, NULL,
			       "attempts can't be held where addresses have outages of their own");
		return;
	}
	name = self->record->endpoints[endpoint].name;
	r = supervise_hold(self->supervisor, endpoint, wanted->attempt, limit_ns, &number);
	if (r < 0)
		refuse_change(request, r, name, number);
	else
		control_reply(request,
			      json_pack("{s:s, s:I, s:I}", "endpoint", name, "attempt",
					(json_int_t)number, "limit_ns", (json_int_t)limit_ns));
}

static void command_release(void *userdata, struct control_request *request, const void *arguments)
{
	struct session_process *self = userdata;
	const struct release_arguments *wanted = arguments;
	const char *text = wanted->verdict ? wanted->verdict : "accept", *name;
	size_t endpoint = require_endpoint(self, request, wanted->endpoint);
	struct step_error error;
	struct step verdict;
	int r;

	if (endpoint == SIZE_MAX)
		return;
	if (step_parse(text, &verdict, &error) < 0 || !step_is_verdict(&verdict)) {
		control_refuse(request, CONTROL_BAD_SCENARIO, NULL,
			       "the verdict has to be accept, refuse, drop or unreachable KIND");
		return;
	}
	name = self->record->endpoints[endpoint].name;
	r = supervise_release(self->supervisor, endpoint, wanted->attempt, text, &verdict);
	if (r < 0)
		refuse_change(request, r, name, wanted->attempt);
	else
		control_reply(request, json_pack("{s:s, s:I}", "endpoint", name, "attempt",
						 (json_int_t)wanted->attempt));
}

/* ---- the scenario ---- */

static void on_gone(void *userdata, const struct control_peer *peer)
{
	struct session_process *self = userdata;

	if (self->closing)
		return;
	self->closing = true;
	if (self->supervisor)
		supervise_stop(self->supervisor);
}

static void on_begin(void *userdata, struct supervisor *supervisor)
{
	struct session_process *self = userdata;

	self->supervisor = supervisor;
	if (self->closing)
		supervise_stop(supervisor);
}

/*
 * Gives back what arming has used, and what was free in the parent. There can be hundreds of
 * sessions, and most wait.
 */
static void give_memory_back(evutil_socket_t fd, short what, void *userdata)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

static void on_armed(void *userdata, const struct sandbox *sandbox, const struct record *record)
{
	struct session_process *self = userdata;
	AUTO_STRV char **environment = substitute_environment(&sandbox->substitution);
	json_t *endpoints = json_array(), *variables = json_object();
	const struct timeval soon = {.tv_usec = TRIM_US};

	/* No program is started any more, and the first packets and requests come now. */
	supervisor_confine(ROLE_SESSION);
	self->record = record;
	self->armed_ns = supervise_origin_ns(self->supervisor);
	for (size_t i = 0; i < record->n_endpoints; i++)
		json_array_append_new(
			endpoints, json_pack("{s:s, s:s, s:o}", "name", record->endpoints[i].name,
					     "script", record->endpoints[i].script, "addresses",
					     progress_addresses(&record->endpoints[i])));
	for (char **variable = environment; *variable; variable++) {
		char *equals = strchr(*variable, '=');

		if (!equals)
			continue;
		*equals = '\0';
		/* These directories are for servers. */
		if (!strcmp(*variable, "SYNFAULT_TMP") || !strcmp(*variable, "SYNFAULT_DIR"))
			continue;
		json_object_set_new(variables, *variable, json_string(equals + 1));
	}
	control_tell(self->control,
		     json_pack("{s:{s:o, s:o, s:I}}", "armed", "endpoints", endpoints, "variables",
			       variables, "monotonic_ns", self->armed_ns));
	/* After the reply was sent. */
	event_base_once(self->base, -1, EV_TIMEOUT, give_memory_back, NULL, &soon);
}

static void on_full(void *userdata)
{
}

static void on_event(const struct supervise_config *config, const struct record *record,
		     const struct event *event)
{
	struct session_process *self = config->attached->userdata;

	array_append(self->log, self->n_log, self->log_capacity, *event);
	if (!self->record)
		return;
	answer_waiting(self, self->n_log - 1);
	if (self->following)
		report_event(self);
}

static struct record *run_scenario(struct session_process *self)
{
	const struct session_config *config = &self->config;
	const struct supervise_attached attached = {
		.base = self->base,
		.sandbox = self->sandbox,
		.on_begin = on_begin,
		.on_armed = on_armed,
		.client = config->client,
		.ancestor = getppid(),
		.max_attempts = MAX_ATTEMPTS,
		.on_full = on_full,
		.replaceable = true,
		.userdata = self,
	};
	const struct supervise_config supervision = {
		.scenario = config->scenario,
		.seed = config->seed,
		.queue_form = config->isolation->queue_form,
		.shared = true,
		.capture = config->capture_fd >= 0,
		.capture_fd = config->capture_fd,
		.capture_size = config->capture_size,
		.n_files = config->n_files,
		.on_event = on_event,
		.attached = &attached,
	};
	struct record *record = supervise_attached(&supervision);

	/* No request may see the supervisor any more. */
	self->supervisor = NULL;
	self->record = NULL;
	while (self->waiting) {
		control_refuse(self->waiting->request, CONTROL_ENDED, NULL,
			       "the session has ended");
		forget(self->waiting);
	}
	/*
	 * The rules stay, although no process uses their addresses any more: the parent removes
	 * those of many sessions at once (stale_cleanup.h).
	 */
	shared_sandbox_close(self->sandbox);
	return record;
}

/* Keeps the claim among other runs open: this process may be the last of its run. */
static int detach(struct session_config *config)
{
	int space = config->isolation->space;
	int *const kept[] = {&config->channel_fd, &config->result_fd, &config->check_fd,
			     &config->capture_fd, &space};

	detach_from_parent(kept, ARRAY_SIZE(kept));
	return space;
}

void session_run(const struct session_config *config)
{
	static const struct control_command commands[] = {
		{"status", &status_type, command_status},
		{"check", &session_type, command_check},
		{"wait", &wait_type, command_wait},
		{"events", &events_type, command_events},
		{"faults", &faults_type, command_faults},
		{"hold", &hold_type, command_hold},
		{"release", &release_type, command_release},
		{"restart", &restart_type, command_restart},
	};
	struct session_process self = {.config = *config};
	AUTO_DIAG struct diag_list diags = {0};
	const pid_t parent = getppid();
	int space = detach(&self.config);
	struct control_config control = {
		.fd = -1,
		.commands = {commands, ARRAY_SIZE(commands)},
		.patient = true,
		.pipelined = true,
		.lingers = true,
		.on_gone = on_gone,
		.userdata = &self,
	};
	struct record *record;
	size_t length;
	char *text;

	self.base = control.base = event_loop_new();
	self.control = control_new(&control);
	control_add_peer(self.control, self.config.channel_fd);
	if (shared_sandbox_open(config->number_hint, &diags, &self.sandbox) == 0) {
		record = run_scenario(&self);
	} else {
		record = handed_record_empty(config->scenario);
		record_add_problem(record, false, "%s", diags.items[0].message);
	}
	text = record_write_json(record, &length);
	control_flush(self.control);
	if (getppid() != parent)
		netns_tables_leave(space);
	/* The process ends here with everything it has, so nothing is freed. */
	_exit(write_all(self.config.result_fd, text, length) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
