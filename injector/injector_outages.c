/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends established connections whenever a server goes down.
 *
 * Theory of operation
 * -------------------
 * An outage is a step whose condition is a window of time. The tracker answers the attempts that
 * come in the window. Here a timer runs to the window's beginning, and then to its next one. When
 * it expires, all open connections to the outage's addresses end together (flow_table_cut()).
 *
 * To make a FIN or RST, the sequence numbers of both sides have to be known at any time. So all
 * connections to these addresses are followed from their SYN on.
 *
 * An attempt that began before the window may get its SYN-ACK in it. A server that is down has no
 * such connection, so it ends as soon as it is established. One that began in the window, and that
 * an earlier step of the script let through, stays.
 *
 * An outage `from command` begins with injector_command_outage(). Only a later turn of a rolling
 * restart has a timer then.
 *
 * A pause is such an outage, too. It stalls connections until it ends; until then the injector
 * drops SYNs and SYN-ACKs.
 *
 * A timer that expires only after the window can't be made good: the server would be back already.
 * Nor can a pause that begins late: it would be too short.
 */
#include <errno.h>
#include <inttypes.h>

#include "common/duration.h"
#include "injector/injector_impl.h"

/* A pause that begins by no more than this late is as long as it should be. */
#define LATE_PAUSE_NS (10 * NS_PER_MS)

struct outage {
	struct injector *injector;
	uint32_t endpoint, number; /* of its step, from 1 */
	uint32_t list;
	uint16_t family; /* AF_INET, AF_INET6; 0: either */
	enum step_ending ending;
	struct time_window scripted, window; /* as the step, and the last command, say */
	bool began;                          /* .origin_ns is known */
	int64_t origin_ns;                   /* what its times count from */
	int64_t next_ns;                     /* when it begins next; INT64_MAX: no more */
	int64_t last_ns; /* when it began last, and ended connections; INT64_MIN: not yet */
	struct event *timer;
};

static void schedule(struct outage *outage)
{
	struct timeval timeout;

	if (outage->next_ns == INT64_MAX)
		return;
	timeout = duration_timeval(outage->next_ns - injector_now_ns(outage->injector));
	(void)event_base_update_cache_time(outage->injector->config.base);
	event_add(outage->timer, &timeout);
}

/* Returns whether an attempt is at one of the outage's addresses. */
static bool is_at(const struct outage *outage, const struct attempt_info *attempt)
{
	return attempt->endpoint == outage->endpoint &&
	       tracker_step(outage->injector->tracker, attempt->id)->list == outage->list &&
	       (!outage->family || attempt->key.server.family == outage->family);
}

static bool hits(void *context, uint32_t id)
{
	const struct outage *outage = context;
	struct attempt_info attempt = tracker_attempt(outage->injector->tracker, id);

	return is_at(outage, &attempt);
}

static struct flow_outage flow_outage_of(struct outage *outage)
{
	const struct time_window *window = &outage->window;
	bool ends = outage->ending == STEP_ENDS_PAUSE;

	return (struct flow_outage){
		.ending = outage->ending,
		.number = outage->number,
		.until_ns = ends ? outage->last_ns + window->to_ns - window->from_ns : 0,
		.hits = hits,
		.context = outage,
	};
}

/* Returns how many connections it ended. */
static size_t begin(struct outage *outage)
{
	struct injector *injector = outage->injector;
	struct flow_outage flow_outage;

	/* What came before it passes: the numbers of all connections are up to date then. */
	if (injector->queue)
		(void)injector_read_queue(injector);
	outage->last_ns = outage->next_ns;
	flow_outage = flow_outage_of(outage);
	return flow_table_cut(injector->connections, &flow_outage);
}

static void due(evutil_socket_t fd, short what, void *userdata)
{
	struct outage *outage = userdata;
	const struct time_window *window = &outage->window;
	int64_t now_ns = injector_now_ns(outage->injector);
	int64_t late_ns = now_ns - outage->next_ns;
	int64_t lasts_ns = window->to_ns == INT64_MAX ? INT64_MAX : window->to_ns - window->from_ns;

	(void)fd;
	(void)what;
	if (now_ns < outage->next_ns) {
		schedule(outage);
		return;
	}
	if (late_ns < lasts_ns)
		(void)begin(outage);
	else
		injector_report(outage->injector, PROBLEM_OUTAGE, INJECTOR_LATE,
				"an outage had ended before its connections could be: "
				"synfault was %" PRId64 " ms late",
				late_ns / NS_PER_MS);
	/* It ends in time all the same, so the client saw a shorter one. */
	if (outage->ending == STEP_ENDS_PAUSE && late_ns < lasts_ns &&
	    late_ns > MAX(lasts_ns / 10, LATE_PAUSE_NS))
		injector_report(outage->injector, PROBLEM_OUTAGE, INJECTOR_LATE,
				"a pause was too short for connections: "
				"synfault began it %" PRId64 " ms late",
				late_ns / NS_PER_MS);
	outage->next_ns = time_window_next(window, outage->next_ns + 1 - outage->origin_ns);
	if (outage->next_ns != INT64_MAX)
		outage->next_ns += outage->origin_ns;
	schedule(outage);
}

static void start(struct outage *outage, int64_t origin_ns)
{
	outage->began = true;
	outage->origin_ns = origin_ns;
	outage->next_ns = origin_ns + time_window_next(&outage->window, 0);
	schedule(outage);
}

static void update_began(struct injector *injector)
{
	injector->outages_began = true;
	for (size_t i = 0; i < injector->n_outages; i++)
		injector->outages_began = injector->outages_began && injector->outages[i].began;
}

void injector_outages_start(struct injector *injector, int64_t at_ns)
{
	for (size_t i = 0; i < injector->n_outages; i++)
		if (injector->outages[i].window.from == TIME_FROM_START)
			start(&injector->outages[i], at_ns);
	update_began(injector);
}

void injector_outages_note_attempt(struct injector *injector, const struct attempt_info *attempt)
{
	if (injector->outages_began)
		return;
	for (size_t i = 0; i < injector->n_outages; i++) {
		struct outage *outage = &injector->outages[i];

		/* as in tracker_client_started() */
		if (!outage->began && (outage->window.from == TIME_FROM_START ||
				       outage->endpoint == attempt->endpoint))
			start(outage, attempt->started_ns);
	}
	update_began(injector);
}

void injector_outages_note_established(struct injector *injector,
				       const struct attempt_info *attempt)
{
	int64_t now_ns = injector_now_ns(injector);

	for (size_t i = 0; i < injector->n_outages; i++) {
		struct outage *outage = &injector->outages[i];
		struct flow_outage flow_outage;

		if (outage->last_ns == INT64_MIN || !is_at(outage, attempt) ||
		    attempt->started_ns >= outage->last_ns ||
		    !time_window_holds(&outage->window, now_ns - outage->origin_ns))
			continue;
		flow_outage = flow_outage_of(outage);
		flow_table_cut_one(injector->connections, attempt, &flow_outage);
	}
}

int injector_command_outage(struct injector *injector, uint32_t endpoint, int64_t lasts_ns,
			    int64_t *ret_at_ns, size_t *ret_n_ended)
{
	size_t n_ended = 0;
	bool found = false;
	int64_t at_ns;

	/* SYNs that have come in by now are not part of it. */
	if (injector->queue)
		(void)injector_read_queue(injector);
	at_ns = injector_now_ns(injector);
	for (size_t i = 0; i < injector->n_outages; i++) {
		struct outage *outage = &injector->outages[i];

		if (outage->endpoint != endpoint || outage->window.from != TIME_FROM_COMMAND)
			continue;
		if (!found)
			tracker_command(injector->tracker, endpoint, at_ns, lasts_ns);
		found = true;
		outage->window = time_window_commanded(&outage->scripted, lasts_ns);
		outage->origin_ns = at_ns;
		outage->next_ns = at_ns + outage->window.from_ns;
		if (outage->window.from_ns > 0) {
			schedule(outage);
			continue;
		}
		n_ended += begin(outage);
		outage->next_ns = INT64_MAX;
	}
	if (!found)
		return -ENOENT;
	*ret_at_ns = at_ns;
	*ret_n_ended = n_ended;
	return 0;
}

bool injector_outages_follow(const struct injector *injector, uint32_t endpoint,
			     const struct step *step)
{
	for (size_t i = 0; step_connects(step) && i < injector->n_outages; i++)
		if (injector->outages[i].endpoint == endpoint &&
		    injector->outages[i].list == step->list)
			return true;
	return false;
}

static void add(struct injector *injector, uint32_t endpoint, uint32_t index,
		const struct step *step)
{
	injector->outages[injector->n_outages++] = (struct outage){
		.injector = injector,
		.endpoint = endpoint,
		.number = index + 1,
		.list = step->list,
		.family = step->when.family,
		.ending = step->ending,
		.scripted = step->when.window,
		.window = step->when.window,
		.began = step->when.window.from == TIME_FROM_COMMAND,
		.next_ns = INT64_MAX,
		.last_ns = INT64_MIN,
	};
}

void injector_outages_init(struct injector *injector, const struct injector_config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_endpoints; i++)
		for (size_t k = 0; k < config->endpoints[i].script->n_steps; k++)
			n += config->endpoints[i].script->steps[k].ending != STEP_ENDS_NONE;
	injector->outages_began = n == 0;
	if (n == 0)
		return;
	injector->outages = xzalloc(n * sizeof(*injector->outages));
	for (size_t i = 0; i < config->n_endpoints; i++) {
		const struct script *script = config->endpoints[i].script;

		for (size_t k = 0; k < script->n_steps; k++)
			if (script->steps[k].ending)
				add(injector, (uint32_t)i, (uint32_t)k, &script->steps[k]);
	}
	for (size_t i = 0; i < n; i++) {
		injector->outages[i].timer =
			ALLOCATED(evtimer_new(injector->config.base, due, &injector->outages[i]));
	}
}

void injector_outages_stop(struct injector *injector)
{
	for (size_t i = 0; i < injector->n_outages; i++)
		event_del(injector->outages[i].timer);
}

void injector_outages_deinit(struct injector *injector)
{
	for (size_t i = 0; i < injector->n_outages; i++)
		event_free(injector->outages[i].timer);
	free(injector->outages);
}
