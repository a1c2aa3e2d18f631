/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts looks at threads into the record: see starvation_meter.h. */
#include "runner/sandbox/starvation_meter.h"

#include "common/duration.h"
#include "runner/clock/virtual_clock.h"
#include "runner/sandbox/canary.h"
#include "runner/sandbox/thread_looks.h"

/*
 * The shortest and the longest time between regular looks; in this range, the processor time that
 * they take decides. They must not be far apart: a thread that ends between two looks may have
 * waited for all the time between them.
 */
#define CLOSE_LOOK_NS (10 * NS_PER_MS)
#define LOOK_NS       (250 * NS_PER_MS)
/* Around attempts looks come at once, but at least this far apart. */
#define MIN_LOOK_NS (5 * NS_PER_MS)
/* Looks take at most one part in this many of the time: all looks, and those between attempts. */
enum { COST_RATIO = 20, CLOSE_COST_RATIO = 200 };
/* How long a look takes on an idle machine: in all, and in addition for each thread. */
#define LOOK_COST_NS   (30 * NS_PER_US)
#define THREAD_COST_NS (20 * NS_PER_US)
/*
 * Before a jump of the client's clock a look is left out if the last one is more recent than this,
 * by the kernel's clock. A client that ticks makes thousands of jumps, and what it waited for a
 * processor since the last look is no longer than this either.
 */
#define RECENT_LOOK_NS (2 * NS_PER_MS)
/* A jump takes no longer than this if the machine is not busy. */
#define LONG_JUMP_NS NS_PER_MS
/* A look that adds no more than this is recorded only if one is due. */
#define NEWS_NS NS_PER_MS

struct starvation_meter {
	struct recorder *recorder;
	const struct servers *servers;
	struct lateness_clock *clock;
	struct injector *injector;
	bool own_pids, serves; /* this thread serves: a server is built in */
	struct canary *canary; /* NULL: there is none */
	struct event *regular, *soon;
	struct starvation client, server;
	struct machine_look machine;
	unsigned n_processors;
	uint64_t n_taken; /* dead threads, started since the last look, that were counted */
	bool incomplete, stopped;
	int64_t looked_ns, cost_ns;
	/* What the last event says. */
	bool is_last_look; /* the event is from the last look, and its times can still grow */
	int64_t event_ns, client_ns, canary_ns;
};

static void add_event(struct starvation_meter *meter, int64_t began_ns, int64_t ended_ns)
{
	struct event event = {
		.kind = EVENT_STARVATION,
		.at_ns = ended_ns - meter->recorder->origin_ns,
		.early_ns = ended_ns - began_ns,
		.u.starvation = {.client_ns = meter->client.bound_ns,
				 .server_ns = meter->server.bound_ns,
				 .canary_ns = meter->canary_ns,
				 .incomplete = meter->incomplete},
	};

	meter->event_ns = ended_ns;
	meter->client_ns = meter->client.bound_ns;
	meter->is_last_look = true;
	recorder_event(meter->recorder, &event);
}

/* Corrects the last event by what has become known since. */
static void correct_event(struct starvation_meter *meter, int64_t client_ns, int64_t server_ns)
{
	const struct record *record = meter->recorder->record;
	struct event *event = NULL;

	if (!meter->is_last_look)
		return;
	/* Later events may have been inserted after it. */
	for (size_t i = record->n_events; !event && i > 0; i--)
		if (record->events[i - 1].kind == EVENT_STARVATION)
			event = &record->events[i - 1];
	if (!event)
		return;
	event->u.starvation.client_ns += client_ns;
	event->u.starvation.server_ns += server_ns;
	meter->client_ns += client_ns;
	meter->is_last_look = false;
}

static void look(struct starvation_meter *meter, bool keep)
{
	struct thread_looks client = {0}, server = {0};
	struct thread_look own;
	/* No thread waits during a jump of the client's clock, so the kernel's counts. */
	int64_t cost_ns = clock_thread_ns(), began_ns = clock_kernel_ns(), ended_ns;
	int64_t event_ns = clock_monotonic_ns(), client_ns, server_ns;
	struct machine_look machine;
	bool unseen, late, calm;

	lateness_turn(meter->clock);
	if (meter->injector)
		injector_look(meter->injector);
	if (!thread_looks_read(meter->servers->pids, meter->servers->scenario->n_endpoints, &client,
			       &server))
		meter->incomplete = true;
	meter->recorder->record->other_netns |= client.other_netns;
	if (meter->serves && thread_look_self(&own)) {
		own.ready = false;
		own.reaped = 0;
		array_append(server.items, server.n_items, server.capacity, own);
	}
	machine = machine_look_read();
	unseen = meter->own_pids &&
		 !machine_look_saw_all(&meter->machine, &machine, meter->n_taken, &client, &server);
	ended_ns = clock_kernel_ns();
	/* In any case: it also takes over what the canary has seen. */
	late = canary_is_late(meter->canary, &meter->canary_ns);
	calm = machine_was_calm(&meter->machine, &machine, ended_ns - meter->looked_ns,
				meter->n_processors) &&
	       !late;
	client_ns = starvation_look(&meter->client, client.items, client.n_items, began_ns,
				    ended_ns, unseen, calm);
	server_ns = starvation_look(&meter->server, server.items, server.n_items, began_ns,
				    ended_ns, unseen && server.n_items > meter->serves, calm);
	meter->machine = machine;
	meter->n_taken = 0;
	correct_event(meter, client_ns, server_ns);
	if (keep || meter->client.bound_ns - meter->client_ns > NEWS_NS ||
	    event_ns - meter->event_ns >= LOOK_NS)
		add_event(meter, event_ns, clock_monotonic_ns());
	meter->looked_ns = ended_ns;
	meter->cost_ns = clock_thread_ns() - cost_ns;
	free(client.items);
	free(server.items);
}

static void schedule_next(struct starvation_meter *meter)
{
	int64_t cost_ns = LOOK_COST_NS + (int64_t)meter->client.n_threads * THREAD_COST_NS;
	int64_t in_ns = MIN(MAX(CLOSE_COST_RATIO * cost_ns, CLOSE_LOOK_NS), LOOK_NS);
	const struct timeval delay = duration_timeval(MAX(in_ns, COST_RATIO * meter->cost_ns));

	event_add(meter->regular, &delay);
}

static void on_regular(evutil_socket_t fd, short what, void *userdata)
{
	look(userdata, false);
	schedule_next(userdata);
}

static void on_soon(evutil_socket_t fd, short what, void *userdata)
{
	struct starvation_meter *meter = userdata;

	if (clock_kernel_ns() - meter->looked_ns < MAX(MIN_LOOK_NS, COST_RATIO * meter->cost_ns))
		return;
	look(meter, true);
	schedule_next(meter);
}

struct starvation_meter *starvation_meter_new(struct event_base *base, struct recorder *recorder,
					      const struct servers *servers,
					      struct lateness_clock *clock,
					      struct injector *injector, bool own_pids)
{
	struct starvation_meter *meter = xzalloc(sizeof(*meter));

	meter->recorder = recorder;
	meter->servers = servers;
	meter->clock = clock;
	meter->injector = injector;
	meter->own_pids = own_pids;
	for (size_t i = 0; i < servers->scenario->n_endpoints; i++)
		meter->serves = meter->serves || servers->built_in[i];
	meter->canary = canary_new();
	meter->regular = evtimer_new(base, on_regular, meter);
	meter->soon = evtimer_new(base, on_soon, meter);
	(void)event_priority_set(meter->regular, CLOCK_PRIORITY_LOOKS);
	meter->machine = machine_look_read();
	meter->n_processors = machine_processors();
	meter->looked_ns = clock_kernel_ns();
	starvation_begin(&meter->client, clock_kernel_ns());
	starvation_begin(&meter->server, clock_kernel_ns());
	look(meter, true);
	schedule_next(meter);
	return meter;
}

void starvation_meter_stop(struct starvation_meter *meter)
{
	struct record *record;

	if (!meter || meter->stopped)
		return;
	look(meter, true);
	event_del(meter->regular);
	event_del(meter->soon);
	meter->stopped = true;
	record = meter->recorder->record;
	record->has_starvation = true;
	record->client_lag_ns = meter->incomplete ? -1 : meter->client.counted_ns;
}

void starvation_meter_free(struct starvation_meter *meter)
{
	int64_t now_ns = clock_monotonic_ns();

	if (!meter)
		return;
	starvation_meter_stop(meter);
	canary_is_late(meter->canary, &meter->canary_ns);
	add_event(meter, now_ns, now_ns);
	event_free(meter->regular);
	event_free(meter->soon);
	canary_free(meter->canary);
	starvation_end(&meter->client);
	starvation_end(&meter->server);
	free(meter);
}

void starvation_meter_look_soon(struct starvation_meter *meter)
{
	if (meter && !meter->stopped)
		event_active(meter->soon, EV_TIMEOUT, 0);
}

void starvation_meter_before_jump(struct starvation_meter *meter)
{
	if (meter && !meter->stopped && clock_kernel_ns() - meter->looked_ns >= RECENT_LOOK_NS)
		look(meter, false);
}

void starvation_meter_after_jump(struct starvation_meter *meter, int64_t by_ns, int64_t took_ns)
{
	if (!meter || meter->stopped)
		return;
	if (took_ns > LONG_JUMP_NS)
		starvation_take_delay(&meter->client, took_ns);
	/* Looks go by the kernel's clock. */
	meter->event_ns += by_ns;
}

void starvation_meter_take_dead(struct starvation_meter *meter, pid_t pid)
{
	struct thread_look dead;

	if (!meter || meter->stopped || !thread_look_dead(pid, &dead))
		return;
	/* A server's thread does not count for the client. */
	starvation_take_last(servers_find(meter->servers, pid) == SIZE_MAX ? &meter->client
									   : &meter->server,
			     &dead);
	meter->n_taken += (uint64_t)dead.tid > meter->machine.last_pid;
	starvation_meter_look_soon(meter);
}
