/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows connections: see flow_table.h. A packet belongs to the latest connection with its
 * 4-tuple. Connections stay until the end, since packets of a broken one keep coming.
 */
#include "injector/flow_table.h"

#include <errno.h>
#include <uthash.h>
#include <utlist.h>

#include "common/duration.h"

/*
 * From this many bytes before a fault on, packets are read with all of their data, so that they can
 * be cut. It is more than can be under way at a time (tcp_rmem[2] and tcp_wmem[2] are some MiB). A
 * packet that still comes without its data is dropped, and comes again.
 */
#define NEAR_BYTES (UINT64_C(16) << 20)
/*
 * A reset "after accept" directly after the SYN-ACK would make the client's connect() fail; a real
 * server that accepts and resets is not as fast. So the reset comes when the client has moved on:
 * it has sent something, or its supervisor, asked every ASK_NS, says so. If that is unknown, the
 * reset comes after UNKNOWN_NS. If the client does not move on, the reset comes after PATIENCE_NS.
 */
#define ASK_NS      (1 * NS_PER_MS)
#define UNKNOWN_NS  (20 * NS_PER_MS)
#define PATIENCE_NS (5 * NS_PER_S)
/* A client that has been connected for this long has moved on from connect(). */
#define CONNECTED_NS (1 * NS_PER_S)
/*
 * At most this many carriers are sent at a time for connections that an outage ends. They wait in
 * the queue until they are read.
 */
#define TOLD_AT_ONCE 128
/* A packet that is released this much too late came in time: no network is as exact. */
#define PROMPT_NS (200 * NS_PER_US)
/* Lateness is reported whenever it has grown by this. */
#define LATER_NS (1 * NS_PER_MS)

/* A held packet of a slow connection, or of one with latency. */
struct waiting {
	struct waiting *prev, *next;
	enum flow_direction direction;
	uint32_t packet_id;
	uint8_t *copy; /* to send instead of the packet, which was dropped; or NULL */
	size_t length;
	int64_t due_ns;
	uint64_t end;
};

struct timer {
	struct event *event; /* NULL: never set */
	struct connection *connection;
	void (*on_due)(struct connection *connection);
	int64_t due_ns;
};

struct connection {
	UT_hash_handle hh;
	struct attempt_key key; /* the ISN is 0 */
	struct flow_table *connections;
	uint32_t attempt;
	struct flow flow;
	struct segment_template templates[FLOW_N_DIRECTIONS];
	struct timer fault_timer;   /* for its fault, or the end of a stall */
	struct timer release_timer; /* for held packets */
	struct timer pause_timer;   /* for the end of a pause */
	int64_t paused_until_ns;
	bool break_missed;        /* the timer of its fault expired in a pause */
	struct waiting *waiting;  /* in the order in which they are due */
	int64_t late_ns;          /* STEP_LATENCY: how long packets were overdue, all in all */
	int64_t late_reported_ns; /* what of it was reported */
	int64_t late_until_ns;    /* it is counted until then */
	bool near, slowed, established;
	bool outgoing;          /* its client's packets are seen on their way out */
	bool unannounced;       /* the flow is broken, but FIN or RST are still to be sent */
	int64_t broken_ns;      /* when it broke */
	int64_t established_ns; /* when its handshake was complete */
	uint32_t outage;        /* that broke it, as struct net_event has it; 0: none did */
	/* An outage during a pause or a stall that heals; or its .ending is 0. */
	struct flow_outage missed;
	bool cut;         /* in .cut or .half_told of the table: RST is still to be sent */
	bool client_told; /* FIN or RST was sent to the client */
	struct connection *cut_prev, *cut_next;
	struct connection *older; /* with the same 4-tuple */
};

/* One of our segments, whose carrier is on its way. */
struct pending {
	struct connection *connection;
	enum flow_direction direction;
	uint8_t flags;
	uint32_t sequence, acknowledgment;
	bool has_fault;
	struct connection_fault fault;
	uint8_t *copy; /* a packet that was held; NULL: make a segment of the fields above */
	size_t length;
};

struct flow_table {
	struct event_base *base;
	struct flow_table_host host;
	struct connection *by_key;
	size_t n_near;
	struct pending *pending; /* by serial */
	size_t n_pending, pending_capacity;
	/* Cut by outages, in their order: both sides wait for their end, or only the server. */
	struct connection *cut, *half_told;
	struct event *cut_event;
};

struct flow_table *flow_table_new(struct event_base *base, const struct flow_table_host *host)
{
	struct flow_table *connections = xzalloc(sizeof(*connections));

	connections->base = base;
	connections->host = *host;
	return connections;
}

static void free_waiting(struct connection *connection)
{
	struct waiting *waiting;

	while ((waiting = connection->waiting)) {
		DL_DELETE(connection->waiting, waiting);
		free(waiting->copy);
		free(waiting);
	}
}

static void free_timer(struct timer *timer)
{
	if (timer->event)
		event_free(timer->event);
}

void flow_table_free(struct flow_table *connections)
{
	struct connection *connection, *next;

	if (!connections)
		return;
	HASH_ITER (hh, connections->by_key, connection, next) {
		HASH_DEL(connections->by_key, connection);
		while (connection) {
			struct connection *older = connection->older;

			free_waiting(connection);
			free_timer(&connection->fault_timer);
			free_timer(&connection->release_timer);
			free_timer(&connection->pause_timer);
			free(connection);
			connection = older;
		}
	}
	if (connections->cut_event)
		event_free(connections->cut_event);
	for (size_t i = 0; i < connections->n_pending; i++)
		free(connections->pending[i].copy);
	free(connections->pending);
	free(connections);
}

static struct connection *find(const struct flow_table *connections, const struct address *client,
			       const struct address *server)
{
	struct attempt_key key = {.client = *client, .server = *server};
	struct connection *connection;

	HASH_FIND(hh, connections->by_key, &key, sizeof(key), connection);
	return connection;
}

static int64_t now_ns(const struct flow_table *connections)
{
	return connections->host.now_ns(connections->host.context);
}

/* ---- sending ---- */

/* Sends a carrier for it. Takes ownership of the copy. */
static void send_pending(const struct pending *pending)
{
	struct connection *connection = pending->connection;
	struct flow_table *connections = connection->connections;

	array_append(connections->pending, connections->n_pending, connections->pending_capacity,
		     *pending);
	connections->host.send(connections->host.context, &connection->key.server,
			       (uint32_t)(connections->n_pending - 1));
}

static void inject(struct connection *connection, enum flow_direction direction, uint8_t flags,
		   uint32_t sequence, uint32_t acknowledgment, const struct connection_fault *fault)
{
	struct pending pending = {
		.connection = connection,
		.direction = direction,
		.flags = flags,
		.sequence = sequence,
		.acknowledgment = acknowledgment,
		.has_fault = fault != NULL,
	};

	if (fault)
		pending.fault = *fault;
	send_pending(&pending);
}

static size_t make_segment(const struct flow_table *connections, const struct pending *pending,
			   uint8_t out[static SEGMENT_CONTROL_MAX])
{
	struct segment_template *templates = pending->connection->templates;
	enum flow_direction back =
		pending->direction == FLOW_TO_CLIENT ? FLOW_TO_SERVER : FLOW_TO_CLIENT;

	return segment_control(&templates[pending->direction], &templates[back],
			       now_ns(connections), pending->flags, pending->sequence,
			       pending->acknowledgment, out);
}

/* Makes the segment only now, since its timestamp is the time at which it is sent. */
void flow_table_udp_inject(struct flow_table *connections, uint32_t packet_id, uint32_t serial)
{
	struct packet_verdict verdict = {.kind = VERDICT_DROP};
	AUTO_FREE uint8_t *copy = NULL;
	const struct pending *pending = NULL;
	uint8_t data[SEGMENT_CONTROL_MAX];

	if (serial < connections->n_pending) {
		pending = &connections->pending[serial];
		copy = steal_pointer(&connections->pending[serial].copy);
		verdict.kind = VERDICT_ACCEPT;
		verdict.data = copy ? copy : data;
		verdict.length = copy ? pending->length : make_segment(connections, pending, data);
	}
	connections->host.give(connections->host.context, packet_id, &verdict,
			       pending && pending->has_fault ? &pending->fault : NULL);
}

/*
 * Answers a packet with a segment without data to its sender. A RST has the number that the packet
 * acknowledges, as from a kernel whose socket is gone. If the client sent the packet before it got
 * our FIN, that number is one less than expected; after a FIN the client's kernel accepts such a
 * RST (net/ipv4/tcp_input.c, tcp_reset_check).
 */
static void answer(struct connection *connection, enum flow_direction of,
		   const struct packet *packet, bool reset)
{
	enum flow_direction back = of == FLOW_TO_CLIENT ? FLOW_TO_SERVER : FLOW_TO_CLIENT;

	if (reset)
		inject(connection, back, TCP_FLAG_RST, packet->acknowledgment, 0, NULL);
	else
		inject(connection, back, TCP_FLAG_ACK, flow_next(&connection->flow, back) + 1,
		       packet->sequence + packet->payload_length + 1, NULL);
}

/* ---- faults ---- */

static void set_near(struct connection *connection, bool near)
{
	struct flow_table *connections = connection->connections;
	size_t before = connections->n_near;

	if (connection->near == near)
		return;
	connection->near = near;
	connections->n_near += near ? 1 : (size_t)-1;
	if (!before != !connections->n_near)
		connections->host.need_data(connections->host.context, near);
}

/* Returns whether a packet may soon have to be cut, or must be copied. */
static bool needs_data(const struct connection *connection)
{
	const struct flow *flow = &connection->flow;

	if (connection->outgoing && flow_holds(flow, FLOW_TO_SERVER))
		return true;
	return flow_left(flow) <= NEAR_BYTES;
}

static struct connection_fault fault_of(const struct connection *connection)
{
	const struct flow *flow = &connection->flow;

	return (struct connection_fault){
		.attempt = connection->attempt,
		.kind = flow_fault_kind(flow),
		.bytes = flow->streams[flow_counted(flow)].passed,
		.outage = connection->outage,
	};
}

static void drop_waiting(struct connection *connection)
{
	const struct packet_verdict drop = {.kind = VERDICT_DROP};
	const struct flow_table_host *host = &connection->connections->host;
	const struct waiting *waiting;

	if (!connection->waiting)
		return;
	DL_FOREACH(connection->waiting, waiting)
	{
		if (!waiting->copy)
			host->give(host->context, waiting->packet_id, &drop, NULL);
	}
	free_waiting(connection);
	flow_drop_held(&connection->flow);
}

static void leave_cut(struct connection *connection)
{
	struct flow_table *connections = connection->connections;

	if (connection->cut && connection->client_told)
		DL_DELETE2(connections->half_told, connection, cut_prev, cut_next);
	else if (connection->cut)
		DL_DELETE2(connections->cut, connection, cut_prev, cut_next);
	connection->cut = false;
}

/* Sends FIN or RST to the client of a flow that is broken. */
static void tell_client(struct connection *connection)
{
	struct connection_fault fault = fault_of(connection);
	const struct flow *flow = &connection->flow;
	uint8_t end = flow->state == FLOW_CLOSED ? TCP_FLAG_FIN : TCP_FLAG_RST;

	fault.fin = flow_next(flow, FLOW_TO_CLIENT);
	inject(connection, FLOW_TO_CLIENT, end | TCP_FLAG_ACK, fault.fin,
	       flow_next(flow, FLOW_TO_SERVER), &fault);
	connection->client_told = true;
}

/* Sends FIN or RST to both sides of a flow that is broken; nothing if it is stalled. */
static void tell_sides(struct connection *connection)
{
	const struct flow *flow = &connection->flow;

	connection->unannounced = false;
	leave_cut(connection);
	/* a stall may leave the direction alone that is slow */
	set_near(connection, flow->state == FLOW_STALLED && needs_data(connection));
	if (flow->state == FLOW_STALLED)
		return;
	if (!connection->client_told)
		tell_client(connection);
	inject(connection, FLOW_TO_SERVER, TCP_FLAG_RST | TCP_FLAG_ACK,
	       flow_next(flow, FLOW_TO_SERVER), flow_next(flow, FLOW_TO_CLIENT), NULL);
}

static void stop_timer(const struct timer *timer)
{
	if (timer->event)
		event_del(timer->event);
}

static void timer_due(evutil_socket_t fd, short what, void *userdata)
{
	const struct timer *timer = userdata;

	(void)fd;
	(void)what;
	timer->on_due(timer->connection);
}

static void set_timer(struct connection *connection, struct timer *timer, int64_t in_ns,
		      void (*on_due)(struct connection *connection))
{
	struct flow_table *connections = connection->connections;
	const struct timeval timeout = duration_timeval(in_ns);

	if (!timer->event)
		timer->event = ALLOCATED(evtimer_new(connections->base, timer_due, timer));
	timer->connection = connection;
	timer->on_due = on_due;
	timer->due_ns = now_ns(connections) + in_ns;
	(void)event_base_update_cache_time(connections->base);
	event_add(timer->event, &timeout);
}

static bool cut(struct connection *connection, const struct flow_outage *outage);

static void heal_due(struct connection *connection)
{
	struct flow_table *connections = connection->connections;
	struct connection_fault fault = fault_of(connection);

	if (!flow_heal(&connection->flow))
		return;
	fault.kind = FAULT_HEALED;
	fault.late_ns = MAX(now_ns(connections) - connection->fault_timer.due_ns, 0);
	connections->host.report(connections->host.context, &fault);
	if (connection->missed.ending)
		(void)cut(connection, &connection->missed);
}

/* Sets the timer for the end of the stall that has just begun, if it lasts for a time. */
static void await_healing(struct connection *connection)
{
	if (flow_heals(&connection->flow))
		set_timer(connection, &connection->fault_timer, connection->flow.step->for_ns,
			  heal_due);
}

static void break_due(struct connection *connection)
{
	struct flow_table *connections = connection->connections;
	struct connection_fault fault;

	connection->break_missed = connection->flow.paused;
	if (!flow_break(&connection->flow))
		return;
	if (flow_loses_held(&connection->flow))
		drop_waiting(connection);
	tell_sides(connection);
	await_healing(connection);
	fault = fault_of(connection);
	if (connection->flow.state == FLOW_STALLED)
		connections->host.report(connections->host.context, &fault);
}

static void pause_ended(struct connection *connection)
{
	struct flow_table *connections = connection->connections;
	const struct flow_outage missed = connection->missed;
	int64_t left_ns = connection->paused_until_ns - now_ns(connections);
	struct connection_fault fault = fault_of(connection);

	if (left_ns > 0 && flow_heals(&connection->flow)) {
		set_timer(connection, &connection->pause_timer, left_ns, pause_ended);
		return;
	}
	if (!flow_heal(&connection->flow))
		return;
	fault.kind = FAULT_HEALED;
	fault.late_ns = -left_ns;
	connection->outage = 0;
	set_near(connection, flow_is_open(&connection->flow) && needs_data(connection));
	connections->host.report(connections->host.context, &fault);
	if (connection->break_missed)
		break_due(connection);
	connection->missed.ending = STEP_ENDS_NONE;
	if (missed.ending &&
	    (missed.ending != STEP_ENDS_PAUSE || missed.until_ns > now_ns(connections)))
		(void)cut(connection, &missed);
}

/* Stalls a connection until the pause ends. */
static void pause_until(struct connection *connection, const struct flow_outage *outage)
{
	struct flow_table *connections = connection->connections;
	struct connection_fault fault;

	stop_timer(&connection->release_timer);
	drop_waiting(connection);
	(void)flow_cut(&connection->flow, outage->ending);
	connection->outage = outage->number;
	fault = fault_of(connection);
	connections->host.report(connections->host.context, &fault);
	connection->paused_until_ns = outage->until_ns;
	set_timer(connection, &connection->pause_timer, outage->until_ns - now_ns(connections),
		  pause_ended);
}

/* Sends the reset once the client has moved on from connect(). */
static void tell_due(struct connection *connection)
{
	const struct flow_table_host *host = &connection->connections->host;
	int64_t waited_ns;
	int r;

	if (!connection->unannounced)
		return;
	r = host->went_on(host->context, connection->attempt);
	waited_ns = host->now_ns(host->context) - connection->broken_ns;
	if (r <= 0 && waited_ns < (r == 0 ? PATIENCE_NS : UNKNOWN_NS)) {
		set_timer(connection, &connection->fault_timer, ASK_NS, tell_due);
		return;
	}
	if (r <= 0 && r != -EOPNOTSUPP)
		host->too_early(host->context, r);
	tell_sides(connection);
}

/*
 * Counts how long a packet was overdue. Times overlap: what was late together is late once. The sum
 * bounds how much later all that the two sides said to each other came.
 */
static void note_late(struct connection *connection, int64_t due_ns)
{
	int64_t released_ns = now_ns(connection->connections);

	if (!step_is_late(connection->flow.step) || released_ns - due_ns <= PROMPT_NS)
		return;
	connection->late_ns += released_ns - MAX(due_ns, connection->late_until_ns);
	connection->late_until_ns = released_ns;
}

static void report_late(struct connection *connection)
{
	const struct flow_table_host *host = &connection->connections->host;
	struct connection_fault fault = fault_of(connection);

	if (connection->late_ns - connection->late_reported_ns < LATER_NS)
		return;
	connection->late_reported_ns = connection->late_ns;
	fault.kind = FAULT_DELAYED;
	fault.late_ns = connection->late_ns;
	host->report(host->context, &fault);
}

static void release_due(struct connection *connection)
{
	const struct packet_verdict verdict = {.kind = VERDICT_ACCEPT};
	const struct flow_table_host *host = &connection->connections->host;
	struct waiting *waiting;

	while ((waiting = connection->waiting)) {
		struct pending pending = {
			.connection = connection,
			.copy = waiting->copy,
			.length = waiting->length,
		};
		uint32_t packet_id = waiting->packet_id;
		int64_t left_ns = waiting->due_ns - host->now_ns(host->context);

		if (left_ns > 0) {
			set_timer(connection, &connection->release_timer, left_ns, release_due);
			break;
		}
		DL_DELETE(connection->waiting, waiting);
		flow_released(&connection->flow, waiting->direction, waiting->end);
		note_late(connection, waiting->due_ns);
		free(waiting);
		if (pending.copy)
			send_pending(&pending);
		else
			host->give(host->context, packet_id, &verdict, NULL);
	}
	report_late(connection);
}

/* Adds it behind all that are due no later. Most are due last. */
static void add_waiting(struct connection *connection, struct waiting *waiting)
{
	struct waiting *before = connection->waiting ? connection->waiting->prev : NULL;

	while (before && before->due_ns > waiting->due_ns)
		before = before == connection->waiting ? NULL : before->prev;
	if (!before)
		DL_PREPEND(connection->waiting, waiting);
	else
		DL_APPEND_ELEM(connection->waiting, before, waiting);
}

static void hold(struct connection *connection, enum flow_direction direction,
		 const struct queued_packet *queued, const struct flow_decision *decision)
{
	const struct packet_verdict drop = {.kind = VERDICT_DROP};
	const struct flow_table_host *host = &connection->connections->host;
	struct waiting *waiting = xzalloc(sizeof(*waiting));
	struct connection_fault fault = fault_of(connection);

	waiting->direction = direction;
	waiting->packet_id = queued->id;
	if (queued->outgoing) {
		waiting->copy = xmemdup(queued->data, queued->length);
		waiting->length = queued->length;
		host->give(host->context, queued->id, &drop, NULL);
	}
	waiting->due_ns = decision->due_ns;
	waiting->end = decision->end;
	add_waiting(connection, waiting);
	if (connection->waiting == waiting)
		set_timer(connection, &connection->release_timer,
			  decision->due_ns - host->now_ns(host->context), release_due);
	if (!connection->slowed) {
		fault.kind = step_slows(connection->flow.step) ? FAULT_SLOWED : FAULT_DELAYED;
		fault.bytes = 0;
		host->report(host->context, &fault);
	}
	connection->slowed = true;
}

void flow_table_drop_held(struct flow_table *connections)
{
	struct connection *connection, *next;

	HASH_ITER (hh, connections->by_key, connection, next) {
		drop_waiting(connection);
	}
}

/* ---- packets ---- */

/* Cancels a connection's fault: its timer and a pending reset do nothing any more. */
static void retire(struct connection *connection)
{
	flow_end(&connection->flow);
	connection->unannounced = false;
	leave_cut(connection);
	connection->established = false;
	set_near(connection, false);
}

void flow_table_forget(struct flow_table *connections, const struct attempt_info *attempt)
{
	struct connection *connection =
		find(connections, &attempt->key.client, &attempt->key.server);

	if (connection)
		retire(connection);
}

void flow_table_add(struct flow_table *connections, const struct attempt_info *attempt,
		    const struct step *step, uint64_t seed, const struct queued_packet *queued,
		    const struct packet *packet)
{
	struct connection *connection = xzalloc(sizeof(*connection));
	struct connection *older = find(connections, &attempt->key.client, &attempt->key.server);

	connection->key = attempt->key;
	connection->key.isn = 0;
	connection->connections = connections;
	connection->attempt = attempt->id;
	flow_init(&connection->flow, step, attempt->key.isn);
	flow_seed(&connection->flow, seed);
	connection->outgoing = queued->outgoing;
	segment_learn(&connection->templates[FLOW_TO_SERVER], queued->data, packet,
		      now_ns(connections));
	if (older) {
		retire(older);
		HASH_DEL(connections->by_key, older);
	}
	connection->older = older;
	HASH_ADD(hh, connections->by_key, key, sizeof(connection->key), connection);
}

void flow_table_answered(struct flow_table *connections, const struct attempt_info *attempt,
			 const uint8_t *data, const struct packet *packet)
{
	struct connection *connection =
		find(connections, &attempt->key.client, &attempt->key.server);

	if (!connection || connection->attempt != attempt->id)
		return;
	connection->established = true;
	connection->established_ns = now_ns(connections);
	flow_answered(&connection->flow, packet);
	segment_learn(&connection->templates[FLOW_TO_CLIENT], data, packet, now_ns(connections));
	set_near(connection, needs_data(connection));
	if (connection->flow.step->after == AFTER_TIME)
		set_timer(connection, &connection->fault_timer, connection->flow.step->after_ns,
			  break_due);
}

void flow_table_closed(struct flow_table *connections, const struct attempt_info *attempt)
{
	struct connection *connection =
		find(connections, &attempt->key.client, &attempt->key.server);

	if (!connection || connection->attempt != attempt->id)
		return;
	flow_end(&connection->flow);
	set_near(connection, false);
}

/* ---- outages ---- */

/* Comes after what is in the queue by then: an active event would come before it. */
static void tell_soon(struct flow_table *connections)
{
	event_add(connections->cut_event, &(struct timeval){0});
}

static void tell_cut(evutil_socket_t fd, short what, void *userdata)
{
	struct flow_table *connections = userdata;
	size_t n = 0;

	(void)fd;
	(void)what;
	/* All clients come before the first server: theirs is the instant that is seen. */
	for (; connections->cut && n < TOLD_AT_ONCE; n++) {
		struct connection *connection = connections->cut;

		leave_cut(connection);
		tell_client(connection);
		connection->cut = true;
		DL_APPEND2(connections->half_told, connection, cut_prev, cut_next);
	}
	for (; connections->half_told && n < TOLD_AT_ONCE; n++)
		tell_sides(connections->half_told);
	if (connections->cut || connections->half_told)
		tell_soon(connections);
}

/* Returns whether the client may not have returned from connect() yet. */
static bool may_connect(const struct connection *connection)
{
	return connection->flow.streams[FLOW_TO_SERVER].passed == 0 &&
	       now_ns(connection->connections) - connection->established_ns < CONNECTED_NS;
}

/* Returns whether it was open. */
static bool cut(struct connection *connection, const struct flow_outage *outage)
{
	struct flow_table *connections = connection->connections;
	struct connection_fault fault;

	/*
	 * Its RST would be lost, too; what comes after the stall is answered with another. Another
	 * pause does not bring back a server's connections.
	 */
	if (flow_heals(&connection->flow) &&
	    (outage->ending != STEP_ENDS_PAUSE || connection->missed.ending == STEP_ENDS_NONE ||
	     connection->missed.ending == STEP_ENDS_PAUSE))
		connection->missed = *outage;
	if (!connection->established || !flow_is_open(&connection->flow))
		return false;
	if (outage->ending == STEP_ENDS_PAUSE) {
		pause_until(connection, outage);
		return true;
	}
	stop_timer(&connection->fault_timer);
	stop_timer(&connection->release_timer);
	drop_waiting(connection);
	(void)flow_cut(&connection->flow, outage->ending);
	connection->outage = outage->number;
	if (connection->flow.state == FLOW_STALLED) {
		set_near(connection, false);
		fault = fault_of(connection);
		connections->host.report(connections->host.context, &fault);
		return true;
	}
	if (connection->flow.state == FLOW_RESET && may_connect(connection)) {
		connection->unannounced = true;
		connection->broken_ns = now_ns(connections);
		set_timer(connection, &connection->fault_timer, 0, tell_due);
		return true;
	}
	connection->cut = true;
	DL_APPEND2(connections->cut, connection, cut_prev, cut_next);
	if (!connections->cut_event)
		connections->cut_event =
			ALLOCATED(evtimer_new(connections->base, tell_cut, connections));
	tell_soon(connections);
	return true;
}

size_t flow_table_cut(struct flow_table *connections, const struct flow_outage *outage)
{
	struct connection *connection, *next;
	size_t n = 0;

	HASH_ITER (hh, connections->by_key, connection, next)
		if (outage->hits(outage->context, connection->attempt))
			n += cut(connection, outage);
	return n;
}

void flow_table_cut_one(struct flow_table *connections, const struct attempt_info *attempt,
			const struct flow_outage *outage)
{
	struct connection *connection =
		find(connections, &attempt->key.client, &attempt->key.server);

	if (connection && connection->attempt == attempt->id)
		(void)cut(connection, outage);
}

bool flow_table_withholds(const struct flow_table *connections, const struct attempt_info *attempt)
{
	const struct connection *connection =
		find(connections, &attempt->key.client, &attempt->key.server);

	return connection && connection->attempt == attempt->id && !flow_heals(&connection->flow) &&
	       (connection->flow.state == FLOW_STALLED || connection->flow.state == FLOW_CLOSED);
}

static void carry_out(struct connection *connection, enum flow_direction direction,
		      const struct queued_packet *queued, const struct packet *packet,
		      const struct flow_decision *decision)
{
	const struct flow_table_host *host = &connection->connections->host;
	struct packet_verdict verdict = {.kind = VERDICT_DROP};
	struct connection_fault fault = fault_of(connection);
	AUTO_FREE uint8_t *copy = NULL;

	switch (decision->action) {
	case FLOW_HOLD:
		hold(connection, direction, queued, decision);
		return;
	case FLOW_PASS:
		verdict.kind = VERDICT_ACCEPT;
		break;
	case FLOW_TRIM:
		copy = xmemdup(queued->data, packet->data_offset + decision->keep);
		verdict.kind = VERDICT_ACCEPT;
		verdict.data = copy;
		verdict.length = segment_trim(copy, packet, decision->keep);
		break;
	case FLOW_ANSWER_RST:
	case FLOW_ANSWER_ACK:
		answer(connection, direction, packet, decision->action == FLOW_ANSWER_RST);
		break;
	case FLOW_DROP:
		break;
	}
	if (decision->lost) {
		fault.kind = FAULT_PACKET_LOST;
		fault.bytes = connection->flow.streams[direction].passed;
	}
	host->give(host->context, queued->id, &verdict,
		   decision->lost || (decision->fault && connection->flow.state == FLOW_STALLED)
			   ? &fault
			   : NULL);
}

/*
 * Sends FIN or RST to both sides after a break, by this packet or before it: at once, or when the
 * client has moved on.
 */
static void tell_in_time(struct connection *connection, enum flow_direction direction,
			 const struct packet *packet, bool fault)
{
	const struct step *step = connection->flow.step;
	/* After an outage this may be the end of the handshake, which the client's kernel sends. */
	bool by_client =
		direction == FLOW_TO_SERVER && (!connection->outage || packet->payload_length > 0 ||
						packet->flags & (TCP_FLAG_FIN | TCP_FLAG_RST));

	if (fault && step_break(step) == STEP_RESET && step->after == AFTER_ACCEPT) {
		connection->unannounced = true;
		connection->broken_ns = now_ns(connection->connections);
		set_timer(connection, &connection->fault_timer, ASK_NS, tell_due);
	} else if (fault || (connection->unannounced && by_client)) {
		tell_sides(connection);
		await_healing(connection);
	}
}

bool flow_table_packet(struct flow_table *connections, const struct queued_packet *queued,
		       const struct packet *packet)
{
	const struct packet_verdict drop = {.kind = VERDICT_DROP};
	const struct flow_table_host *host = &connections->host;
	enum flow_direction direction = FLOW_TO_SERVER;
	struct connection *connection = find(connections, &packet->source, &packet->destination);
	struct flow_decision decision;
	size_t available;
	int64_t from_ns;

	if (!connection) {
		direction = FLOW_TO_CLIENT;
		connection = find(connections, &packet->destination, &packet->source);
	}
	if (!connection || !connection->established)
		return false;
	/* It came after the end: neither side gets it any more. */
	if (connection->cut) {
		bool half_told = connection->client_told;

		tell_sides(connection);
		if (!half_told) {
			host->give(host->context, queued->id, &drop, NULL);
			return true;
		}
	}
	available = queued->length > packet->data_offset ? queued->length - packet->data_offset : 0;
	/*
	 * A packet that was not copied as a whole can't be sent later: its sender will retransmit
	 * it.
	 */
	if (direction == FLOW_TO_SERVER && connection->outgoing &&
	    flow_holds(&connection->flow, direction) && available < packet->payload_length) {
		host->give(host->context, queued->id, &drop, NULL);
		return true;
	}
	/* A latency counts from the packet's arrival, however late it was read. */
	from_ns = step_is_late(connection->flow.step) ? queued->arrived_ns
						      : host->now_ns(host->context);
	decision = flow_take(&connection->flow, direction, packet, (uint32_t)available, from_ns);
	/* The server is about to get the reset, so it must not get what the client sends now. */
	if (connection->unannounced && direction == FLOW_TO_SERVER && decision.action == FLOW_PASS)
		decision.action = FLOW_DROP;
	/* Packets of the server after the fault never reach the client: learn nothing from them. */
	if (connection->flow.state == FLOW_OPEN || decision.fault || direction == FLOW_TO_SERVER)
		segment_learn(&connection->templates[direction], queued->data, packet,
			      now_ns(connections));
	if (connection->flow.state == FLOW_OPEN || connection->flow.state == FLOW_STALLED)
		set_near(connection, needs_data(connection));
	carry_out(connection, direction, queued, packet, &decision);
	tell_in_time(connection, direction, packet, decision.fault);
	return true;
}
