/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the parts together: packets from the queue are parsed and given to the tracker, its verdicts
 * go back at once or after a time, and all of it is reported as events.
 *
 * Theory of operation
 * -------------------
 * Each packet gets one verdict. A verdict that is due is given to the queue, which gathers those of
 * packets that were read together, and noted as `untold`. When the queue has handed them over
 * (told()), the events are reported with the time at which that happened. A verdict that is not due
 * waits in a struct held, which owns a timer.
 *
 * The queue is always read before the notices of deaths: a socket dies after its packets were
 * queued, but the kernel reports the death from a work queue of its own, and the two sockets can
 * become readable in either order.
 */
#include "injector/injector.h"

#include <errno.h>
#include <time.h>

#include "common/duration.h"
#include "injector/fwmark.h"
#include "injector/injector_impl.h"
#include "injector/packet.h"

/* "SYNF": unlikely to be used by anybody else. */
#define DEFAULT_REFUSE_MARK UINT32_C(0x53594e46)

/* At the end, how often to go on reading packets that don't stop coming in (1 ms each). */
#define FINISH_TURNS 1000
/* How often to wait a millisecond for packets that are counted, and not read yet. */
#define COUNT_TURNS 50

/* A held SYN's timer is set so much early, and the rest is spent looking at the clock. */
#define SPIN_NS (60 * NS_PER_US)

/* A verdict that was given, or what else was done to a packet, and not reported yet. */
struct untold {
	enum injector_event_kind kind; /* VERDICT, ESTABLISHED or FAULT */
	struct attempt_info attempt;   /* ESTABLISHED, FAULT */
	uint32_t attempt_id;           /* VERDICT */
	uint32_t syn_ordinal;
	struct verdict verdict;
	int64_t due_ns;
	enum fault_kind fault; /* FAULT */
	uint64_t bytes;
};

/* A SYN whose verdict is not due yet. */
struct held {
	LIST_ENTRY(held) entry;
	struct injector *injector;
	struct event *timer;
	uint32_t packet_id;
	/* What goes on instead of the packet: dropped already (reinject.h), or still held. */
	uint8_t *copy; /* NULL: the packet as it is */
	size_t copy_length;
	bool dropped;
	struct untold untold; /* what is to be done, and reported then */
};

void injector_report(struct injector *injector, enum problem problem, bool fatal,
		     const char *format, ...)
{
	AUTO_FREE char *message = NULL;
	va_list arguments;

	if (injector->reported[problem])
		return;
	injector->reported[problem] = true;
	va_start(arguments, format);
	message = xvasprintf(format, arguments);
	va_end(arguments);
	injector->on_problem(injector->userdata, fatal, message);
}

int64_t injector_now_ns(const struct injector *injector)
{
	return injector->kernel.now_ns(injector->kernel.context);
}

/* The queue can't be used any more. */
static void report_dead(struct injector *injector, int r)
{
	injector_report(injector, PROBLEM_QUEUE_DEAD, true, "the netfilter queue failed: %s",
			strerror(-r));
	if (injector->queue_event)
		event_del(injector->queue_event);
}

static void note_lag(struct injector *injector, int64_t lag_ns)
{
	injector->max_lag_ns = MAX(injector->max_lag_ns, lag_ns);
}

/* An attempt that was as given is decided now, or closed. */
static void settle(struct injector *injector, const struct attempt_info *before)
{
	if (before->state == ATTEMPT_WAITING && !before->closed)
		injector->n_waiting--;
}

static void tell_verdict(struct injector *injector, const struct untold *untold,
			 struct injector_event *event, int64_t done_ns)
{
	event->syn_ordinal = untold->syn_ordinal;
	event->verdict = untold->verdict.kind;
	event->lag_ns = MAX(done_ns - untold->due_ns, 0);
	note_lag(injector, event->lag_ns);
	event->attempt = tracker_attempt(injector->tracker, untold->attempt_id);
	if (untold->verdict.kind == VERDICT_REFUSE || untold->verdict.kind == VERDICT_UNREACHABLE) {
		injector->n_refused++;
		settle(injector, &event->attempt);
		(void)tracker_refused(injector->tracker, untold->attempt_id, &event->attempt);
		if (!injector->watch)
			return;
		/* An ICMP message need not end the attempt. */
		if (untold->verdict.kind == VERDICT_REFUSE)
			socket_watch_forget(injector->watch, untold->attempt_id);
		else
			socket_watch_answered(injector->watch, untold->attempt_id);
	}
}

/* What was given to the kernel has happened: see queue_told_fn. */
static void told(void *userdata, int64_t handed_ns, int64_t done_ns)
{
	struct injector *injector = userdata;
	size_t n = injector->n_untold;

	for (size_t i = 0; i < n; i++) {
		const struct untold *untold = &injector->untold[i];
		struct injector_event event = {
			.kind = untold->kind,
			.earliest_ns = handed_ns,
			.at_ns = handed_ns,
		};

		if (untold->kind == INJECTOR_VERDICT)
			tell_verdict(injector, untold, &event, done_ns);
		else
			event.attempt = untold->attempt;
		if (untold->kind == INJECTOR_FAULT) {
			event.fault = untold->fault;
			event.bytes = untold->bytes;
		}
		injector->on_event(injector->userdata, &event);
		if (untold->kind == INJECTOR_FAULT && untold->fault == FAULT_STALLED)
			injector_sockets_stalled(injector, event.attempt.id);
	}
	injector->n_untold = 0;
}

static void note_untold(struct injector *injector, const struct untold *untold)
{
	array_append(injector->untold, injector->n_untold, injector->untold_capacity, *untold);
}

/* Gives a verdict now; @untold is what there will be to report of it, or NULL. */
static void give(struct injector *injector, uint32_t packet_id,
		 const struct packet_verdict *verdict, const struct untold *untold)
{
	int64_t handed_ns = 0;
	int r;

	if (untold)
		note_untold(injector, untold);
	if (!injector->queue)
		handed_ns = injector_now_ns(injector);
	r = injector->kernel.set_verdict(injector->kernel.context, packet_id, verdict);
	if (r < 0) {
		injector->n_untold = 0;
		report_dead(injector, r);
		return;
	}
	/* the queue says so itself, when it has told the kernel */
	if (!injector->queue)
		told(injector, handed_ns, injector_now_ns(injector));
}

static void give_kind(struct injector *injector, uint32_t packet_id, enum verdict_kind kind,
		      const struct untold *untold)
{
	give(injector, packet_id, &(struct packet_verdict){.kind = kind}, untold);
}

/* A packet that goes on in the place of another; data NULL: that one goes on as it is. */
struct change {
	uint8_t *data; /* owned */
	size_t length;
};

/* Gives the verdict on a SYN. */
static void answer(struct injector *injector, uint32_t packet_id, const struct untold *untold,
		   const struct change *change)
{
	struct packet_verdict verdict = {
		.kind = untold->verdict.kind,
		.unreachable = untold->verdict.unreachable,
	};

	if (verdict.kind == VERDICT_ACCEPT) {
		verdict.data = change->data;
		verdict.length = change->length;
	}
	give(injector, packet_id, &verdict, untold);
}

static bool read_queue(struct injector *injector);

static void held_free(struct held *held)
{
	LIST_REMOVE(held, entry);
	event_free(held->timer);
	free(held->copy);
	free(held);
}

/* The mark that leads a copy past the queue, to what was decided for it. */
static uint32_t copy_mark(const struct injector *injector, const struct verdict *verdict)
{
	switch (verdict->kind) {
	case VERDICT_REFUSE:
		return injector->refuse_mark;
	case VERDICT_UNREACHABLE:
		return fwmark_unreachable(injector->refuse_mark, verdict->unreachable);
	default:
		return fwmark_pass(injector->refuse_mark);
	}
}

/* Sends the copy of a SYN that was held. */
static void send_copy(struct injector *injector, const struct held *held)
{
	int64_t handed_ns = clock_monotonic_ns();
	int r = held->untold.verdict.kind == VERDICT_DROP
			? 0
			: reinject_send(injector->reinject, held->copy, held->copy_length,
					copy_mark(injector, &held->untold.verdict));

	if (r < 0) {
		injector_report(injector, PROBLEM_REINJECT, false,
				"a SYN that was held could not be sent on: %s", strerror(-r));
		return;
	}
	array_append(injector->untold, injector->n_untold, injector->untold_capacity, held->untold);
	told(injector, handed_ns, clock_monotonic_ns());
}

static void held_schedule(struct held *held)
{
	struct injector *injector = held->injector;
	int64_t left_ns = held->untold.due_ns - injector_now_ns(injector);
	int64_t sleep_ns = injector->queue ? left_ns - SPIN_NS : left_ns;
	int64_t left_us = sleep_ns > 0 ? (sleep_ns + NS_PER_US - 1) / NS_PER_US : 0;
	struct timeval timeout = {
		.tv_sec = (time_t)(left_us / (NS_PER_S / NS_PER_US)),
		.tv_usec = (suseconds_t)(left_us % (NS_PER_S / NS_PER_US)),
	};

	/*
	 * libevent counts a timeout from the time at which it began to call back; what has been
	 * done since then would make it early. A base that keeps no such time makes this a no-op.
	 */
	(void)event_base_update_cache_time(injector->base);
	event_add(held->timer, &timeout);
}

static void held_due(evutil_socket_t fd, short what, void *userdata)
{
	struct held *held = userdata;
	struct injector *injector = held->injector;
	struct untold untold = held->untold;
	uint32_t packet_id = held->packet_id;
	int64_t left_ns;

	(void)fd;
	(void)what;
	left_ns = untold.due_ns - injector_now_ns(injector);
	if (left_ns > (injector->queue ? SPIN_NS : 0)) {
		held_schedule(held);
		return;
	}
	/* A processor that sleeps needs about that long to wake up. */
	while (injector->queue && clock_monotonic_ns() < untold.due_ns)
		;
	if (held->dropped) {
		send_copy(injector, held);
		held_free(held);
	} else {
		struct change change = {steal_pointer(&held->copy), held->copy_length};

		held_free(held);
		answer(injector, packet_id, &untold, &change);
		free(change.data);
	}
	/* The server's SYN-ACK is in the queue by now: not another turn of the loop for it. */
	if (injector->queue)
		(void)read_queue(injector);
}

/*
 * Drops the packet where what is kept can be sent later: a copy of it, unless another goes in its
 * place.
 */
static void drop_and_keep(struct held *held, const struct queued_packet *queued)
{
	struct injector *injector = held->injector;
	AUTO_FREE uint8_t *copy = NULL;
	size_t length = held->copy ? held->copy_length : queued->length;

	if (!queued->outgoing || !injector->reinject)
		return;
	copy = xmemdup(held->copy ? held->copy : queued->data, length);
	if (reinject_prepare(copy, length) < 0)
		return;
	free(held->copy);
	held->copy = steal_pointer(&copy);
	held->copy_length = length;
	held->dropped = true;
	give_kind(injector, queued->id, VERDICT_DROP, NULL);
}

/* Takes the change. */
static void hold(struct injector *injector, const struct queued_packet *queued,
		 const struct untold *untold, struct change *change)
{
	struct held *held = xzalloc(sizeof(*held));

	held->injector = injector;
	held->packet_id = queued->id;
	held->untold = *untold;
	held->copy = steal_pointer(&change->data);
	held->copy_length = change->length;
	drop_and_keep(held, queued);
	held->timer = evtimer_new(injector->base, held_due, held);
	if (!held->timer)
		out_of_memory();
	LIST_INSERT_HEAD(&injector->held, held, entry);
	held_schedule(held);
}

/* ---- connections ---- */

static void connection_give(void *context, uint32_t packet_id, const struct packet_verdict *verdict,
			    const struct connection_fault *fault)
{
	struct injector *injector = context;
	struct untold untold = {.kind = INJECTOR_FAULT};

	if (fault) {
		if (fault->kind == FAULT_CLOSED)
			tracker_note_server_fin(injector->tracker, fault->attempt, fault->fin);
		untold.attempt = tracker_attempt(injector->tracker, fault->attempt);
		untold.fault = fault->kind;
		untold.bytes = fault->bytes;
	}
	give(injector, packet_id, verdict, fault ? &untold : NULL);
}

static void connection_report(void *context, const struct connection_fault *fault)
{
	struct injector *injector = context;
	int64_t now_ns = injector_now_ns(injector);
	struct injector_event event = {
		.kind = INJECTOR_FAULT,
		.earliest_ns = now_ns,
		.at_ns = now_ns,
		.attempt = tracker_attempt(injector->tracker, fault->attempt),
		.fault = fault->kind,
		.bytes = fault->bytes,
	};

	injector->on_event(injector->userdata, &event);
	if (fault->kind == FAULT_STALLED)
		injector_sockets_stalled(injector, fault->attempt);
}

static void connection_send(void *context, const struct address *to, uint32_t serial)
{
	struct injector *injector = context;
	int r = injector->carrier ? udp_inject_send(injector->carrier, to, serial) : -ENOTCONN;

	if (r < 0)
		injector_report(injector, PROBLEM_CARRIER, false,
				"a connection could not be broken: no packet can be sent: %s",
				strerror(-r));
}

static int connection_went_on(void *context, uint32_t attempt)
{
	const struct injector *injector = context;
	struct attempt_info info = tracker_attempt(injector->tracker, attempt);

	return injector->went_on ? injector->went_on(injector->userdata, &info) : -EOPNOTSUPP;
}

static void connection_too_early(void *context, int error)
{
	struct injector *injector = context;

	injector_report(injector, PROBLEM_TOO_EARLY, false,
			"a connection was reset, and it is not known whether its client had "
			"returned from connect(): %s",
			error ? strerror(-error) : "it did not within 5 seconds");
}

static void connection_need_data(void *context, bool needed)
{
	struct injector *injector = context;
	int r = injector->queue ? queue_copy_all(injector->queue, needed) : 0;

	if (r < 0)
		report_dead(injector, r);
}

static int64_t connection_now_ns(void *context)
{
	struct injector *injector = context;

	return injector_now_ns(injector);
}

/*
 * The packets of an attempt without such a step go as they like, though the client may have used
 * its port before, for a connection that had one.
 */
static int unfollow(struct injector *injector, const struct attempt_info *attempt,
		    struct rules *rules)
{
	uint32_t earlier;

	if (tracker_earlier(injector->tracker, attempt->id, &earlier) < 0 ||
	    flow_handling(tracker_step(injector->tracker, earlier)) == FLOW_UNTOUCHED)
		return 0;
	if (injector->connections)
		flow_table_forget(injector->connections, attempt);
	return rules ? nft_rules_unfollow(rules, &attempt->key.client, &attempt->key.server) : 0;
}

/* An attempt has begun: if its step does something to the connection, its packets have to come. */
static void follow(struct injector *injector, const struct attempt_info *attempt,
		   const struct queued_packet *queued, const struct packet *packet)
{
	const struct step *step = tracker_step(injector->tracker, attempt->id);
	enum flow_handling handling = flow_handling(step);
	struct rules *rules =
		injector->is_remote[attempt->endpoint] ? injector->remote_rules : injector->rules;
	int r = 0;

	if (handling == FLOW_UNTOUCHED)
		r = unfollow(injector, attempt, rules);
	else if (rules)
		r = nft_rules_follow(rules, &attempt->key.client, &attempt->key.server, handling);
	if (r < 0)
		injector_report(injector, PROBLEM_FOLLOW, false, "can't follow a connection: %s",
				strerror(-r));
	if (handling == FLOW_QUEUED)
		flow_table_add(injector->connections, attempt, step, queued, packet);
}

/*
 * Changes a SYN or SYN-ACK where its attempt's step needs that. On a slow line segments are small.
 * A connection that is followed, or whose bytes are counted, is a plain one: what its SYN carries,
 * and what another subflow does, would pass by.
 */
static struct change change_handshake(const struct injector *injector, uint32_t attempt,
				      const struct queued_packet *queued,
				      const struct packet *packet)
{
	const struct step *step = tracker_step(injector->tracker, attempt);
	AUTO_FREE uint8_t *copy = xmemdup(queued->data, queued->length);
	struct packet changed = *packet;
	size_t length = queued->length, plain = 0;
	bool lower;

	if (packet_is_syn(packet) && queued->length >= packet->data_offset &&
	    (injector->want_client_ends || flow_handling(step) != FLOW_UNTOUCHED))
		plain = segment_make_plain(copy, &changed);
	if (plain)
		length = plain;
	lower = step->action == STEP_SLOW &&
		segment_lower_mss(copy, length, &changed, flow_mss(step->bytes));
	if (!plain && !lower)
		return (struct change){0};
	return (struct change){steal_pointer(&copy), length};
}

/*
 * The handshake is complete for the client: what the rules do to the connection from now on, the
 * kernel does by itself.
 */
static void note_established(struct injector *injector, const struct untold *established)
{
	const struct step *step = tracker_step(injector->tracker, established->attempt.id);
	struct untold untold = {.kind = INJECTOR_FAULT, .attempt = established->attempt};

	note_untold(injector, established);
	if (step->action == STEP_HALF_OPEN) {
		untold.fault = FAULT_STALLED;
		note_untold(injector, &untold);
	} else if (flow_handling(step) == FLOW_REJECTED) {
		untold.fault = FAULT_RESET;
		injector->n_rejected++;
		note_untold(injector, &untold);
	}
}

static void take_syn(struct injector *injector, const struct queued_packet *queued,
		     const struct packet *packet, int64_t now_ns)
{
	char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];
	struct tracker_decision decision;
	struct injector_event event;
	struct change change;
	struct untold untold;
	int r = 0;

	/* Another subflow of a connection that there is: not an attempt to connect. */
	if (packet->joins) {
		give_kind(injector, queued->id, VERDICT_ACCEPT, NULL);
		return;
	}
	if (tracker_syn(injector->tracker, packet, queued->arrived_ns, &decision) < 0) {
		injector_report(injector, PROBLEM_UNKNOWN_ENDPOINT, false,
				"dropped a SYN from %s to %s, which is no endpoint",
				address_format(&packet->source, client),
				address_format(&packet->destination, server));
		give_kind(injector, queued->id, VERDICT_DROP, NULL);
		return;
	}
	if (!decision.retransmission) {
		r = injector_sockets_begin(injector, &decision.attempt);
		injector->n_waiting++;
		follow(injector, &decision.attempt, queued, packet);
	}

	event = (struct injector_event){
		.kind = INJECTOR_SYN,
		.earliest_ns = queued->earliest_ns,
		.at_ns = queued->arrived_ns,
		.attempt = decision.attempt,
		.syn_ordinal = decision.attempt.syns,
		.tcp_flags = packet->flags,
		.payload_length = packet->payload_length,
	};
	injector->on_event(injector->userdata, &event);
	if (!decision.retransmission)
		injector_sockets_look(injector, &decision.attempt, r, queued->outgoing);

	untold = (struct untold){
		.kind = INJECTOR_VERDICT,
		.attempt_id = decision.attempt.id,
		.syn_ordinal = decision.attempt.syns,
		.verdict = decision.verdict,
		.due_ns = queued->arrived_ns + decision.verdict.hold_ns,
	};
	change = change_handshake(injector, decision.attempt.id, queued, packet);
	if (untold.due_ns > now_ns)
		hold(injector, queued, &untold, &change);
	else
		answer(injector, queued->id, &untold, &change);
	free(change.data);
}

static void take_established(struct injector *injector, const struct queued_packet *queued,
			     const struct packet *packet, const struct untold *established)
{
	if (!established->attempt.closed) {
		injector->n_waiting--;
		injector->n_connected++;
	}
	if (injector->watch)
		socket_watch_answered(injector->watch, established->attempt.id);
	if (injector->connections)
		flow_table_answered(injector->connections, &established->attempt, queued->data,
				    packet);
	note_established(injector, established);
}

static void take_syn_ack(struct injector *injector, const struct queued_packet *queued,
			 const struct packet *packet)
{
	struct untold untold = {.kind = INJECTOR_ESTABLISHED};
	struct packet_verdict verdict = {.kind = VERDICT_ACCEPT};
	struct change change = {0};
	uint32_t id;
	int r;

	/* The client's kernel answers it with RST: nothing was established. */
	if (tracker_find_answered(injector->tracker, packet, &id) == 0 &&
	    injector_sockets_is_late(injector, id)) {
		give_kind(injector, queued->id, VERDICT_ACCEPT, NULL);
		return;
	}
	r = tracker_syn_ack(injector->tracker, packet, &untold.attempt);
	if (r == -EAGAIN) {
		untold.kind = INJECTOR_FAULT;
		untold.fault = FAULT_SYN_ACK_LOST;
		give_kind(injector, queued->id, VERDICT_DROP, &untold);
		return;
	}
	/* a connection of which nothing gets through any more: this neither */
	if (r == -EALREADY &&
	    tracker_step(injector->tracker, untold.attempt.id)->action == STEP_HALF_OPEN)
		verdict.kind = VERDICT_DROP;
	if (r == 0 || r == -EALREADY)
		change = change_handshake(injector, untold.attempt.id, queued, packet);
	verdict.data = change.data;
	verdict.length = change.length;
	/* Repeated ones, and those of connections older than our rules, pass all the same. */
	if (r == 0)
		take_established(injector, queued, packet, &untold);
	give(injector, queued->id, &verdict, NULL);
	free(change.data);
}

/* Whether it is a FIN or RST, of which some come from connections that are not followed. */
static bool is_end(const struct injector *injector, const struct packet *packet)
{
	return packet->flags & (TCP_FLAG_FIN | TCP_FLAG_RST) && !(packet->flags & TCP_FLAG_SYN) &&
	       (injector->connections || injector->want_client_ends);
}

void injector_packet(struct injector *injector, const struct queued_packet *queued)
{
	int64_t now_ns = injector_now_ns(injector);
	struct packet packet;
	uint32_t serial;
	enum packet_error error = packet_parse(queued->data, queued->length, &packet);

	note_lag(injector, now_ns - queued->arrived_ns);
	if (injector->carrier &&
	    udp_inject_match(injector->carrier, queued->data, queued->length, &serial)) {
		flow_table_udp_inject(injector->connections, queued->id, serial);
		return;
	}
	/* the kernel takes no notice of malformed options either */
	if (error != PACKET_OK && error != PACKET_TCP_OPTION) {
		injector_report(injector, PROBLEM_MALFORMED, false,
				"dropped a malformed packet: %s", packet_error_text(error));
		give_kind(injector, queued->id, VERDICT_DROP, NULL);
	} else if (packet_is_syn(&packet)) {
		take_syn(injector, queued, &packet, now_ns);
	} else if (packet_is_syn_ack(&packet)) {
		take_syn_ack(injector, queued, &packet);
	} else if (injector->connections || is_end(injector, &packet)) {
		if (is_end(injector, &packet))
			injector_sockets_end(injector, queued, &packet);
		/* those of a connection that had the same port before are as they are */
		if (!injector->connections ||
		    !flow_table_packet(injector->connections, queued, &packet))
			give_kind(injector, queued->id, VERDICT_ACCEPT, NULL);
	} else {
		injector_report(
			injector, PROBLEM_UNEXPECTED, false,
			"dropped a packet that is neither SYN nor SYN-ACK (TCP flags 0x%02x)",
			packet.flags);
		give_kind(injector, queued->id, VERDICT_DROP, NULL);
	}
}

static void on_packet(void *userdata, const struct queued_packet *packet)
{
	injector_packet(userdata, packet);
}

static void on_death(void *userdata, const struct socket_death *death)
{
	injector_death(userdata, death);
}

/* Returns false when there is more to be read. */
static bool read_queue(struct injector *injector)
{
	int r;

	if (injector->reported[PROBLEM_QUEUE_DEAD])
		return true;
	r = queue_dispatch(injector->queue);
	if (r == -ENOBUFS)
		injector_report(injector, PROBLEM_OVERRUN, false,
				"packets were lost: they came in faster than they could be read");
	else if (r < 0)
		report_dead(injector, r);
	return r <= 0;
}

static void read_deaths(struct injector *injector)
{
	int r;

	if (!injector->deaths || injector->reported[PROBLEM_DEATHS_DEAD])
		return;
	r = sock_diag_monitor_dispatch(injector->deaths);
	if (r == -ENOBUFS) {
		injector_report(
			injector, PROBLEM_DEATHS_LOST, false,
			"notices of closed sockets were lost: they came in faster than they could "
			"be "
			"read");
	} else if (r < 0) {
		injector_report(injector, PROBLEM_DEATHS_DEAD, true,
				"can't watch for closed sockets any more: %s", strerror(-r));
		event_del(injector->deaths_event);
	}
}

static void queue_readable(evutil_socket_t fd, short what, void *userdata)
{
	(void)fd;
	(void)what;
	(void)read_queue(userdata);
}

static void deaths_readable(evutil_socket_t fd, short what, void *userdata)
{
	(void)fd;
	(void)what;
	/* else the loop comes back, and finds this descriptor readable still */
	if (read_queue(userdata))
		read_deaths(userdata);
}

static int real_set_verdict(void *context, uint32_t packet_id, const struct packet_verdict *verdict)
{
	const struct injector *injector = context;

	return queue_set_verdict(injector->queue, packet_id, verdict);
}

static int64_t real_now_ns(void *context)
{
	(void)context;
	return clock_monotonic_ns();
}

static uint32_t refuse_mark(const struct injector_config *config)
{
	return config->refuse_mark ? config->refuse_mark : DEFAULT_REFUSE_MARK;
}

/* The kinds of ICMP answers that the scripts ask for, as bits. */
static uint32_t unreachables(const struct injector_config *config)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < config->n_endpoints; i++) {
		const struct script *script = config->endpoints[i].script;

		for (size_t k = 0; k < script->n_steps; k++)
			if (script->steps[k].action == STEP_UNREACHABLE ||
			    script->steps[k].then_unreachable)
				kinds |= 1U << script->steps[k].unreachable;
	}
	return kinds;
}

/* What the scripts do to connections. */
struct connection_needs {
	bool follows, follows_remote; /* of endpoints of our own, and of others' */
	bool cuts;         /* packets may have to be changed: all of their data is needed */
	bool segments;     /* … or held: one by one, not as the network card gets them */
	bool cut_segments; /* … or changed so */
};

static void add_needs(struct connection_needs *needs, const struct step *step, bool remote)
{
	if (flow_handling(step) == FLOW_UNTOUCHED)
		return;
	if (remote)
		needs->follows_remote = true;
	else
		needs->follows = true;
	if (step->action == STEP_SLOW) {
		needs->segments = true;
		/* those to another host are sent again (connections.h) */
		needs->cuts = needs->cuts || remote;
	} else if (step->after == AFTER_BYTES) {
		needs->cuts = true;
		/* what the network card would make segments of can't be made shorter than one */
		needs->cut_segments = needs->cut_segments || (remote && step->to_server);
	}
}

static struct connection_needs connection_needs(const struct injector_config *config)
{
	struct connection_needs needs = {0};

	for (size_t i = 0; i < config->n_endpoints; i++) {
		const struct script *script = config->endpoints[i].script;

		for (size_t k = 0; k < script->n_steps; k++)
			add_needs(&needs, &script->steps[k], config->endpoints[i].remote);
	}
	return needs;
}

static bool follows_any(const struct injector_config *config)
{
	const struct connection_needs needs = connection_needs(config);

	return needs.follows || needs.follows_remote;
}

/* The addresses of all endpoints that are remote, or of all that are not; owned by the caller. */
static struct address *collect_addresses(const struct injector_config *config, bool remote,
					 size_t *ret_n)
{
	struct address *addresses = NULL;
	size_t n = 0, capacity = 0;

	for (size_t i = 0; i < config->n_endpoints; i++) {
		const struct tracker_endpoint *endpoint = &config->endpoints[i];

		for (size_t k = 0; endpoint->remote == remote && k < endpoint->n_addresses; k++)
			array_append(addresses, n, capacity, endpoint->addresses[k]);
	}
	*ret_n = n;
	return addresses;
}

/* Held SYNs to other hosts are sent again where that is permitted. */
static int install_remote_rules(struct injector *injector, struct nft_rules_config *rules,
				const struct injector_config *config, struct diag_list *diags)
{
	AUTO_FREE struct address *addresses = collect_addresses(config, true, &rules->n_endpoints);

	rules->table = config->remote_table;
	rules->endpoints = addresses;
	rules->networks = NULL;
	rules->owned = false;
	rules->follows = connection_needs(config).follows_remote;
	rules->ends = config->want_client_ends;
	rules->repeats = false;
	rules->outgoing = true;
	(void)reinject_open(&injector->reinject);
	return nft_rules_install(rules, diags, &injector->remote_rules);
}

/* And nothing else: see nft_rules_config.repeats. */
static bool has_own_table(const struct injector_config *config)
{
	return !config->networks && !config->remote_table;
}

static int install_rules(struct injector *injector, const struct injector_config *config,
			 struct diag_list *diags)
{
	size_t n;
	AUTO_FREE struct address *addresses = collect_addresses(config, false, &n);
	struct nft_rules_config rules = {
		.table = config->table,
		.queue_number = config->queue_number,
		.refuse_mark = refuse_mark(config),
		.unreachables = unreachables(config),
		.follows = connection_needs(config).follows,
		.ends = config->want_client_ends,
		.repeats = has_own_table(config),
		.endpoints = addresses,
		.n_endpoints = n,
		.form = config->queue_form,
		.owned = config->shared_namespace,
		.networks = config->networks,
		.part = config->part,
	};
	int r = nft_rules_install(&rules, diags, &injector->rules);

	injector->n_own = n;
	if (!r && config->remote_table)
		r = install_remote_rules(injector, &rules, config, diags);
	return r;
}

/*
 * Whether an attempt can end by its client's giving up, which only the death of its socket tells. A
 * refused one can't, and the kernel's notice costs its client's processor as much as a third of a
 * refused connection: a script of nothing but refuse does without.
 */
static bool needs_deaths(const struct injector_config *config)
{
	if (config->want_sockets)
		return true;
	for (size_t i = 0; i < config->n_endpoints; i++)
		for (size_t k = 0; k < config->endpoints[i].script->n_steps; k++)
			if (config->endpoints[i].script->steps[k].action != STEP_REFUSE)
				return true;
	return false;
}

static int watch_deaths(struct injector *injector, const struct injector_config *config,
			struct diag_list *diags)
{
	/* Remote endpoints are in no network of ours. */
	int r = sock_diag_monitor_open(config->remote_table ? NULL : config->networks, on_death,
				       injector, diags, &injector->deaths);

	if (r < 0)
		return r;
	injector->deaths_event = event_new(injector->base, sock_diag_monitor_fd(injector->deaths),
					   EV_READ | EV_PERSIST, deaths_readable, injector);
	if (!injector->deaths_event)
		out_of_memory();
	return event_add(injector->deaths_event, NULL) < 0 ? -EIO : 0;
}

/* The rules come last: nothing is queued before somebody reads. */
static int open_all(struct injector *injector, const struct injector_config *config,
		    struct diag_list *diags)
{
	const struct connection_needs needs = connection_needs(config);
	int r = follows_any(config)
			? udp_inject_new(fwmark_udp_inject(refuse_mark(config)), &injector->carrier)
			: 0;

	if (r < 0) {
		diag_add(diags, NULL, "can't send packets of our own: %s", strerror(-r));
		return r;
	}

	r = queue_open(
		&(struct queue_config){
			.number = config->queue_number,
			.length = config->queue_length,
			.refuse_mark = refuse_mark(config),
			.repeats = has_own_table(config),
			.whole_packets = needs.cuts,
			.single_segments = needs.segments,
			.whole_segments = needs.cut_segments,
			.on_packet = on_packet,
			.on_told = told,
			.userdata = injector,
		},
		diags, &injector->queue);
	if (r < 0)
		return r;
	injector->queue_event = event_new(injector->base, queue_fd(injector->queue),
					  EV_READ | EV_PERSIST, queue_readable, injector);
	if (!injector->queue_event)
		out_of_memory();
	r = needs_deaths(config) ? watch_deaths(injector, config, diags) : 0;
	if (r < 0 && r != -EIO)
		return r;
	if (r < 0 || event_add(injector->queue_event, NULL) < 0) {
		diag_add(diags, NULL, "can't wait for packets: the event loop takes no descriptor");
		return -EIO;
	}
	return install_rules(injector, config, diags);
}

int injector_new(const struct injector_config *config, struct diag_list *diags,
		 struct injector **ret)
{
	struct injector *injector = xzalloc(sizeof(*injector));

	injector->base = config->base;
	injector->refuse_mark = refuse_mark(config);
	injector->on_event = config->on_event;
	injector->on_problem = config->on_problem;
	injector->userdata = config->userdata;
	injector->went_on = config->went_on;
	injector->want_client_ends = config->want_client_ends;
	injector->tracker = tracker_new(config->endpoints, config->n_endpoints, config->seed);
	if (config->kernel)
		injector->kernel = *config->kernel;
	injector_sockets_init(injector, config);
	LIST_INIT(&injector->held);
	injector->is_remote = xzalloc((config->n_endpoints + 1) * sizeof(bool));
	for (size_t i = 0; i < config->n_endpoints; i++)
		injector->is_remote[i] = config->endpoints[i].remote;
	if (follows_any(config))
		injector->connections =
			flow_table_new(config->base, &(struct flow_table_host){
							     .give = connection_give,
							     .report = connection_report,
							     .send = connection_send,
							     .need_data = connection_need_data,
							     .went_on = connection_went_on,
							     .too_early = connection_too_early,
							     .now_ns = connection_now_ns,
							     .context = injector,
						     });
	if (!config->kernel) {
		int r;

		injector->kernel.set_verdict = real_set_verdict;
		injector->kernel.now_ns = real_now_ns;
		injector->kernel.context = injector;
		r = open_all(injector, config, diags);
		if (r < 0) {
			injector_free(injector);
			return r;
		}
	}
	*ret = injector;
	return 0;
}

void injector_client_started(struct injector *injector, int64_t at_ns)
{
	tracker_client_started(injector->tracker, at_ns);
}

bool injector_reinjects(const struct injector *injector)
{
	return injector->reinject != NULL;
}

size_t injector_n_waiting(const struct injector *injector)
{
	return injector->n_waiting;
}

size_t injector_n_connected(const struct injector *injector)
{
	return injector->n_connected;
}

const struct tracker *injector_tracker(const struct injector *injector)
{
	return injector->tracker;
}

int64_t injector_max_lag_ns(const struct injector *injector)
{
	return injector->max_lag_ns;
}

/* SYNs that are still held are dropped, which is no event: nobody asked for it. */
static void drop_held(struct injector *injector)
{
	while (!LIST_EMPTY(&injector->held)) {
		struct held *held = LIST_FIRST(&injector->held);

		if (!held->dropped)
			(void)injector->kernel.set_verdict(injector->kernel.context,
							   held->packet_id,
							   &(struct packet_verdict){VERDICT_DROP});
		held_free(held);
	}
}

static void compare_losses(struct injector *injector)
{
	struct queue_losses losses;
	int r = queue_losses(injector->queue, &losses);

	if (r < 0)
		injector_report(injector, PROBLEM_LOSSES_UNREADABLE, false,
				"can't tell whether packets were lost: %s", strerror(-r));
	else if (losses.queue_dropped || losses.user_dropped || losses.overruns ||
		 losses.failed_verdicts)
		injector_report(
			injector, PROBLEM_LOSSES, false,
			"packets were lost: %llu because the queue was full, %llu because its "
			"socket "
			"was full (%llu overruns); %llu verdicts were not taken",
			(unsigned long long)losses.queue_dropped,
			(unsigned long long)losses.user_dropped,
			(unsigned long long)losses.overruns,
			(unsigned long long)losses.failed_verdicts);
}

/* Both sets of rules together. */
static int count(struct injector *injector, int (*count_one)(struct rules *rules, uint64_t *ret),
		 uint64_t *ret)
{
	uint64_t own = 0, remote = 0;
	int r = injector->n_own ? count_one(injector->rules, &own) : 0;

	if (!r && injector->remote_rules)
		r = count_one(injector->remote_rules, &remote);
	if (!r)
		*ret = own + remote;
	return r;
}

/*
 * Every packet that the rules sent to the queue has been read. This sees all losses between the
 * two, also where the kernel's own counters can't be read (the file in /proc is root's alone).
 */
static void compare_queued(struct injector *injector)
{
	const struct timespec moment = {.tv_nsec = NS_PER_MS};
	uint64_t counted = 0, n_read = 0;

	for (int turn = 0; turn < COUNT_TURNS; turn++) {
		/* counted first: what comes in between the two is no loss */
		if (count(injector, nft_rules_count_queued, &counted) < 0)
			return; /* compare_refused() says why */
		(void)read_queue(injector);
		n_read = queue_n_packets(injector->queue);
		if (n_read >= counted)
			return;
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
	}
	injector_report(
		injector, PROBLEM_LOSSES, false,
		"packets were lost: %llu were sent to the queue, and %llu were read from it",
		(unsigned long long)counted, (unsigned long long)n_read);
}

static void compare_refused(struct injector *injector)
{
	uint64_t counted = 0;
	int r = count(injector, nft_rules_count_refused, &counted);

	if (r < 0)
		injector_report(injector, PROBLEM_REFUSED_COUNT, false,
				"can't tell whether all refused SYNs were answered: %s",
				r == -ENOENT ? "the firewall rules are gone" : strerror(-r));
	else if (counted != injector->n_refused)
		injector_report(
			injector, PROBLEM_REFUSED_COUNT, false,
			"%llu SYNs were to be refused, but the kernel answered %llu with RST or "
			"ICMP",
			(unsigned long long)injector->n_refused, (unsigned long long)counted);
}

/* A SYN that did not come to the queue is in no count. */
static void verify_rules(struct injector *injector)
{
	int r = injector->n_own ? nft_rules_verify(injector->rules) : 0;

	if (!r && injector->remote_rules)
		r = nft_rules_verify(injector->remote_rules);
	if (r < 0)
		injector_report(
			injector, PROBLEM_RULES, false, "can't tell whether all SYNs were seen: %s",
			r == -ENOENT ? "some of the firewall rules are gone" : strerror(-r));
}

/* More may have been: each of a connection's packets is answered. */
static void compare_rejected(struct injector *injector)
{
	uint64_t counted = 0;
	int r = count(injector, nft_rules_count_rejected, &counted);

	if (r < 0 || counted < injector->n_rejected)
		injector_report(
			injector, PROBLEM_REJECTED_COUNT, false,
			"%llu connections were to be reset, but the kernel answered %llu packets "
			"with RST",
			(unsigned long long)injector->n_rejected, (unsigned long long)counted);
}

/* All that is in the sockets, as far as it does not come in faster than it is read. */
static void read_all(struct injector *injector)
{
	for (int turn = 0; turn < FINISH_TURNS && !read_queue(injector); turn++)
		;
	read_deaths(injector);
}

void injector_finish(struct injector *injector)
{
	if (injector->queue) {
		read_all(injector);
		event_del(injector->queue_event);
		if (injector->deaths_event)
			event_del(injector->deaths_event);
	}
	injector_sockets_finish(injector);
	drop_held(injector);
	if (injector->connections)
		flow_table_drop_held(injector->connections);
	if (injector->queue) {
		/* what was not taken of the verdicts just given */
		(void)read_queue(injector);
		compare_losses(injector);
		compare_queued(injector);
		compare_refused(injector);
		verify_rules(injector);
		if (injector->n_rejected > 0)
			compare_rejected(injector);
	}
}

void injector_free(struct injector *injector)
{
	if (!injector)
		return;
	/* the rules first: no SYN is to be lost between */
	nft_rules_free(injector->rules);
	nft_rules_free(injector->remote_rules);
	injector->rules = injector->remote_rules = NULL;
	injector_leave(injector);
}

void injector_leave(struct injector *injector)
{
	if (!injector)
		return;
	while (!LIST_EMPTY(&injector->held))
		held_free(LIST_FIRST(&injector->held));
	if (injector->queue_event)
		event_free(injector->queue_event);
	if (injector->deaths_event)
		event_free(injector->deaths_event);
	nft_rules_leave(injector->rules);
	nft_rules_leave(injector->remote_rules);
	reinject_free(injector->reinject);
	queue_free(injector->queue);
	sock_diag_monitor_free(injector->deaths);
	flow_table_free(injector->connections);
	udp_inject_free(injector->carrier);
	injector_sockets_deinit(injector);
	tracker_free(injector->tracker);
	free(injector->untold);
	free(injector->is_remote);
	free(injector);
}
