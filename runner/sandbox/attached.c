/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario whose client others start: see supervise.h, struct supervise_attached. */
#include <errno.h>

#include "common/duration.h"
#include "runner/sandbox/descendants.h"
#include "runner/sandbox/remote.h"
#include "runner/sandbox/supervise.h"
#include "runner/sandbox/supervisor_record.h"

void supervise_stop(struct supervisor *supervisor)
{
	supervisor_end(supervisor);
}

void supervise_look(struct supervisor *supervisor)
{
	if (supervisor->phase != PHASE_RUNNING)
		return;
	injector_look(supervisor->injector);
	supervisor_measure_lag(supervisor, process_run_delay_ns(0));
}

int64_t supervise_origin_ns(const struct supervisor *supervisor)
{
	return supervisor->recorder.origin_ns;
}

/* Forgets commands for later. */
static void free_turns(struct supervisor *self)
{
	for (size_t i = 0; self->turns && i < self->scenario->n_endpoints; i++)
		if (self->turns[i].timer)
			event_free(self->turns[i].timer);
	free(self->turns);
	self->turns = NULL;
}

int supervise_reset(struct supervisor *self)
{
	const struct supervise_attached *attached = self->config->attached;

	if (self->phase != PHASE_RUNNING)
		return -EBUSY;
	free_turns(self);
	injector_finish(self->injector);
	injector_leave(self->injector);
	self->injector = NULL;
	if (self->packets) {
		packet_capture_end(self->packets);
		attached->on_restart(attached->userdata, self->recorder.record);
		supervisor_begin_packets(self);
	}
	record_free(self->recorder.record);
	recorder_reset(&self->recorder);
	supervisor_describe(self);
	recorder_describe_kernel(&self->recorder);
	self->timer_lag_ns = 0;
	if (!supervisor_arm(self)) {
		supervisor_end(self);
		return -EIO;
	}
	self->own_delay_ns = process_run_delay_ns(0);
	supervisor_begin_attached(self);
	return 0;
}

static struct record_change *add_change(struct supervisor *self, size_t endpoint, uint32_t attempt)
{
	struct record *record = self->recorder.record;
	const struct record_change change = {
		.endpoint = (uint32_t)endpoint,
		.attempt = attempt,
		.at_ns = recorder_now_ns(&self->recorder),
	};

	array_append(record->changes, record->n_changes, record->changes_capacity, change);
	return &record->changes[record->n_changes - 1];
}

uint32_t supervise_replace(struct supervisor *self, size_t endpoint, const char *steps,
			   const struct script *script)
{
	uint32_t first;

	if (self->phase != PHASE_RUNNING)
		return 0;
	first = injector_replace(self->injector, (uint32_t)endpoint, script);
	add_change(self, endpoint, first)->steps = xstrdup(steps);
	return first;
}

int supervise_hold(struct supervisor *self, size_t endpoint, uint32_t number, int64_t limit_ns,
		   uint32_t *ret_number)
{
	int r;

	if (self->phase != PHASE_RUNNING)
		return -EBUSY;
	r = injector_hold(self->injector, (uint32_t)endpoint, number, limit_ns, ret_number);
	if (r == 0)
		add_change(self, endpoint, *ret_number)->limit_ns = limit_ns;
	return r;
}

int supervise_release(struct supervisor *self, size_t endpoint, uint32_t number, const char *steps,
		      const struct step *verdict)
{
	struct record *record = self->recorder.record;
	struct attempt_info attempt;
	int r;

	if (self->phase != PHASE_RUNNING)
		return -EBUSY;
	r = injector_release(self->injector, (uint32_t)endpoint, number, verdict, &attempt);
	if (r < 0)
		return r;
	for (size_t i = 0; i < record->n_changes; i++) {
		struct record_change *change = &record->changes[i];

		if (change->endpoint == endpoint && change->attempt == number &&
		    change->limit_ns > 0)
			change->steps = xstrdup(steps);
	}
	if (attempt.id < record->n_attempts)
		record->attempts[attempt.id].delay_ns = attempt.delay_ns;
	return 0;
}

/* Begins the outages now. The return value is that of supervise_outage(). */
static int command_outage(struct supervisor *self, uint32_t endpoint, int64_t lasts_ns,
			  size_t *ret_n_ended)
{
	struct event event = {
		.kind = EVENT_OUTAGE,
		.u.outage = {.endpoint = endpoint, .lasts_ns = lasts_ns},
	};
	int64_t at_ns;
	int r;

	r = injector_command_outage(self->injector, endpoint, lasts_ns, &at_ns, ret_n_ended);
	if (r < 0)
		return r;
	event.at_ns = at_ns - self->recorder.origin_ns;
	recorder_event(&self->recorder, &event);
	return 0;
}

static void on_turn(evutil_socket_t fd, short what, void *userdata)
{
	const struct outage_turn *turn = userdata;
	size_t n_ended;

	if (turn->supervisor->phase == PHASE_RUNNING)
		(void)command_outage(turn->supervisor, turn->endpoint, turn->lasts_ns, &n_ended);
}

int supervise_outage(struct supervisor *self, uint32_t endpoint, int64_t lasts_ns, int64_t after_ns,
		     size_t *ret_n_ended)
{
	const struct timeval timeout = duration_timeval(after_ns);
	struct outage_turn *turn;

	if (self->phase != PHASE_RUNNING)
		return -EBUSY;
	if (!self->turns)
		self->turns = xzalloc(self->scenario->n_endpoints * sizeof(*self->turns));
	turn = &self->turns[endpoint];
	if (turn->timer)
		event_del(turn->timer);
	if (after_ns == 0)
		return command_outage(self, endpoint, lasts_ns, ret_n_ended);
	turn->supervisor = self;
	turn->endpoint = endpoint;
	turn->lasts_ns = lasts_ns;
	if (!turn->timer)
		turn->timer = ALLOCATED(evtimer_new(self->base, on_turn, turn));
	(void)event_base_update_cache_time(self->base);
	event_add(turn->timer, &timeout);
	*ret_n_ended = 0;
	return 0;
}

/* Removes everything but the record and the rules. */
static void dismantle(struct supervisor *self)
{
	struct event *const events[] = {self->timer, self->starter, self->stopper, self->children};

	free_turns(self);
	descendants_end();
	injector_leave(self->injector);
	servers_deinit(&self->servers);
	if (self->children)
		close(event_get_fd(self->children));
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	if (self->sandbox.n_claims > 0)
		remote_clear(self->sandbox.remote_table);
	clients_deinit(&self->clients);
	client_progress_free(self->progress);
	lateness_clock_close(&self->lateness);
	sandbox_free(&self->sandbox);
	shared_sandbox_clear(self->shared);
}

struct record *supervise_attached(const struct supervise_config *config)
{
	const struct supervise_attached *attached = config->attached;
	struct supervisor self = {
		.config = config,
		.shared = attached->sandbox,
		.base = attached->base,
	};

	supervisor_init(&self);
	self.recorder.max_attempts = attached->max_attempts;
	if (attached->ancestor && self.recorder.n_instances == 1)
		clients_follow(&self.clients, attached->client, attached->ancestor);
	supervisor_plan(&self);
	self.sandbox.clientless = true;
	supervisor_describe(&self);
	attached->on_begin(attached->userdata, &self);
	if (self.sandbox.endpoints)
		supervisor_run(&self);
	supervisor_finish_record(&self);
	dismantle(&self);
	return self.recorder.record;
}
