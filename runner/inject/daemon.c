/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon of `synfault inject`: see daemon.h.
 *
 * Theory of operation
 * -------------------
 * Scenarios run one after the other (supervise_attached()), each until the command `stop` ends all,
 * `next` goes on to another one, or it fails. Commands arrive while a scenario runs. `next` and
 * `stop` are answered when they are done, so that the caller can rely on the answer. All scenarios
 * share one sandbox, and the addresses of the endpoints that they have in common.
 */
#include "runner/inject/daemon.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/random.h"
#include "injector/event_loop.h"
#include "injector/nft_rules.h"
#include "runner/inject/event_log.h"
#include "runner/report/junit.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/supervise.h"
#include "runner/sandbox/supervisor_confine.h"
#include "runner/schedule/schedule.h"
#include "runner/session/attached_judge.h"
#include "runner/session/control.h"
#include "runner/session/control_socket.h"
#include "runner/session/progress.h"
#include "runner/session/restart.h"

/* Connections to the control socket. */
enum { MAX_PEERS = 32 };

struct session {
	const struct daemon_config *config;
	struct event_log events;
	struct event_base *base;
	struct control *control;
	struct shared_sandbox *sandbox;
	struct console *console;
	struct run_results results;
	int64_t session_ns; /* when the daemon began, CLOCK_MONOTONIC */

	struct supervisor *supervisor; /* of the running scenario, or NULL */
	const struct record *record;   /* its record while it is armed; else NULL */
	size_t index;                  /* its index in config->scenarios */
	int64_t started_ns;
	bool stopping;                   /* the scenario is ending */
	size_t next;                     /* the scenario to run after it, or SIZE_MAX */
	struct control_request *waiting; /* `next` or `stop`, not answered yet */
	bool was_armed;
};

static const struct scenario *current(const struct session *self)
{
	return self->config->scenarios[self->index];
}

static void stop(struct session *self)
{
	self->stopping = true;
	if (self->supervisor)
		supervise_stop(self->supervisor);
}

/* ---- replies ---- */

static json_t *status_json(const void *session)
{
	const struct session *self = session;
	const struct daemon_config *config = self->config;
	const char *state = self->stopping ? "stopping" : self->record ? "armed" : "starting";
	struct stat network = {0};
	json_t *object;

	(void)!stat("/proc/self/ns/net", &network);
	/* A path that is not UTF-8 is left out. */
	object =
		json_pack("{s:s, s:s, s:o*, s:I, s:I, s:i, s:I, s:o}", "state", state, "scenario",
			  current(self)->name, "path", json_string(current(self)->path), "number",
			  (json_int_t)self->index + 1, "scenarios", (json_int_t)config->n_scenarios,
			  "pid", (int)getppid(), "network", (json_int_t)network.st_ino, "seed",
			  json_sprintf("%llu", (unsigned long long)config->seed));
	progress_add_status(object, current(self), self->record, self->started_ns);
	return object;
}

static json_t *result_json(const struct result *result)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < result->judgement.n_findings; i++)
		json_array_append_new(findings, json_string(result->judgement.findings[i].message));
	return json_pack("{s:s, s:s, s:o}", "scenario", result->scenario->name, "outcome",
			 outcome_name(result_outcome(result)), "findings", findings);
}

/* ---- commands ---- */

static void command_hello(void *userdata, struct control_request *request, const void *arguments)
{
	control_reply(request, control_hello(((struct session *)userdata)->control));
}

static void command_status(void *userdata, struct control_request *request, const void *arguments)
{
	control_reply(request, status_json(userdata));
}

static void command_reset(void *userdata, struct control_request *request, const void *arguments)
{
	struct session *self = userdata;
	int status = self->stopping || !self->record ? -EBUSY : supervise_reset(self->supervisor);

	if (status == 0)
		control_reply(request, status_json(self));
	else
		control_refuse(request, CONTROL_NOT_ARMED, NULL, "the scenario %s",
			       status == -EBUSY ? "is not armed" : "could not be armed again");
}

static size_t find_scenario(const struct session *self, const char *name)
{
	for (size_t i = 0; i < self->config->n_scenarios; i++)
		if (strcmp(self->config->scenarios[i]->name, name) == 0)
			return i;
	return SIZE_MAX;
}

/* Ends the running scenario; the request is answered after that. */
static void wait_for_end(struct session *self, struct control_request *request)
{
	self->waiting = request;
	stop(self);
}

struct next_arguments {
	char *scenario; /* NULL: the one that follows */
};
static const struct json_field next_fields[] = {
	{"scenario", JSON_TEXT(struct next_arguments, scenario), .optional = true},
};
static const struct json_type next_type = {
	JSON_TYPE(struct next_arguments, next_fields),
	.is_closed = true,
};

static void command_next(void *userdata, struct control_request *request, const void *arguments)
{
	struct session *self = userdata;
	const char *name = ((const struct next_arguments *)arguments)->scenario;
	size_t next = name ? find_scenario(self, name) : self->index + 1;
	AUTO_FREE char *obstacle = NULL;

	if (self->stopping || !self->record) {
		control_refuse(request, CONTROL_NOT_ARMED, NULL, "no scenario is armed now");
	} else if (name && next == SIZE_MAX) {
		control_refuse(request, CONTROL_NOT_FOUND, NULL, "there is no scenario \"%s\"",
			       name);
	} else if (next >= self->config->n_scenarios) {
		control_refuse(request, CONTROL_NOT_FOUND, NULL, "\"%s\" is the last scenario",
			       current(self)->name);
	} else if ((obstacle = attached_obstacle(self->config->isolation,
						 self->config->scenarios[next]))) {
		control_refuse(request, CONTROL_UNAVAILABLE, NULL, "\"%s\" can't run here: %s",
			       self->config->scenarios[next]->name, obstacle);
	} else {
		self->next = next;
		wait_for_end(self, request);
	}
}

static void command_restart(void *userdata, struct control_request *request, const void *arguments)
{
	struct session *self = userdata;

	if (self->stopping || !self->record)
		control_refuse(request, CONTROL_NOT_ARMED, NULL, "no scenario is armed now");
	else
		restart_outages(request, self->supervisor, current(self), arguments, status_json,
				self);
}

static void command_stop(void *userdata, struct control_request *request, const void *arguments)
{
	struct session *self = userdata;

	if (self->stopping)
		control_refuse(request, CONTROL_ENDED, NULL, "it is ending already");
	else
		wait_for_end(self, request);
}

static const struct control_command daemon_commands[] = {
	{"hello", &control_hello_arguments, command_hello},
	{"status", &control_no_arguments, command_status},
	{"next", &next_type, command_next},
	{"reset", &control_no_arguments, command_reset},
	{"restart", &restart_here_type, command_restart},
	{"stop", &control_no_arguments, command_stop},
};

static void on_watchdog(evutil_socket_t fd, short what, void *userdata)
{
	struct session *self = userdata;
	char message;
	ssize_t length = recv(fd, &message, 1, MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* The watchdog asked to stop, or is dead. */
	stop(self);
}

static void on_signal(evutil_socket_t number, short what, void *userdata)
{
	stop(userdata);
}

/* ---- a scenario ---- */

static void on_begin(void *userdata, struct supervisor *supervisor)
{
	struct session *self = userdata;

	self->supervisor = supervisor;
	if (self->stopping)
		supervise_stop(supervisor);
}

/*
 * Returns whether a server command may still have to be started: by `next`, in any order. The
 * servers of the armed scenario stay even when it begins again.
 */
static bool may_start_servers(const struct session *self)
{
	const struct daemon_config *config = self->config;

	for (size_t i = 0; config->n_scenarios > 1 && i < config->n_scenarios; i++)
		for (size_t k = 0; k < config->scenarios[i]->n_endpoints; k++)
			if (config->scenarios[i]->endpoints[k].serve == SERVE_COMMAND)
				return true;
	return false;
}

static void give_up(const struct session *self)
{
	if (may_start_servers(self))
		supervisor_confine(ROLE_INJECT_SERVERS);
	else
		supervisor_confine(self->config->junit || self->config->record ? ROLE_INJECT_REPORTS
									       : ROLE_INJECT);
}

static void on_armed(void *userdata, const struct sandbox *sandbox, const struct record *record)
{
	const char message = DAEMON_ARMED;
	struct session *self = userdata;
	bool whole = !self->record;

	self->record = record;
	self->started_ns = clock_monotonic_ns();
	event_log_armed(&self->events, current(self), record, self->config->control, whole);
	if (!self->was_armed) {
		give_up(self);
		(void)!send(self->config->watchdog_fd, &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	self->was_armed = true;
	/* The reply to the `next` that led here includes the verdict of the scenario before. */
	if (self->waiting && !self->stopping) {
		json_t *reply = status_json(self);

		json_object_set_new(reply, "previous",
				    result_json(&self->results.items[self->results.n_items - 1]));
		control_reply(self->waiting, reply);
		self->waiting = NULL;
	}
}

static void on_full(void *userdata)
{
	const struct session *self = userdata;

	fprintf(self->config->err,
		"synfault inject: more than %zu attempts: further ones are answered and counted, "
		"but not kept, and the scenario can't be judged; \"synfault ctl reset\" begins "
		"it again\n",
		self->config->max_attempts);
	fflush(self->config->err);
}

static void on_event(const struct supervise_config *config, const struct record *record,
		     const struct event *event)
{
	const struct session *self = config->attached->userdata;

	event_log_event(&self->events, current(self), record, event);
}

static void on_restart(void *userdata, const struct record *record)
{
	struct session *self = userdata;
	AUTO_FREE char *reason =
		packet_file_add(self->config->capture, current(self), record, "none: it was reset");

	if (reason)
		fprintf(self->config->err, "synfault inject: no capture of \"%s\": %s\n",
			current(self)->name, reason);
}

/* Writes the packets of a scenario that has ended. */
static void write_packets(struct session *self, struct result *result)
{
	struct packet_file *file = self->config->capture;
	AUTO_STRBUF struct strbuf outcome = {0};

	if (file->fd < 0)
		return;
	result_outcome_line(result, &outcome);
	result->no_capture =
		packet_file_add(file, result->scenario, result->record, strbuf_text(&outcome));
	if (!result->no_capture)
		result->capture = xstrdup(file->path);
}

static void judge_result(struct session *self, struct record *record, int64_t duration_ns)
{
	struct run_results *results = &self->results;
	struct result result = {
		.file = self->config->file,
		.scenario = current(self),
		.record = record,
		.duration_ns = duration_ns,
		.number = results->n_items + 1,
	};

	result.judgement = attached_judge(result.scenario, record, &self->config->judge);
	write_packets(self, &result);
	array_append(results->items, results->n_items, results->capacity, result);
	if (self->events.json)
		event_log_result(&self->events, &result);
	else
		console_result(self->console, &result, NULL);
}

static void run_scenario(struct session *self)
{
	const struct daemon_config *config = self->config;
	const struct supervise_attached attached = {
		.base = self->base,
		.sandbox = self->sandbox,
		.on_begin = on_begin,
		.on_armed = on_armed,
		.max_attempts = config->max_attempts,
		.on_full = on_full,
		.on_restart = on_restart,
		.userdata = self,
	};
	const struct supervise_config supervision = {
		.scenario = current(self),
		.seed = schedule_scenario_seed(config->seed, current(self)),
		.queue_form = config->isolation->queue_form,
		.shared = true,
		.capture = config->capture->fd >= 0,
		.capture_fd = config->capture->spool_fd,
		.capture_size = config->capture_size,
		.on_event = on_event,
		.attached = &attached,
	};
	int64_t started_ns = clock_monotonic_ns();
	struct record *record;

	self->record = NULL;
	record = supervise_attached(&supervision);
	self->supervisor = NULL;
	self->record = NULL;
	judge_result(self, record, clock_monotonic_ns() - started_ns);
}

/* Runs scenarios until none follows. */
static void run_scenarios(struct session *self)
{
	for (;;) {
		bool asked;

		self->next = SIZE_MAX;
		run_scenario(self);
		asked = self->stopping;
		if (!asked || self->next == SIZE_MAX)
			break;
		self->index = self->next;
		self->stopping = false;
	}
	/* Refuse further commands. */
	self->stopping = true;
}

/* ---- the whole ---- */

static int write_record(const struct session *self)
{
	const struct run_results *results = &self->results;
	FILE *file = fopen(self->config->record, "we");
	bool good = file != NULL;

	for (size_t i = 0; good && i < results->n_items; i++) {
		size_t length;
		AUTO_FREE char *text = record_write_json(results->items[i].record, &length);

		good = fwrite(text, 1, length, file) == length && fputc('\n', file) != EOF;
	}
	if (file && fclose(file) != 0)
		good = false;
	return good ? 0 : -errno;
}

/* Returns false, with a message, when a report can't be written. */
static bool write_reports(const struct session *self)
{
	const struct daemon_config *config = self->config;
	AUTO_DIAG struct diag_list diags = {0};
	int status = config->record ? write_record(self) : 0;

	if (status < 0)
		diag_add(&diags, NULL, "can't write the record to %s: %s", config->record,
			 strerror(-status));
	if (config->capture->error)
		diag_add(&diags, NULL, "can't write the capture to %s: %s", config->capture->path,
			 strerror(-config->capture->error));
	if (config->junit)
		(void)junit_write(&self->results, NULL, config->junit, &diags);
	diag_list_print(&diags, "synfault inject", config->err);
	return diags.n_items == 0;
}

static enum exit_status decide(const struct session *self, bool written)
{
	struct outcome_counts counts = results_count(&self->results);

	if (counts.by_outcome[OUTCOME_FAIL])
		return STATUS_FAILED;
	return counts.by_outcome[OUTCOME_ERROR] || !written ? STATUS_UNJUDGED : STATUS_PASSED;
}

/* Makes room at our addresses, so that another daemon can listen there. */
static void stop_listening(const struct session *self)
{
	control_stop_listening(self->control);
	close(self->config->control_fd);
	if (self->config->token)
		close(self->config->tcp_fd);
	control_socket_remove(self->config->control);
}

/* Answers the command that ended the daemon, after everything else is done. */
static void answer(struct session *self)
{
	stop_listening(self);
	if (self->waiting && self->next == SIZE_MAX)
		control_reply(self->waiting,
			      result_json(&self->results.items[self->results.n_items - 1]));
	else if (self->waiting)
		control_refuse(self->waiting, CONTROL_NOT_ARMED, NULL,
			       "the scenario could not be armed");
	self->waiting = NULL;
	control_flush(self->control);
	control_free(self->control);
}

static enum exit_status run(struct session *self)
{
	struct event *watchdog =
		event_loop_readable(self->base, self->config->watchdog_fd, on_watchdog, self);
	struct event *interrupt = event_loop_signal(self->base, SIGINT, on_signal, self);
	struct event *terminate = event_loop_signal(self->base, SIGTERM, on_signal, self);
	const struct control_config control = {
		.base = self->base,
		.fd = self->config->control_fd,
		.tcp_fd = self->config->tcp_fd,
		.token = self->config->token,
		.commands = {daemon_commands, ARRAY_SIZE(daemon_commands)},
		.max_peers = MAX_PEERS,
		.userdata = self,
	};
	enum exit_status status;

	self->control = control_new(&control);
	self->session_ns = clock_monotonic_ns();
	self->results.started_realtime_ns = clock_realtime_ns();
	self->results.seed = self->config->seed;
	self->console = console_new(self->config->out, &self->config->console);
	run_scenarios(self);
	self->results.duration_ns = clock_monotonic_ns() - self->session_ns;
	event_free(watchdog);
	(void)nft_rules_remove_part(SPACE_TABLE, self->sandbox->number, &self->sandbox->networks);
	status = decide(self, write_reports(self));
	if (!self->events.json)
		console_summary(self->console, &self->results);
	answer(self);
	event_free(interrupt);
	event_free(terminate);
	console_free(self->console);
	return status;
}

enum exit_status daemon_run(const struct daemon_config *config)
{
	struct session self = {
		.config = config,
		.index = config->first,
		.events = {.out = config->out,
			   .json = config->json,
			   .quiet = config->console.quiet},
	};
	AUTO_DIAG struct diag_list diags = {0};
	enum exit_status status = STATUS_UNJUDGED;

	self.base = event_loop_new();
	if (shared_sandbox_open((uint32_t)random_seed(), &diags, &self.sandbox) < 0) {
		diag_list_print(&diags, "synfault inject", config->err);
		close(config->control_fd);
	} else {
		status = run(&self);
		shared_sandbox_close(self.sandbox);
	}
	results_free(&self.results);
	event_base_free(self.base);
	return status;
}
