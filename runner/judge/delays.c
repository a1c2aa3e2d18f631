/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See delays.h. */
#include "runner/judge/delays.h"

struct delays delays_make(const struct record *record)
{
	struct delays delays = {.known = record->has_starvation};
	size_t n_incomplete = 0;
	int64_t jumped_ns = 0;

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];

		if (event->kind != EVENT_STARVATION)
			continue;
		n_incomplete += event->u.starvation.incomplete;
		/* The canary shows what schedstat does not: a frozen cgroup, steal, SIGSTOP. */
		array_append(delays.looks, delays.n_looks, delays.capacity,
			     (struct delay_look){
				     .earliest_ns = event_earliest_ns(event),
				     .at_ns = event->at_ns,
				     .client_ns = event->u.starvation.client_ns +
						  event->u.starvation.canary_ns,
				     .server_ns = event->u.starvation.server_ns +
						  event->u.starvation.canary_ns,
				     .n_incomplete = n_incomplete,
			     });
	}
	/* Each value bounds the delays until its look; a later look can lower the bound. */
	for (size_t i = delays.n_looks; i > 1; i--) {
		struct delay_look *earlier = &delays.looks[i - 2], *later = &delays.looks[i - 1];

		earlier->client_ns = MIN(earlier->client_ns, later->client_ns);
		earlier->server_ns = MIN(earlier->server_ns, later->server_ns);
	}
	for (size_t i = 0; i < record->n_jumps; i++) {
		struct delay_jump jump = {
			.at_ns = record->jumps[i].at_ns,
			.by_ns = record->jumps[i].by_ns,
			.before_ns = jumped_ns,
		};

		array_append(delays.jumps, delays.n_jumps, delays.jumps_capacity, jump);
		jumped_ns += jump.by_ns;
	}
	/* Without looks only the total is bounded. */
	if (!record->has_starvation && record->client_lag_ns > 0 && record->n_events > 0)
		array_append(delays.looks, delays.n_looks, delays.capacity,
			     (struct delay_look){
				     .earliest_ns = record->events[record->n_events - 1].at_ns,
				     .at_ns = record->events[record->n_events - 1].at_ns,
				     .client_ns = record->client_lag_ns,
				     .server_ns = record->client_lag_ns,
			     });
	return delays;
}

void delays_free(struct delays *delays)
{
	free(delays->looks);
	free(delays->jumps);
	*delays = (struct delays){0};
}

/* Counts the looks that had ended by @at_ns. */
static size_t looks_until(const struct delays *delays, int64_t at_ns)
{
	return BISECT(delays->n_looks, i, delays->looks[i].at_ns > at_ns);
}

/*
 * Finds the last look before a span of time, and the first after it. A look that found nothing new
 * may be missing from the record, so before the first look and after the last nothing happened.
 */
static bool looks_around(const struct delays *delays, int64_t from_ns, int64_t to_ns,
			 struct delay_look *ret_before, struct delay_look *ret_after)
{
	size_t before = looks_until(delays, from_ns), after = looks_until(delays, to_ns);

	if (delays->n_looks == 0)
		return false;
	/* A look that began and ended exactly at the end of the span is late enough. */
	if (after > 0 && delays->looks[after - 1].earliest_ns >= to_ns)
		after--;
	while (after < delays->n_looks && delays->looks[after].earliest_ns < to_ns)
		after++;
	*ret_before = before > 0 ? delays->looks[before - 1] : (struct delay_look){0};
	*ret_after = delays->looks[MIN(after, delays->n_looks - 1)];
	return true;
}

/* Returns by how much the client's clock had jumped until then. */
static int64_t jumped_until(const struct delays *delays, int64_t at_ns)
{
	const size_t first = BISECT(delays->n_jumps, i, delays->jumps[i].at_ns >= at_ns);
	const struct delay_jump *jump;

	if (first == 0)
		return 0;
	jump = &delays->jumps[first - 1];
	return jump->before_ns + MIN(jump->by_ns, at_ns - jump->at_ns);
}

/* Returns how long a span was by the kernel's clock. */
static int64_t real_length(const struct delays *delays, int64_t from_ns, int64_t to_ns)
{
	return to_ns - from_ns - (jumped_until(delays, to_ns) - jumped_until(delays, from_ns));
}

static int64_t bounded(int64_t grown_ns, int64_t length_ns, bool incomplete)
{
	return incomplete ? length_ns : MIN(MAX(grown_ns, 0), length_ns);
}

int64_t delays_of_client(const struct delays *delays, int64_t from_ns, int64_t to_ns)
{
	struct delay_look before, after;

	if (to_ns <= from_ns || !looks_around(delays, from_ns, to_ns, &before, &after))
		return 0;
	return bounded(after.client_ns - before.client_ns, real_length(delays, from_ns, to_ns),
		       after.n_incomplete > before.n_incomplete);
}

int64_t delays_of_servers(const struct delays *delays, int64_t from_ns, int64_t to_ns)
{
	struct delay_look before, after;

	if (to_ns <= from_ns || !looks_around(delays, from_ns, to_ns, &before, &after))
		return 0;
	return bounded(after.server_ns - before.server_ns, real_length(delays, from_ns, to_ns),
		       after.n_incomplete > before.n_incomplete);
}

/* A client reads the clock from which it counts at most this long before its first attempt. */
#define SETTLING_NS (20 * NS_PER_MS)

int64_t delays_settled_since(const struct delays *delays, int64_t start_ns, int64_t at_ns)
{
	for (size_t i = looks_until(delays, at_ns); i > 0; i--) {
		int64_t since_ns = delays->looks[i - 1].at_ns;

		if (since_ns <= start_ns)
			break;
		if (at_ns - since_ns - delays_of_client(delays, since_ns, at_ns) >= SETTLING_NS)
			return since_ns;
	}
	return start_ns;
}

/* Delays from this long before the other attempt can have held up a close that was due. */
#define BEFORE_LOOK_NS (50 * NS_PER_MS)
/* With no more delay than this, the close was not late. */
#define OVERDUE_CLOSE_NS (20 * NS_PER_MS)

bool delays_allow_look(const struct delays *delays, int64_t from_ns, int64_t closed_ns)
{
	return delays_of_client(delays, from_ns - BEFORE_LOOK_NS, MAX(closed_ns, from_ns)) <=
	       OVERDUE_CLOSE_NS;
}

/* Delays of up to this, the default tolerance, don't change the order of two events. */
#define IN_ORDER_NS (100 * NS_PER_MS)

struct range span_between(const struct delays *delays, struct when from, struct when to,
			  int64_t since_ns, int64_t late_before_ns, int64_t late_inside_ns)
{
	int64_t longer_ns =
		delays_of_client(delays, from.earliest_ns, to.latest_ns) + late_inside_ns;
	int64_t shorter_ns = delays_of_client(delays, since_ns, from.latest_ns) + late_before_ns;

	struct range known = {
		.low = to.earliest_ns - from.latest_ns - longer_ns,
		.high = to.latest_ns - from.earliest_ns + shorter_ns,
	};

	if (to.earliest_ns >= from.latest_ns && known.low >= -IN_ORDER_NS)
		known.low = MAX(known.low, 0);
	return known;
}

enum truth truth_of_range(struct range known, struct range allowed)
{
	if (known.low >= allowed.low && known.high <= allowed.high)
		return TRUTH_MET;
	return known.high < allowed.low || known.low > allowed.high ? TRUTH_BROKEN : TRUTH_UNKNOWN;
}
