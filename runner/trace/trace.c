/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the attempt of each packet, and writes the capture file: see trace.h. An attempt's key is
 * its 4-tuple and initial sequence number, which only SYNs carry. Any other packet belongs to the
 * attempt of its 4-tuple that sent the last SYN before it.
 */
#include "runner/trace/trace.h"

#include "common/duration.h"
#include "common/text.h"
#include "injector/step_text.h"
#include "runner/scenario/table.h"
#include "runner/trace/pcapng.h"

/* A SYN of the trace and one of the record are the same if they differ by less than this time. */
#define SAME_SYN_NS (200 * NS_PER_MS)
/* The comment on a fault goes to a packet within this time of the fault. */
#define FAULT_NS (100 * NS_PER_MS)

/* ---- packets and attempts ---- */

/* Has no padding, since it is hashed as memory. */
struct flow_key {
	struct address client, server;
};
_Static_assert(sizeof(struct flow_key) == 40, "keys are hashed as memory");

struct flow {
	struct flow_key key;
	uint32_t attempt; /* the attempt that sent its last SYN */
	UT_hash_handle hh;
};

struct start {
	struct attempt_key key;
	uint32_t attempt;
	UT_hash_handle hh;
};

struct index {
	struct start *starts;
	struct flow *flows;
	struct start *start_items; /* one per attempt */
};

static void index_make(struct index *index, const struct record *record)
{
	index->start_items = xzalloc((record->n_attempts + 1) * sizeof(*index->start_items));
	for (size_t i = 0; i < record->n_attempts; i++) {
		const struct record_attempt *attempt = &record->attempts[i];
		struct start *start = &index->start_items[i];

		*start = (struct start){.key = {attempt->client, attempt->server, attempt->isn},
					.attempt = (uint32_t)i};
		HASH_ADD(hh, index->starts, key, sizeof(start->key), start);
	}
}

static void index_free(struct index *index)
{
	struct flow *flow, *next;

	HASH_CLEAR(hh, index->starts);
	HASH_ITER (hh, index->flows, flow, next) {
		HASH_DEL(index->flows, flow);
		free(flow);
	}
	free(index->start_items);
}

static struct flow *find_flow(const struct index *index, const struct address *client,
			      const struct address *server)
{
	const struct flow_key key = {*client, *server};
	struct flow *flow;

	HASH_FIND(hh, index->flows, &key, sizeof(key), flow);
	return flow;
}

/* Returns the attempt of a SYN (or of what quotes it), and makes it the flow's current one. */
static uint32_t find_start(struct index *index, const struct packet *syn)
{
	const struct attempt_key key = {syn->source, syn->destination, syn->sequence};
	struct flow *flow = find_flow(index, &syn->source, &syn->destination);
	struct start *start;

	HASH_FIND(hh, index->starts, &key, sizeof(key), start);
	if (!start)
		return TRACE_NO_ATTEMPT;
	if (!flow) {
		flow = xzalloc(sizeof(*flow));
		flow->key = (struct flow_key){syn->source, syn->destination};
		HASH_ADD(hh, index->flows, key, sizeof(flow->key), flow);
	}
	flow->attempt = start->attempt;
	return start->attempt;
}

static uint32_t find_attempt(struct index *index, const struct segment *segment)
{
	const struct packet *packet = &segment->tcp;
	const struct flow *flow;

	if (segment->kind == SEGMENT_TCP && packet_is_syn(packet))
		return find_start(index, packet);
	flow = find_flow(index, &packet->source, &packet->destination);
	if (!flow)
		flow = find_flow(index, &packet->destination, &packet->source);
	return flow ? flow->attempt : TRACE_NO_ATTEMPT;
}

struct trace trace_make(const struct spool_packet *packets, size_t n_packets,
			const struct record *record)
{
	AUTO_FREE struct reader *readers = xzalloc((record->n_attempts + 1) * sizeof(*readers));
	struct trace trace = {
		.attempts = xmalloc((n_packets + 1) * sizeof(*trace.attempts)),
		.segments = xzalloc((n_packets + 1) * sizeof(*trace.segments)),
		.readings = xzalloc((record->n_attempts + 1) * sizeof(*trace.readings)),
	};
	struct index index = {0};

	index_make(&index, record);
	for (size_t i = 0; i < record->n_attempts; i++)
		reader_begin(&readers[i], &index.start_items[i].key);
	for (size_t i = 0; i < n_packets; i++) {
		struct segment *segment = &trace.segments[i];

		trace.attempts[i] = TRACE_NO_ATTEMPT;
		if (segment_parse(packets[i].data, packets[i].captured, segment))
			trace.attempts[i] = find_attempt(&index, segment);
		if (trace.attempts[i] != TRACE_NO_ATTEMPT)
			reader_take(&readers[trace.attempts[i]], segment);
	}
	for (size_t i = 0; i < record->n_attempts; i++)
		trace.readings[i] = readers[i].reading;
	index_free(&index);
	return trace;
}

void trace_free(struct trace *trace)
{
	free(trace->attempts);
	free(trace->segments);
	free(trace->readings);
	*trace = (struct trace){0};
}

/* ---- comments ---- */

/* Lists the events of each attempt: indices into record->events; SIZE_MAX ends a list. */
struct event_lists {
	size_t *first; /* by attempt */
	size_t *next;  /* by event */
	bool *begun;   /* by attempt: a comment with its reading has been made */
};

static struct event_lists list_events(const struct record *record)
{
	struct event_lists lists = {
		.first = xmalloc((record->n_attempts + 1) * sizeof(*lists.first)),
		.next = xmalloc((record->n_events + 1) * sizeof(*lists.next)),
		.begun = xzalloc((record->n_attempts + 1) * sizeof(*lists.begun)),
	};

	for (size_t i = 0; i < record->n_attempts; i++)
		lists.first[i] = SIZE_MAX;
	for (size_t i = record->n_events; i-- > 0;) {
		const struct event *event = &record->events[i];

		lists.next[i] = SIZE_MAX;
		if ((event->kind != EVENT_SYN && event->kind != EVENT_VERDICT) ||
		    event->u.net.attempt >= record->n_attempts)
			continue;
		lists.next[i] = lists.first[event->u.net.attempt];
		lists.first[event->u.net.attempt] = i;
	}
	return lists;
}

static void free_lists(struct event_lists *lists)
{
	free(lists->first);
	free(lists->next);
	free(lists->begun);
}

/* Returns the record's SYN that is this packet, by the times of both, or NULL. */
static const struct event *find_syn(const struct event_lists *lists, const struct record *record,
				    uint32_t attempt, int64_t at_ns)
{
	const struct event *best = NULL;
	int64_t best_ns = SAME_SYN_NS;

	for (size_t i = lists->first[attempt]; i != SIZE_MAX; i = lists->next[i]) {
		const struct event *event = &record->events[i];
		int64_t off_ns = llabs(event->at_ns + record->started_realtime_ns - at_ns);

		if (event->kind == EVENT_SYN && off_ns < best_ns) {
			best = event;
			best_ns = off_ns;
		}
	}
	return best;
}

static const struct event *find_verdict(const struct event_lists *lists,
					const struct record *record, const struct event *syn)
{
	for (size_t i = lists->first[syn->u.net.attempt]; i != SIZE_MAX; i = lists->next[i])
		if (record->events[i].kind == EVENT_VERDICT &&
		    record->events[i].u.net.ordinal == syn->u.net.ordinal)
			return &record->events[i];
	return NULL;
}

/* @index: of the step in the script of the attempt's endpoint */
static void add_step(const struct scenario *scenario, const struct record_attempt *attempt,
		     uint32_t index, struct strbuf *out)
{
	const struct step *step = scenario_step(scenario, attempt->endpoint, index);

	strbuf_printf(out, "step %u", index + 1);
	if (!step)
		return;
	strbuf_puts(out, " (");
	step_format(step, out);
	strbuf_putc(out, ')');
}

static void add_verdict(const struct event *syn, const struct event *verdict, struct strbuf *out)
{
	char after[DURATION_TEXT_SIZE], late[DURATION_TEXT_SIZE];

	if (!verdict) {
		strbuf_puts(out, "no verdict");
		return;
	}
	strbuf_printf(out, "%s, after %s, at most %s late",
		      verdict_kind_name(verdict->u.net.verdict),
		      duration_format(event_earliest_ns(verdict) - syn->at_ns, after),
		      duration_format(verdict->u.net.lag_ns, late));
}

static void add_attempt(const struct record *record, const struct record_attempt *attempt,
			struct strbuf *out)
{
	if (attempt->endpoint < record->n_endpoints)
		strbuf_printf(out, "%s, ", record->endpoints[attempt->endpoint].name);
	strbuf_printf(out, "attempt %u", attempt->number);
}

/*
 * Adds "api, attempt 3, SYN 2 (retransmission 1): step 1 (refuse x3): refuse, after 51.0 us, at
 * most 93.0 us late". For an attempt's first SYN the reading of the attempt follows on a line of
 * its own. The verdict was handed to the kernel after the first time and carried out within the
 * second, so the packet that answers lies between.
 */
static void comment_syn(const struct scenario *scenario, const struct record *record,
			const struct trace *trace, struct event_lists *lists, uint32_t id,
			int64_t at_ns, struct strbuf *out)
{
	const struct record_attempt *attempt = &record->attempts[id];
	const struct event *syn = find_syn(lists, record, id, at_ns);

	add_attempt(record, attempt, out);
	if (syn) {
		strbuf_printf(out, ", SYN %u", syn->u.net.ordinal);
		if (syn->u.net.ordinal > 1)
			strbuf_printf(out, " (retransmission %u)", syn->u.net.ordinal - 1);
	}
	strbuf_puts(out, ": ");
	add_step(scenario, attempt, attempt->step, out);
	strbuf_puts(out, ": ");
	if (syn)
		add_verdict(syn, find_verdict(lists, record, syn), out);
	else
		strbuf_puts(out, "not seen by synfault");
	if (!lists->begun[id]) {
		strbuf_puts(out, "\nthis attempt in the trace: ");
		reading_format(&trace->readings[id], out);
	}
	lists->begun[id] = true;
}

/* Returns the first packet sent at @at_ns or later. */
static size_t find_from(const struct spool_packet *packets, size_t n_packets, int64_t at_ns)
{
	return BISECT(n_packets, i, packets[i].at_ns >= at_ns);
}

/*
 * Returns the attempt's packet nearest in time to one of its events; if none was sent around then,
 * the last one before it. n_packets: none.
 */
static size_t find_nearest(const struct trace *trace, const struct spool_packet *packets,
			   size_t n_packets, const struct event *event, int64_t at_ns)
{
	size_t first = find_from(packets, n_packets, at_ns - FAULT_NS), best = n_packets;
	int64_t best_ns = FAULT_NS;

	for (size_t i = first; i < n_packets && packets[i].at_ns <= at_ns + FAULT_NS; i++) {
		int64_t off_ns = llabs(packets[i].at_ns - at_ns);

		if (trace->attempts[i] != event->u.net.attempt || off_ns >= best_ns)
			continue;
		best = i;
		best_ns = off_ns;
	}
	for (size_t i = first; best == n_packets && i-- > 0;)
		if (trace->attempts[i] == event->u.net.attempt)
			best = i;
	return best;
}

/*
 * Returns the SYN-ACK that was lost; n_packets: it is not in the capture. The nearest packet would
 * be wrong: a retransmission of the client's is answered at once, and the server's own may come in
 * the same millisecond. SYN-ACKs are lost in their order, so it is the first one after @from, which
 * advances for each attempt.
 */
static size_t find_lost(const struct trace *trace, const struct spool_packet *packets,
			size_t n_packets, const struct event *event, int64_t at_ns, size_t *from)
{
	size_t i = MAX(*from, find_from(packets, n_packets, at_ns - FAULT_NS));

	for (; i < n_packets && packets[i].at_ns <= at_ns + FAULT_NS; i++)
		if (trace->attempts[i] == event->u.net.attempt &&
		    trace->segments[i].kind == SEGMENT_TCP &&
		    packet_is_syn_ack(&trace->segments[i].tcp)) {
			*from = i + 1;
			return i;
		}
	return n_packets;
}

/* Makes comments on faults that hit connections after their SYNs, by packet; NULL: none. */
static char **comment_faults(const struct scenario *scenario, const struct record *record,
			     const struct trace *trace, const struct spool_packet *packets,
			     size_t n_packets)
{
	char **comments = xzalloc((n_packets + 1) * sizeof(*comments));
	AUTO_FREE size_t *lost = xzalloc((record->n_attempts + 1) * sizeof(*lost));

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];
		const struct record_attempt *attempt;
		struct strbuf comment = {0};
		char later[DURATION_TEXT_SIZE];
		int64_t at_ns;
		size_t packet;

		if (event->kind != EVENT_FAULT || event->u.net.attempt >= record->n_attempts ||
		    (event->u.net.fault == FAULT_DELAYED && event->u.net.late_ns > 0))
			continue;
		at_ns = event->at_ns + record->started_realtime_ns;
		packet = event->u.net.fault == FAULT_SYN_ACK_LOST
				 ? find_lost(trace, packets, n_packets, event, at_ns,
					     &lost[event->u.net.attempt])
				 : find_nearest(trace, packets, n_packets, event, at_ns);
		/* A stall may heal before any other packet comes. */
		if (packet == n_packets || (comments[packet] && event->u.net.fault != FAULT_HEALED))
			continue;
		if (comments[packet])
			strbuf_printf(&comment, "%s\n", comments[packet]);
		free(comments[packet]);
		attempt = &record->attempts[event->u.net.attempt];
		add_attempt(record, attempt, &comment);
		strbuf_puts(&comment, ": ");
		add_step(scenario, attempt,
			 event->u.net.outage ? event->u.net.outage - 1 : attempt->step, &comment);
		strbuf_printf(&comment, ": %s", fault_kind_name(event->u.net.fault));
		if (event->u.net.fault != FAULT_SYN_ACK_LOST)
			strbuf_printf(&comment, ", after %llu byte%s",
				      (unsigned long long)event->u.net.bytes,
				      PLURAL(event->u.net.bytes));
		if (at_ns - packets[packet].at_ns > FAULT_NS)
			strbuf_printf(&comment, ", %s after this packet",
				      duration_format(at_ns - packets[packet].at_ns, later));
		comments[packet] = strbuf_steal(&comment);
	}
	return comments;
}

/* ---- the file ---- */

static void add_line(struct strbuf *out, const char *label, const char *text)
{
	if (text)
		strbuf_printf(out, "%s%s: %s", out->length ? "\n" : "", label, text);
}

static void write_section(struct pcapng *file, const struct scenario *scenario,
			  const struct record *record, const char *outcome)
{
	AUTO_STRBUF struct strbuf comment = {0}, safe = {0}, system = {0};
	AUTO_FREE char *seed = xasprintf("%llu", (unsigned long long)record->seed);

	add_line(&comment, "scenario", record->scenario);
	add_line(&comment, "file", record->path);
	add_line(&comment, "outcome", outcome);
	add_line(&comment, "seed of the scenario", seed);
	add_line(&comment, "network namespace", record->isolation);
	for (size_t i = 0; i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];
		char address[ADDRESS_TEXT_SIZE];

		strbuf_printf(&comment, "\nendpoint %s", endpoint->name);
		for (size_t k = 0; k < endpoint->n_addresses; k++)
			strbuf_printf(&comment, "%s%s", k ? ", " : " at ",
				      address_format(&endpoint->addresses[k], address));
		strbuf_printf(&comment, ": %s", endpoint->script);
	}
	text_sanitize(&safe, strbuf_text(&comment), comment.length);
	strbuf_puts(&system, "Linux ");
	if (record->kernel)
		text_sanitize(&system, record->kernel, strlen(record->kernel));
	pcapng_add_section(file, &(struct pcapng_section){
					 .comment = strbuf_text(&safe),
					 .system = strbuf_text(&system),
					 .application = "synfault " SYNFAULT_VERSION,
				 });
}

static void write_interfaces(struct pcapng *file, const struct spool_content *content)
{
	struct pcapng_interface interface = {
		.name = "lo", .filter = "tcp or icmp or icmp6", .snap_length = 262144};

	/* Readers expect at least one interface. */
	if (content->n_interfaces == 0)
		pcapng_add_interface(file, &interface);
	for (size_t i = 0; i < content->n_interfaces; i++) {
		interface.name = content->interfaces[i].name;
		interface.description =
			"each packet as it came in or went out, before any rule saw it";
		pcapng_add_interface(file, &interface);
	}
}

static void write_names(struct pcapng *file, const struct record *record)
{
	struct pcapng_name *names = NULL;
	size_t n_names = 0, capacity = 0;

	for (size_t i = 0; i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		for (size_t k = 0; k < endpoint->n_addresses; k++)
			array_append(names, n_names, capacity,
				     (struct pcapng_name){
					     .address = endpoint->addresses[k],
					     .name = endpoint->hostname ? endpoint->hostname
									: endpoint->name,
				     });
	}
	pcapng_add_names(file, names, n_names);
	free(names);
}

/* Gives the first interface all losses, since it is unknown on which they happened. */
static void write_statistics(struct pcapng *file, const struct spool_content *content)
{
	const size_t n = content->n_packets;
	const uint64_t dropped = content->lost + content->left_out;
	AUTO_STRBUF struct strbuf comment = {0};

	if (content->lost)
		strbuf_printf(&comment,
			      "%llu packet%s arrived faster than synfault could store them. ",
			      (unsigned long long)content->lost, PLURAL(content->lost));
	if (content->left_out)
		strbuf_printf(&comment,
			      "%llu packet%s left out: the capture reached its size limit "
			      "(--capture-size). ",
			      (unsigned long long)content->left_out, PLURAL(content->left_out));
	if (!content->whole)
		strbuf_puts(&comment, "The capture was cut short.");
	for (uint32_t i = 0; i < MAX(content->n_interfaces, (size_t)1); i++) {
		struct pcapng_statistics statistics = {.interface = i};

		for (size_t k = 0; k < n; k++)
			statistics.received += content->packets[k].interface == i;
		if (n) {
			statistics.started_ns = content->packets[0].at_ns;
			statistics.ended_ns = content->packets[n - 1].at_ns;
		}
		if (i == 0) {
			statistics.received += dropped;
			statistics.dropped = dropped;
			statistics.comment = strbuf_text(&comment);
		}
		pcapng_add_statistics(file, &statistics);
	}
}

static void write_packets(struct pcapng *file, const struct spool_content *content,
			  const struct scenario *scenario, const struct record *record)
{
	AUTO_TRACE struct trace trace = trace_make(content->packets, content->n_packets, record);
	struct event_lists lists = list_events(record);
	char **faults =
		comment_faults(scenario, record, &trace, content->packets, content->n_packets);

	for (size_t i = 0; i < content->n_packets; i++) {
		const struct spool_packet *packet = &content->packets[i];
		AUTO_STRBUF struct strbuf comment = {0};

		if (trace.attempts[i] != TRACE_NO_ATTEMPT &&
		    trace.segments[i].kind == SEGMENT_TCP && packet_is_syn(&trace.segments[i].tcp))
			comment_syn(scenario, record, &trace, &lists, trace.attempts[i],
				    packet->at_ns, &comment);
		if (faults[i])
			strbuf_printf(&comment, "%s%s", comment.length ? "\n" : "", faults[i]);
		free(faults[i]);
		pcapng_add_packet(file,
				  &(struct pcapng_packet){
					  .interface = packet->interface,
					  .at_ns = packet->at_ns,
					  .data = packet->data,
					  .captured = packet->captured,
					  .length = packet->length,
					  .comment = comment.length ? strbuf_text(&comment) : NULL,
				  });
	}
	free(faults);
	free_lists(&lists);
}

int trace_write(int fd, const struct spool_content *content, const struct scenario *scenario,
		const struct record *record, const char *outcome)
{
	struct pcapng *file = pcapng_begin(fd);

	write_section(file, scenario, record, outcome);
	write_interfaces(file, content);
	write_names(file, record);
	write_packets(file, content, scenario, record);
	write_statistics(file, content);
	return pcapng_end(file);
}
