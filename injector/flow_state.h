/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides what happens to the packets of a connection whose step breaks or slows it after the
 * handshake. Pure: packets and times come in, decisions come out.
 *
 * Theory of operation
 * -------------------
 * Data is counted by its place in the stream, not by packets: `passed` is how much of the stream
 * has gone through in one direction. So a retransmission counts nothing, however it is cut, and
 * sequence numbers may wrap. In the direction that the step counts, nothing passes out of order:
 * data after a gap is dropped, and the sender retransmits it.
 *
 * The packet that contains byte N is cut after it, so exactly N bytes reach the receiver. Then the
 * fault happens. From then on the connection's new state decides how packets are answered:
 *
 *     OPEN ──► STALLED  nothing passes, or nothing in one direction; a stall for a time then heals
 *                       ──► OPEN: both kernels go on by their own retransmissions
 *          ──► RESET    the client's packets go to the server, whose kernel no longer knows the
 *                       connection; the server's packets are answered as by a client that is gone
 *          ──► CLOSED   the client is answered as by a server that has closed: its FIN with ACK,
 *                       its data, and everything after its data, with RST
 *
 * An outage can break any open connection, at an instant of its own (flow_cut()). If it is a pause,
 * the connection goes on afterwards, and its step can still break it.
 *
 * A line can be slow and then break. What has been held until then is lost with it: it counts as
 * not passed, and after a stall that heals it comes again.
 *
 * Whether a packet is lost follows from the flow's seed, its direction and its number among the
 * packets with data, retransmissions included. Bursts follow the model of Gilbert and Elliott: a
 * flow is in a good state, in which no packet is lost, or in a bad one, in which all are.
 *
 * Late packets are held for the latency and a jitter, which follows from the seed in the same way.
 * A packet never overtakes another: it is due no earlier than the one before it in its direction.
 * All packets are late, not only those with data, so that the kernels see the round trip of such a
 * network. Only the last packet of the handshake passes at once: the handshake is left alone.
 *
 * A connection that has ended can't be broken any more: both sides have closed it, one side has
 * reset it, or the client's socket is gone. Its fault never happens.
 */
#ifndef SYNFAULT_INJECTOR_FLOW_STATE_H
#define SYNFAULT_INJECTOR_FLOW_STATE_H

#include "injector/event.h"

/* What the firewall rules do with the packets of a connection after its SYN. */
enum flow_handling {
	FLOW_UNTOUCHED,
	FLOW_REJECTED, /* the client's are answered with RST */
	FLOW_QUEUED,   /* those of both sides come to the queue */
};
/** flow_handling() - return how the rules must handle a connection with this step */
enum flow_handling flow_handling(const struct step *step);

enum flow_direction { FLOW_TO_CLIENT, FLOW_TO_SERVER, FLOW_N_DIRECTIONS };

enum flow_state { FLOW_OPEN, FLOW_STALLED, FLOW_RESET, FLOW_CLOSED };

struct flow {
	const struct step *step; /* borrowed */
	enum flow_state state;
	struct flow_stream {
		uint32_t first;  /* sequence number of the first byte of data */
		uint64_t passed; /* bytes that were let through or are held */
		/*
		 * STEP_SLOW, STEP_LATENCY: bytes that are no longer held; under STEP_LATENCY one
		 * more with a FIN
		 */
		uint64_t released;
		bool ended; /* its FIN was let through or is held */
	} streams[FLOW_N_DIRECTIONS];
	int64_t free_ns; /* STEP_SLOW: when the line will have sent everything */
	uint64_t n_held; /* STEP_SLOW, STEP_LATENCY: packets */
	uint64_t seed;   /* STEP_PACKET_LOSS, STEP_LATENCY */
	struct flow_latency {
		uint64_t n_packets; /* so far */
		int64_t due_ns;     /* when the last of them is due */
	} latencies[FLOW_N_DIRECTIONS];
	struct flow_loss {
		uint64_t n_packets; /* with data so far */
		bool bad;           /* within a burst */
	} losses[FLOW_N_DIRECTIONS];
	bool gone;   /* CLOSED, and data came: the server has no socket any more */
	bool over;   /* it ended without its fault */
	bool healed; /* its own stall has ended */
	bool paused; /* STALLED by a pause */
	/* STALLED: */
	enum stall_way way;
	bool heals;
};

enum flow_action {
	FLOW_PASS,
	FLOW_DROP,
	FLOW_TRIM,       /* to `keep` bytes of data */
	FLOW_HOLD,       /* until `due_ns`; then call flow_released() */
	FLOW_ANSWER_RST, /* drop it, and send a RST to its sender */
	FLOW_ANSWER_ACK, /* drop it, and acknowledge its sender's FIN */
};

struct flow_decision {
	enum flow_action action;
	uint32_t keep;
	int64_t due_ns;
	uint64_t end; /* HOLD: what to pass to flow_released() */
	bool fault;   /* the step's fault happens right after this packet */
	bool lost;    /* DROP: the packet is lost by STEP_PACKET_LOSS */
};

/**
 * flow_init() - start a flow with the client's SYN
 * @step: borrowed
 * @isn: the client's
 */
void flow_init(struct flow *flow, const struct step *step, uint32_t isn);
/** flow_seed() - set the seed of lost and late packets; without it, it is 0 */
void flow_seed(struct flow *flow, uint64_t seed);
/**
 * flow_answered() - take the SYN-ACK that completed the handshake
 *
 * Under STEP_HALF_OPEN nothing passes after it.
 */
void flow_answered(struct flow *flow, const struct packet *syn_ack);

/**
 * flow_take() - decide about a packet without SYN
 * @flow: its connection
 * @direction: where it goes
 * @packet: its headers
 * @available: bytes of its data that were copied; a packet that must be cut after more than these
 *             is dropped, for the sender to retransmit
 * @now_ns: CLOCK_MONOTONIC; under STEP_LATENCY, when the packet arrived
 *
 * Return: what to do with it.
 */
struct flow_decision flow_take(struct flow *flow, enum flow_direction direction,
			       const struct packet *packet, uint32_t available, int64_t now_ns);

/**
 * flow_break() - make the fault happen now, for faults that come after a time
 *
 * Return: false if it already has, or can't any more: the connection has ended, or the server
 * closed it before `close` was due. After true, flow_loses_held() says whether to drop held
 * packets.
 */
bool flow_break(struct flow *flow);
/** flow_is_open() - return whether it is neither broken nor has ended */
bool flow_is_open(const struct flow *flow);
/**
 * flow_cut() - break the flow now, as an outage does
 * @ending: how; not STEP_ENDS_NONE. A server that has sent its FIN can't close once more: then the
 * flow is reset
 *
 * Return: false if it is broken already, or has ended.
 */
bool flow_cut(struct flow *flow, enum step_ending ending);
/** flow_drop_held() - note that all held packets were dropped */
void flow_drop_held(struct flow *flow);
/** flow_heals() - return whether the flow is stalled for a time */
bool flow_heals(const struct flow *flow);
/** flow_heal() - end the stall now; return false if the flow is not stalled for a time */
bool flow_heal(struct flow *flow);
/** flow_end() - note that the client's socket is gone */
void flow_end(struct flow *flow);
/**
 * flow_released() - note that a held packet was released
 * @end: from its decision
 */
void flow_released(struct flow *flow, enum flow_direction direction, uint64_t end);

/** flow_counted() - return the direction whose bytes the step counts */
enum flow_direction flow_counted(const struct flow *flow);
/** flow_slowed() - return the direction that the step slows, if it does */
enum flow_direction flow_slowed(const struct flow *flow);
/** flow_holds() - return whether the step holds packets in this direction */
bool flow_holds(const struct flow *flow, enum flow_direction direction);
/** flow_loses_held() - return whether the flow's state means that held packets never arrive */
bool flow_loses_held(const struct flow *flow);
/** flow_next() - return the sequence number after everything that has passed */
uint32_t flow_next(const struct flow *flow, enum flow_direction direction);
/**
 * flow_left() - return how many more bytes can pass before the fault; UINT64_MAX if it does not
 * depend on bytes
 */
uint64_t flow_left(const struct flow *flow);
/** flow_fault_kind() - return the fault that broke the flow, or else that its step causes */
enum fault_kind flow_fault_kind(const struct flow *flow);
/**
 * flow_mss() - return the largest segment for a line of that speed, so that it can send one 20
 * times a second
 */
uint16_t flow_mss(uint64_t bytes_per_second);

#endif
