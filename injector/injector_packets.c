/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet path: packets from the queue are parsed and given to the tracker, its verdicts go back
 * at once or later, and events report all of it.
 *
 * Theory of operation
 * -------------------
 * Each packet gets one verdict, through the outbox (outbox.h). The outbox knows when the verdict is
 * due, and when it has taken effect; then its events are reported. The tracker decides about SYNs,
 * the flow table about packets of connections that a step breaks or slows. Any other packet is a
 * FIN or RST whose report is wanted, or a problem.
 */
#include <errno.h>
#include <netinet/tcp.h>

#include "common/duration.h"
#include "common/random.h"
#include "injector/fwmark.h"
#include "injector/injector_impl.h"
#include "injector/packet.h"

/* Apart from the draws for an attempt's step (step_select.c). */
#define DRAW_LOSSES UINT64_MAX

static void note_lag(struct injector *injector, int64_t lag_ns)
{
	injector->max_lag_ns = MAX(injector->max_lag_ns, lag_ns);
}

/* Counts an attempt as decided or closed, if it was still waiting in @before. */
static void settle(struct injector *injector, const struct attempt_info *before)
{
	if (before->state == ATTEMPT_WAITING && !before->closed)
		injector->n_waiting--;
}

static void finish_verdict(struct injector *injector, const struct outbox_note *note,
			   struct injector_event *event, int64_t done_ns)
{
	event->net.ordinal = note->syn_ordinal;
	event->net.verdict = note->verdict.kind;
	event->net.lag_ns = MAX(done_ns - note->due_ns, 0);
	note_lag(injector, event->net.lag_ns);
	event->attempt = tracker_attempt(injector->tracker, note->attempt_id);
	if (note->verdict.kind == VERDICT_REFUSE || note->verdict.kind == VERDICT_UNREACHABLE) {
		injector->n_refused++;
		settle(injector, &event->attempt);
		(void)tracker_refused(injector->tracker, note->attempt_id, &event->attempt);
		if (!injector->watch)
			return;
		/* ICMP need not end the attempt. */
		if (note->verdict.kind == VERDICT_REFUSE)
			socket_watch_forget(injector->watch, note->attempt_id);
		else
			socket_watch_answered(injector->watch, note->attempt_id);
	}
}

/* Reports a verdict that has taken effect. */
static void on_done(void *context, const struct outbox_note *note, int64_t handed_ns,
		    int64_t done_ns)
{
	struct injector *injector = context;
	struct injector_event event = {
		.kind = note->kind,
		.earliest_ns = handed_ns,
		.at_ns = done_ns,
	};

	if (note->kind == EVENT_VERDICT)
		finish_verdict(injector, note, &event, done_ns);
	else
		event.attempt = note->attempt;
	if (note->kind == EVENT_FAULT) {
		event.net.fault = note->fault;
		event.net.bytes = note->bytes;
		event.net.outage = note->outage;
	}
	injector->config.on_event(injector->config.userdata, &event);
	if (note->kind == EVENT_FAULT && note->fault == FAULT_STALLED)
		injector_sockets_stalled(injector, event.attempt.id);
}

static void give(struct injector *injector, uint32_t packet_id, enum verdict_kind kind,
		 const struct outbox_note *note)
{
	outbox_give(injector->outbox, packet_id, &(struct packet_verdict){.kind = kind}, note);
}

/* Returns the mark that leads a copy past the queue, to the rule for its verdict. */
static uint32_t copy_mark(const struct injector *injector, const struct verdict *verdict)
{
	switch (verdict->kind) {
	case VERDICT_REFUSE:
		return injector->config.refuse_mark;
	case VERDICT_UNREACHABLE:
		return fwmark_unreachable(injector->config.refuse_mark, verdict->unreachable);
	default:
		return fwmark_pass(injector->config.refuse_mark);
	}
}

static int host_set_verdict(void *context, uint32_t packet_id, const struct packet_verdict *verdict)
{
	const struct injector *injector = context;

	return injector->kernel.set_verdict(injector->kernel.context, packet_id, verdict);
}

static int64_t host_now_ns(void *context)
{
	return injector_now_ns(context);
}

static int host_prepare(void *context, uint8_t *data, size_t length)
{
	const struct injector *injector = context;

	return injector->reinject ? reinject_prepare(data, length) : -EOPNOTSUPP;
}

static int host_send(void *context, const uint8_t *data, size_t length,
		     const struct verdict *verdict)
{
	const struct injector *injector = context;

	return reinject_send(injector->reinject, data, length, copy_mark(injector, verdict));
}

/* By now the server's SYN-ACK is in the queue: read it without another turn of the loop. */
static void host_released(void *context)
{
	struct injector *injector = context;

	if (injector->queue)
		(void)injector_read_queue(injector);
}

static void host_verdict_failed(void *context, int error)
{
	injector_report_dead(context, error);
}

static void host_send_failed(void *context, int error)
{
	injector_report(context, PROBLEM_REINJECT, INJECTOR_LOST,
			"a held SYN could not be sent: %s", strerror(-error));
}

struct outbox *injector_outbox_new(struct injector *injector, bool gathers)
{
	return outbox_new(injector->config.base, gathers,
			  &(struct outbox_host){
				  .set_verdict = host_set_verdict,
				  .now_ns = host_now_ns,
				  .prepare = host_prepare,
				  .send = host_send,
				  .done = on_done,
				  .released = host_released,
				  .verdict_failed = host_verdict_failed,
				  .send_failed = host_send_failed,
				  .context = injector,
			  });
}

/* ---- connections ---- */

static void connection_give(void *context, uint32_t packet_id, const struct packet_verdict *verdict,
			    const struct connection_fault *fault)
{
	struct injector *injector = context;
	struct outbox_note note = {.kind = EVENT_FAULT};

	if (fault) {
		if (fault->kind == FAULT_CLOSED)
			tracker_note_server_fin(injector->tracker, fault->attempt, fault->fin);
		note.attempt = tracker_attempt(injector->tracker, fault->attempt);
		note.fault = fault->kind;
		note.bytes = fault->bytes;
		note.outage = fault->outage;
	}
	outbox_give(injector->outbox, packet_id, verdict, fault ? &note : NULL);
}

static void connection_report(void *context, const struct connection_fault *fault)
{
	struct injector *injector = context;
	int64_t now_ns = injector_now_ns(injector);
	struct injector_event event = {
		.kind = EVENT_FAULT,
		.earliest_ns = now_ns,
		.at_ns = now_ns,
		.attempt = tracker_attempt(injector->tracker, fault->attempt),
		.net = {.fault = fault->kind,
			.outage = fault->outage,
			.bytes = fault->bytes,
			.late_ns = fault->late_ns},
	};

	note_lag(injector, fault->late_ns);
	if (fault->kind == FAULT_HEALED) {
		injector_sockets_healed(injector, fault->attempt);
		event.earliest_ns = event.at_ns = injector_now_ns(injector);
		event.attempt = tracker_attempt(injector->tracker, fault->attempt);
	}
	injector->config.on_event(injector->config.userdata, &event);
	if (fault->kind == FAULT_STALLED)
		injector_sockets_stalled(injector, fault->attempt);
}

static void connection_send(void *context, const struct address *to, uint32_t serial)
{
	struct injector *injector = context;
	int r = injector->carrier ? udp_inject_send(injector->carrier, to, serial) : -ENOTCONN;

	if (r < 0)
		injector_report(injector, PROBLEM_CARRIER, INJECTOR_LOST,
				"a connection could not be broken, since no packet can be sent: %s",
				strerror(-r));
}

static int connection_went_on(void *context, uint32_t attempt)
{
	const struct injector *injector = context;
	struct attempt_info info = tracker_attempt(injector->tracker, attempt);

	return injector->config.went_on ? injector->config.went_on(injector->config.userdata, &info)
					: -EOPNOTSUPP;
}

static void connection_too_early(void *context, int error)
{
	struct injector *injector = context;

	injector_report(injector, PROBLEM_TOO_EARLY, INJECTOR_LOST,
			"a connection was reset, and it is not known whether its client had "
			"returned from connect(): %s",
			error ? strerror(-error) : "it did not within 5 seconds");
}

static void connection_need_data(void *context, bool needed)
{
	struct injector *injector = context;
	int r = injector->queue ? queue_copy_all(injector->queue, needed) : 0;

	if (r < 0)
		injector_report_dead(injector, r);
}

struct flow_table *injector_flow_table_new(struct injector *injector)
{
	return flow_table_new(injector->config.base, &(struct flow_table_host){
							     .give = connection_give,
							     .report = connection_report,
							     .send = connection_send,
							     .need_data = connection_need_data,
							     .went_on = connection_went_on,
							     .too_early = connection_too_early,
							     .now_ns = host_now_ns,
							     .context = injector,
						     });
}

/* Returns how the rules must handle the connection of an attempt. */
static enum flow_handling handling_of(const struct injector *injector, uint32_t attempt)
{
	const struct step *step = tracker_step(injector->tracker, attempt);
	enum flow_handling handling = flow_handling(step);
	uint32_t endpoint = tracker_attempt(injector->tracker, attempt).endpoint;

	if (handling == FLOW_UNTOUCHED && injector->n_outages > 0 &&
	    injector_outages_follow(injector, endpoint, step))
		return FLOW_QUEUED;
	return handling;
}

/*
 * Leaves the packets of an attempt alone, even if the client used its port before for a connection
 * that was followed.
 */
static int unfollow(struct injector *injector, const struct attempt_info *attempt,
		    struct rules *rules)
{
	uint32_t earlier;

	if (tracker_earlier(injector->tracker, attempt->id, &earlier) < 0 ||
	    handling_of(injector, earlier) == FLOW_UNTOUCHED)
		return 0;
	if (injector->connections)
		flow_table_forget(injector->connections, attempt);
	return rules ? nft_rules_unfollow(rules, &attempt->key.client, &attempt->key.server) : 0;
}

/* Starts following a new attempt's connection, if its step breaks or slows it. */
static void follow(struct injector *injector, const struct attempt_info *attempt,
		   const struct queued_packet *queued, const struct packet *packet)
{
	const struct step *step = tracker_step(injector->tracker, attempt->id);
	enum flow_handling handling = handling_of(injector, attempt->id);
	struct rules *rules =
		injector->is_remote[attempt->endpoint] ? injector->remote_rules : injector->rules;
	int r = 0;

	if (handling == FLOW_UNTOUCHED)
		r = unfollow(injector, attempt, rules);
	else if (rules)
		r = nft_rules_follow(rules, &attempt->key.client, &attempt->key.server, handling);
	if (r < 0)
		injector_report(injector, PROBLEM_FOLLOW, INJECTOR_LOST,
				"can't follow a connection: %s", strerror(-r));
	if (handling == FLOW_QUEUED)
		flow_table_add(injector->connections, attempt, step,
			       random_draw(injector->config.seed, attempt->endpoint,
					   attempt->number, DRAW_LOSSES),
			       queued, packet);
}

/*
 * Changes a SYN or SYN-ACK if its attempt's step needs it. On a slow line segments are small. A
 * connection that is followed, or whose bytes are counted, must be plain TCP: data in its SYN, and
 * its other subflows, would bypass us.
 */
static struct outbox_change change_handshake(const struct injector *injector, uint32_t attempt,
					     const struct queued_packet *queued,
					     const struct packet *packet)
{
	const struct step *step = tracker_step(injector->tracker, attempt);
	bool special = packet->multipath || packet->fast_open || packet->payload_length > 0;
	bool plain = packet_is_syn(packet) && special && queued->length >= packet->data_offset &&
		     (injector->config.want_client_ends ||
		      handling_of(injector, attempt) != FLOW_UNTOUCHED);
	AUTO_FREE uint8_t *copy = NULL;
	struct packet changed = *packet;
	size_t length = queued->length;
	bool lowered = false;

	if (!plain && !step_slows(step))
		return (struct outbox_change){0};
	copy = xmemdup(queued->data, queued->length);
	if (plain)
		length = segment_make_plain(copy, &changed);
	if (step_slows(step))
		lowered = segment_lower_mss(copy, length, &changed, flow_mss(step->rate));
	if (!plain && !lowered)
		return (struct outbox_change){0};
	return (struct outbox_change){steal_pointer(&copy), length};
}

/*
 * Reports that the handshake is complete for the client. Also reports the faults that the firewall
 * rules cause from now on without us.
 */
static void note_established(struct injector *injector, const struct outbox_note *established)
{
	const struct step *step = tracker_step(injector->tracker, established->attempt.id);
	struct outbox_note note = {.kind = EVENT_FAULT, .attempt = established->attempt};

	outbox_note(injector->outbox, established);
	if (step->action == STEP_HALF_OPEN) {
		note.fault = FAULT_STALLED;
		outbox_note(injector->outbox, &note);
	} else if (flow_handling(step) == FLOW_REJECTED) {
		note.fault = FAULT_RESET;
		injector->n_rejected++;
		outbox_note(injector->outbox, &note);
	}
}

static void take_syn(struct injector *injector, const struct queued_packet *queued,
		     const struct packet *packet, int64_t now_ns)
{
	char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];
	struct tracker_decision decision;
	struct injector_event event;
	struct outbox_change change;
	struct outbox_note note;
	int r = 0;

	/* A subflow that joins an existing connection is not an attempt. */
	if (packet->joins) {
		give(injector, queued->id, VERDICT_ACCEPT, NULL);
		return;
	}
	if (tracker_syn(injector->tracker, packet, queued->arrived_ns, &decision) < 0) {
		injector_report(injector, PROBLEM_UNKNOWN_ENDPOINT, INJECTOR_LOST,
				"dropped a SYN from %s to %s, which is not an endpoint",
				address_format(&packet->source, client),
				address_format(&packet->destination, server));
		give(injector, queued->id, VERDICT_DROP, NULL);
		return;
	}
	/* A retransmission follows the kernel's clock, and has no answer either. */
	if (queued->overtaken && !decision.retransmission)
		injector->overtaken = true;
	if (!decision.retransmission) {
		r = injector_sockets_begin(injector, &decision.attempt);
		injector->n_waiting++;
		follow(injector, &decision.attempt, queued, packet);
		injector_outages_note_attempt(injector, &decision.attempt);
	}

	if (tracker_pauses(injector->tracker, decision.attempt.id, queued->arrived_ns))
		decision.verdict = (struct verdict){.kind = VERDICT_DROP};

	event = (struct injector_event){
		.kind = EVENT_SYN,
		.earliest_ns = queued->earliest_ns,
		.at_ns = queued->arrived_ns,
		.attempt = decision.attempt,
		.tcp_flags = packet->flags,
		.net = {.ordinal = decision.attempt.syns, .payload_length = packet->payload_length},
	};
	injector->config.on_event(injector->config.userdata, &event);
	if (!decision.retransmission)
		injector_sockets_look(injector, &decision.attempt, r, queued->outgoing);

	note = (struct outbox_note){
		.kind = EVENT_VERDICT,
		.attempt_id = decision.attempt.id,
		.syn_ordinal = decision.attempt.syns,
		.verdict = decision.verdict,
		.due_ns = queued->arrived_ns + decision.verdict.hold_ns,
	};
	change = change_handshake(injector, decision.attempt.id, queued, packet);
	outbox_answer(injector->outbox, queued, &note, &change, now_ns);
}

uint32_t injector_replace(struct injector *injector, uint32_t endpoint, const struct script *script)
{
	injector_look(injector);
	return tracker_replace(injector->tracker, endpoint, script);
}

int injector_hold(struct injector *injector, uint32_t endpoint, uint32_t number, int64_t limit_ns,
		  uint32_t *ret_number)
{
	injector_look(injector);
	return tracker_hold(injector->tracker, endpoint, number, limit_ns, ret_number);
}

int injector_release(struct injector *injector, uint32_t endpoint, uint32_t number,
		     const struct step *verdict, struct attempt_info *ret)
{
	struct verdict decided;
	int r;

	injector_look(injector);
	r = tracker_release(injector->tracker, endpoint, number, verdict, injector_now_ns(injector),
			    ret);
	if (r < 0)
		return r;
	decided = step_decide(tracker_step(injector->tracker, ret->id), 1, 0);
	outbox_release(injector->outbox, ret->id, &decided);
	return 0;
}

static void take_established(struct injector *injector, const struct queued_packet *queued,
			     const struct packet *packet, const struct outbox_note *established)
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
	injector_outages_note_established(injector, &established->attempt);
}

/* Drops a SYN-ACK in a pause. Reports it if the client has no other yet. */
static void lose_syn_ack(struct injector *injector, const struct queued_packet *queued, uint32_t id)
{
	struct outbox_note note = {
		.kind = EVENT_FAULT,
		.fault = FAULT_SYN_ACK_LOST,
		.attempt = tracker_attempt(injector->tracker, id),
	};

	give(injector, queued->id, VERDICT_DROP,
	     note.attempt.state == ATTEMPT_WAITING ? &note : NULL);
}

static void take_syn_ack(struct injector *injector, const struct queued_packet *queued,
			 const struct packet *packet)
{
	struct outbox_note note = {.kind = EVENT_ESTABLISHED};
	struct packet_verdict verdict = {.kind = VERDICT_ACCEPT};
	struct outbox_change change = {0};
	uint32_t id;
	int r;

	/* The client's kernel will answer it with RST: nothing is established. */
	if (tracker_find_answered(injector->tracker, packet, &id) == 0 &&
	    injector_sockets_is_late(injector, id)) {
		give(injector, queued->id, VERDICT_ACCEPT, NULL);
		return;
	}
	if (tracker_find_answered(injector->tracker, packet, &id) == 0 &&
	    tracker_pauses(injector->tracker, id, queued->arrived_ns)) {
		lose_syn_ack(injector, queued, id);
		return;
	}
	r = tracker_syn_ack(injector->tracker, packet, &note.attempt);
	if (r == -EAGAIN) {
		note.kind = EVENT_FAULT;
		note.fault = FAULT_SYN_ACK_LOST;
		give(injector, queued->id, VERDICT_DROP, &note);
		return;
	}
	/* Nothing gets through on a half-open connection, SYN-ACKs included. */
	if (r == -EALREADY &&
	    tracker_step(injector->tracker, note.attempt.id)->action == STEP_HALF_OPEN)
		verdict.kind = VERDICT_DROP;
	if (r == 0 || r == -EALREADY)
		change = change_handshake(injector, note.attempt.id, queued, packet);
	verdict.data = change.data;
	verdict.length = change.length;
	/* Retransmitted SYN-ACKs, and those of connections older than our rules, pass, too. */
	if (r == 0)
		take_established(injector, queued, packet, &note);
	outbox_give(injector->outbox, queued->id, &verdict, NULL);
	free(change.data);
}

/* Returns whether the packet is a FIN or RST, no matter which connection it belongs to. */
static bool is_end(const struct injector *injector, const struct packet *packet)
{
	return packet->flags & (TCP_FLAG_FIN | TCP_FLAG_RST) && !(packet->flags & TCP_FLAG_SYN) &&
	       (injector->connections || injector->config.want_client_ends);
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
	/* the kernel ignores malformed options, too */
	if (error != PACKET_OK && error != PACKET_TCP_OPTION) {
		injector_report(injector, PROBLEM_MALFORMED, INJECTOR_LOST,
				"dropped a malformed packet: %s", packet_error_text(error));
		give(injector, queued->id, VERDICT_DROP, NULL);
	} else if (packet_is_syn(&packet)) {
		take_syn(injector, queued, &packet, now_ns);
	} else if (packet_is_syn_ack(&packet)) {
		injector->overtaken = injector->overtaken || queued->overtaken;
		take_syn_ack(injector, queued, &packet);
	} else if (injector->connections || is_end(injector, &packet)) {
		if (queued->overtaken && !injector_withholds(injector, &packet.source,
							     &packet.destination, TCP_ESTABLISHED))
			injector->overtaken = true;
		if (is_end(injector, &packet))
			injector_sockets_end(injector, queued, &packet);
		/* packets of an earlier connection with the same port pass */
		if (!injector->connections ||
		    !flow_table_packet(injector->connections, queued, &packet))
			give(injector, queued->id, VERDICT_ACCEPT, NULL);
	} else {
		injector_report(
			injector, PROBLEM_UNEXPECTED, INJECTOR_LOST,
			"dropped a packet that is neither SYN nor SYN-ACK (TCP flags 0x%02x)",
			packet.flags);
		give(injector, queued->id, VERDICT_DROP, NULL);
	}
}

void injector_client_started(struct injector *injector, int64_t at_ns)
{
	tracker_client_started(injector->tracker, at_ns);
	injector_outages_start(injector, at_ns);
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

int64_t injector_max_lag_ns(const struct injector *injector)
{
	return injector->max_lag_ns;
}
