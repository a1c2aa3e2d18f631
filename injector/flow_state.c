/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides about the packets of a connection: see flow_state.h. */
#include "injector/flow_state.h"

#include "common/duration.h"
#include "common/random.h"

/* The most data that a message to the kernel can carry with a verdict (queue.c). */
#define TRIM_MAX 60000
/* Bounds of a slow line's segments: at most what an Ethernet frame carries. */
#define MSS_MAX 1460
#define MSS_MIN 88

enum flow_handling flow_handling(const struct step *step)
{
	switch (step->action) {
	case STEP_BACKLOG_FULL:
		return step->abort ? FLOW_REJECTED : FLOW_UNTOUCHED;
	case STEP_HALF_OPEN:
		return FLOW_QUEUED;
	default:
		return step_break(step) != STEP_ACCEPT || step_slows(step) ||
				       step_loses_packets(step) || step_is_late(step)
			       ? FLOW_QUEUED
			       : FLOW_UNTOUCHED;
	}
}

void flow_init(struct flow *flow, const struct step *step, uint32_t isn)
{
	*flow = (struct flow){.step = step};
	flow->streams[FLOW_TO_SERVER].first = isn + 1;
}

void flow_seed(struct flow *flow, uint64_t seed)
{
	flow->seed = seed;
}

void flow_answered(struct flow *flow, const struct packet *syn_ack)
{
	struct flow_stream *to_server = &flow->streams[FLOW_TO_SERVER];

	flow->streams[FLOW_TO_CLIENT].first = syn_ack->sequence + 1;
	/* data in the SYN that the server accepted (RFC 7413) */
	to_server->passed = syn_ack->acknowledgment - to_server->first;
	if (flow->step->action == STEP_HALF_OPEN)
		flow->state = FLOW_STALLED;
}

enum flow_direction flow_counted(const struct flow *flow)
{
	return flow->step->to_server ? FLOW_TO_SERVER : FLOW_TO_CLIENT;
}

enum flow_direction flow_slowed(const struct flow *flow)
{
	return flow->step->slow_to_server ? FLOW_TO_SERVER : FLOW_TO_CLIENT;
}

uint32_t flow_next(const struct flow *flow, enum flow_direction direction)
{
	const struct flow_stream *stream = &flow->streams[direction];

	return stream->first + (uint32_t)stream->passed + stream->ended;
}

enum fault_kind flow_fault_kind(const struct flow *flow)
{
	switch (flow->state) {
	case FLOW_STALLED:
		return FAULT_STALLED;
	case FLOW_RESET:
		return FAULT_RESET;
	case FLOW_CLOSED:
		return FAULT_CLOSED;
	case FLOW_OPEN:
		break;
	}
	switch (step_break(flow->step)) {
	case STEP_RESET:
		return FAULT_RESET;
	case STEP_CLOSE:
		return FAULT_CLOSED;
	case STEP_STALL:
		return FAULT_STALLED;
	default:
		return step_slows(flow->step) ? FAULT_SLOWED : FAULT_STALLED;
	}
}

/* Returns the state of the connection after its fault; FLOW_OPEN: the step does not break it. */
static enum flow_state broken_state(const struct flow *flow)
{
	switch (step_break(flow->step)) {
	case STEP_STALL:
		return FLOW_STALLED;
	case STEP_RESET:
		return FLOW_RESET;
	case STEP_CLOSE:
		return FLOW_CLOSED;
	default:
		return FLOW_OPEN;
	}
}

/* Returns whether packets in this direction pass during such a stall. */
static bool is_spared(enum stall_way way, enum flow_direction direction)
{
	return way != STALL_BOTH_WAYS && (way == STALL_TO_SERVER) != (direction == FLOW_TO_SERVER);
}

bool flow_holds(const struct flow *flow, enum flow_direction direction)
{
	if (step_slows(flow->step))
		return direction == flow_slowed(flow);
	return step_is_late(flow->step) && !is_spared(flow->step->way, direction);
}

static bool can_break(const struct flow *flow)
{
	enum flow_state broken = broken_state(flow);

	if (flow->state != FLOW_OPEN || flow->over || flow->healed || broken == FLOW_OPEN)
		return false;
	/* a FIN that is held, behind all data, has not ended anything yet */
	return broken != FLOW_CLOSED || !flow->streams[FLOW_TO_CLIENT].ended ||
	       (flow->n_held > 0 && flow_slowed(flow) == FLOW_TO_CLIENT);
}

bool flow_loses_held(const struct flow *flow)
{
	return flow->state != FLOW_OPEN && step_slows(flow->step) &&
	       (flow->state != FLOW_STALLED || !is_spared(flow->way, flow_slowed(flow)));
}

bool flow_break(struct flow *flow)
{
	if (!can_break(flow))
		return false;
	flow->state = broken_state(flow);
	flow->way = flow->step->way;
	flow->heals = flow->step->for_ns > 0;
	return true;
}

bool flow_is_open(const struct flow *flow)
{
	return flow->state == FLOW_OPEN && !flow->over;
}

bool flow_cut(struct flow *flow, enum step_ending ending)
{
	if (!flow_is_open(flow))
		return false;
	if (ending == STEP_ENDS_STALL || ending == STEP_ENDS_PAUSE) {
		flow->state = FLOW_STALLED;
		flow->way = STALL_BOTH_WAYS;
		flow->paused = flow->heals = ending == STEP_ENDS_PAUSE;
	} else if (ending == STEP_ENDS_CLOSE && !flow->streams[FLOW_TO_CLIENT].ended)
		flow->state = FLOW_CLOSED;
	else
		flow->state = FLOW_RESET;
	return true;
}

void flow_drop_held(struct flow *flow)
{
	flow->n_held = 0;
	flow->free_ns = 0;
	for (int i = 0; i < FLOW_N_DIRECTIONS; i++) {
		struct flow_stream *stream = &flow->streams[i];

		if (!flow_holds(flow, (enum flow_direction)i))
			continue;
		/* on a slow line a FIN is the last packet, so it was among them */
		stream->ended = stream->ended && stream->released > stream->passed;
		stream->passed = MIN(stream->passed, stream->released);
	}
}

bool flow_heals(const struct flow *flow)
{
	return flow->state == FLOW_STALLED && flow->heals;
}

bool flow_heal(struct flow *flow)
{
	if (!flow_heals(flow))
		return false;
	flow->state = FLOW_OPEN;
	flow->healed = flow->healed || !flow->paused;
	flow->paused = false;
	return true;
}

void flow_end(struct flow *flow)
{
	flow->over = true;
}

uint64_t flow_left(const struct flow *flow)
{
	const struct step *step = flow->step;
	uint64_t passed = flow->streams[flow_counted(flow)].passed;

	if (step->after != AFTER_BYTES || !can_break(flow))
		return UINT64_MAX;
	return passed < step->bytes ? step->bytes - passed : 0;
}

uint16_t flow_mss(uint64_t bytes_per_second)
{
	return (uint16_t)MAX(MIN(bytes_per_second / 20, (uint64_t)MSS_MAX), (uint64_t)MSS_MIN);
}

/*
 * Returns the place of the packet's first byte in the stream; negative: before its beginning. A FIN
 * has a sequence number, but no place: a packet after it is at the stream's end.
 */
static int64_t place_of(const struct flow_stream *stream, uint32_t sequence)
{
	uint32_t next = stream->first + (uint32_t)stream->passed;
	int32_t off = (int32_t)(sequence - next);

	return (int64_t)stream->passed + (stream->ended && off == 1 ? 0 : off);
}

static void note_ended(struct flow *flow)
{
	if (flow->streams[FLOW_TO_CLIENT].ended && flow->streams[FLOW_TO_SERVER].ended &&
	    flow->n_held == 0)
		flow->over = true;
}

static void note_passed(struct flow *flow, struct flow_stream *stream, int64_t end,
			const struct packet *packet)
{
	if (end > 0)
		stream->passed = MAX(stream->passed, (uint64_t)end);
	if (packet->flags & TCP_FLAG_FIN && end == (int64_t)stream->passed)
		stream->ended = true;
	if (packet->flags & TCP_FLAG_RST)
		flow->over = true;
	note_ended(flow);
}

/*
 * Counts the bytes of a direction that the fault leaves alone: its packets pass whole, since
 * nothing of them would be lost.
 */
static struct flow_decision take_spared(struct flow *flow, struct flow_stream *stream,
					const struct packet *packet)
{
	int64_t end = place_of(stream, packet->sequence) + packet->payload_length;
	bool is_due = packet->payload_length > 0 && end >= (int64_t)flow->step->bytes;

	note_passed(flow, stream, end, packet);
	return (struct flow_decision){.action = FLOW_PASS, .fault = is_due && flow_break(flow)};
}

static struct flow_decision take_counted(struct flow *flow, struct flow_stream *stream,
					 const struct packet *packet, uint32_t available)
{
	int64_t start = place_of(stream, packet->sequence), limit = (int64_t)flow->step->bytes;
	int64_t end = start + packet->payload_length, keep = limit - start;
	struct flow_decision decision = {.action = FLOW_PASS};

	if (start > (int64_t)stream->passed)
		return (struct flow_decision){.action = FLOW_DROP};
	if (packet->payload_length == 0 || end < limit) {
		note_passed(flow, stream, end, packet);
		return decision;
	}
	if (keep <= 0) {
		/* The fault comes instead of the next byte. */
		decision.action = FLOW_DROP;
		decision.fault = flow_break(flow);
		return decision;
	}
	if (end == limit && !(packet->flags & TCP_FLAG_FIN)) {
		decision.fault = true;
	} else {
		/* A FIN after the last byte is cut off, too. */
		decision.action = FLOW_TRIM;
		decision.keep = (uint32_t)MIN(keep, TRIM_MAX);
		decision.fault = keep <= TRIM_MAX;
		if (decision.keep > available)
			return (struct flow_decision){.action = FLOW_DROP};
		end = start + decision.keep;
	}
	if (decision.action == FLOW_TRIM)
		stream->passed = MAX(stream->passed, (uint64_t)end);
	else
		note_passed(flow, stream, end, packet);
	decision.fault = decision.fault && flow_break(flow);
	return decision;
}

/* Models a line that sends one packet at a time; each arrives when its last byte has been sent. */
static struct flow_decision take_slowly(struct flow *flow, struct flow_stream *stream,
					const struct packet *packet, int64_t now_ns)
{
	int64_t start = place_of(stream, packet->sequence);
	int64_t end = start + packet->payload_length, new_bytes = end - (int64_t)stream->passed;
	double wait_ns;
	bool holds;

	if (packet->payload_length == 0 && !(packet->flags & (TCP_FLAG_FIN | TCP_FLAG_RST)))
		return (struct flow_decision){.action = FLOW_PASS};
	if (packet->payload_length > 0 && new_bytes <= 0)
		return (struct flow_decision){
			.action = end <= (int64_t)stream->released ? FLOW_PASS : FLOW_DROP,
		};
	if (packet->payload_length == 0)
		new_bytes = 0;
	wait_ns = (double)new_bytes * (double)NS_PER_S / (double)flow->step->rate;
	flow->free_ns = MAX(flow->free_ns, now_ns) + (int64_t)MIN(wait_ns, 1e18);
	holds = flow->free_ns > now_ns;
	flow->n_held += holds;
	note_passed(flow, stream, end, packet);
	if (flow->free_ns <= now_ns)
		stream->released = stream->passed;
	return (struct flow_decision){
		.action = holds ? FLOW_HOLD : FLOW_PASS,
		.due_ns = flow->free_ns,
		.end = stream->passed,
	};
}

/* Holds a packet for as long as it takes on a network with that latency. */
static struct flow_decision take_late(struct flow *flow, enum flow_direction direction,
				      const struct packet *packet, int64_t now_ns)
{
	const struct step *step = flow->step;
	struct flow_stream *stream = &flow->streams[direction];
	struct flow_latency *latency = &flow->latencies[direction];
	uint64_t number = latency->n_packets++;
	double draw = (double)(random_draw(flow->seed, direction, number, 0) >> 11) * 0x1p-52 - 1;

	if (number == 0 && direction == FLOW_TO_SERVER && packet->payload_length == 0 &&
	    !(packet->flags & (TCP_FLAG_FIN | TCP_FLAG_RST)))
		return (struct flow_decision){.action = FLOW_PASS};
	latency->due_ns = MAX(latency->due_ns, now_ns + step->latency_ns +
						       (int64_t)(draw * (double)step->jitter_ns));
	flow->n_held++;
	note_passed(flow, stream, place_of(stream, packet->sequence) + packet->payload_length,
		    packet);
	return (struct flow_decision){
		.action = FLOW_HOLD,
		.due_ns = latency->due_ns,
		.end = stream->passed + stream->ended,
	};
}

static struct flow_decision take_broken(struct flow *flow, enum flow_direction direction,
					const struct packet *packet)
{
	bool reset = packet->flags & TCP_FLAG_RST;

	if (flow->state == FLOW_STALLED)
		return (struct flow_decision){.action = FLOW_DROP};
	if (direction == FLOW_TO_CLIENT) {
		/* After a reset, a RST is the server's kernel's answer to the client. */
		if (reset)
			return (struct flow_decision){
				.action = flow->state == FLOW_RESET ? FLOW_PASS : FLOW_DROP};
		return (struct flow_decision){.action = FLOW_ANSWER_RST};
	}
	if (flow->state == FLOW_RESET)
		return (struct flow_decision){.action = FLOW_PASS};
	if (reset)
		return (struct flow_decision){.action = FLOW_DROP};
	flow->gone = flow->gone || packet->payload_length > 0;
	if (flow->gone)
		return (struct flow_decision){.action = FLOW_ANSWER_RST};
	return (struct flow_decision){
		.action = packet->flags & TCP_FLAG_FIN ? FLOW_ANSWER_ACK : FLOW_DROP,
	};
}

/* Returns whether a draw hits a probability. */
static bool hits(uint64_t draw, double probability)
{
	return (double)(draw >> 11) * 0x1p-53 < probability;
}

/* Decides whether the next packet with data is lost. */
static bool loses(struct flow *flow, enum flow_direction direction)
{
	const struct step *step = flow->step;
	struct flow_loss *loss = &flow->losses[direction];
	double share = (double)step->loss / CHANCE_ALWAYS;
	uint64_t draw = random_draw(flow->seed, direction, loss->n_packets++, 0);

	if (step->burst == 0)
		return hits(draw, share);
	if (loss->bad)
		loss->bad = !hits(draw, 1.0 / step->burst);
	else
		loss->bad = hits(draw, share / (step->burst * (1 - share)));
	return loss->bad;
}

struct flow_decision flow_take(struct flow *flow, enum flow_direction direction,
			       const struct packet *packet, uint32_t available, int64_t now_ns)
{
	const struct step *step = flow->step;
	struct flow_stream *stream = &flow->streams[direction];
	struct flow_decision decision = {.action = FLOW_PASS};

	if (flow->state != FLOW_OPEN &&
	    (flow->state != FLOW_STALLED || !is_spared(flow->way, direction)))
		return take_broken(flow, direction, packet);
	if (step_loses_packets(step) && packet->payload_length > 0 &&
	    !is_spared(step->way, direction) && loses(flow, direction))
		return (struct flow_decision){.action = FLOW_DROP, .lost = true};
	if (step_slows(step) && direction == flow_slowed(flow))
		return take_slowly(flow, stream, packet, now_ns);
	if (step_is_late(step) && flow_holds(flow, direction))
		return take_late(flow, direction, packet, now_ns);
	if (step->after == AFTER_BYTES && direction == flow_counted(flow) && can_break(flow))
		return is_spared(step->way, direction)
			       ? take_spared(flow, stream, packet)
			       : take_counted(flow, stream, packet, available);
	/*
	 * The client's first packet after the SYN-ACK completes the handshake, so the fault comes
	 * now. Any data in it comes after the fault, and is cut off.
	 */
	if (direction == FLOW_TO_SERVER && step->after == AFTER_ACCEPT && flow_break(flow)) {
		decision.fault = true;
		if (!is_spared(step->way, direction)) {
			decision.action = packet->payload_length > 0 ? FLOW_TRIM : FLOW_PASS;
			return decision;
		}
	}
	note_passed(flow, stream, place_of(stream, packet->sequence) + packet->payload_length,
		    packet);
	return decision;
}

void flow_released(struct flow *flow, enum flow_direction direction, uint64_t end)
{
	struct flow_stream *stream = &flow->streams[direction];

	stream->released = MAX(stream->released, end);
	if (flow->n_held > 0)
		flow->n_held--;
	note_ended(flow);
}
