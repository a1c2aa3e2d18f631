/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of the packets of one connection whose step does something to it after the
 * handshake. Pure: packets and times come in, decisions come out.
 *
 * Theory of operation
 * -------------------
 * Data is counted by its place in the stream, not by packets: `passed` is how far it has come in
 * one direction, so that a retransmission counts nothing, wherever its edges are, and sequence
 * numbers may wrap. In the direction whose bytes decide nothing passes out of order: what comes
 * after a gap is dropped, and the sender repeats it.
 *
 * The packet in which byte N lies is cut behind it: exactly N bytes reach the receiver. Then the
 * fault happens, and what the connection has become answers instead of either side:
 *
 *     OPEN ──► STALLED  nothing passes
 *          ──► RESET    the client's packets go to the server, whose kernel knows the connection no
 *                       more; the server's are answered as by a client that is gone
 *          ──► CLOSED   the client is answered as by a server that has closed: its FIN with ACK,
 *                       its data with RST, as all that comes after data
 *
 * Nothing can be done any more to a connection that is over: that both sides have ended, that one
 * of them has reset, or whose client's socket is gone. Its fault never happens.
 */
#ifndef SYNFAULT_INJECTOR_FLOW_STATE_H
#define SYNFAULT_INJECTOR_FLOW_STATE_H

#include "injector/event.h"

/* What the firewall rules do with the packets of a connection after its SYN. */
enum flow_handling {
	FLOW_UNTOUCHED,
	FLOW_REJECTED, /* those of the client are answered with RST */
	FLOW_QUEUED,   /* both sides' come to the queue */
};
enum flow_handling flow_handling(const struct step *step);

enum flow_direction { FLOW_TO_CLIENT, FLOW_TO_SERVER, FLOW_N_DIRECTIONS };

enum flow_state { FLOW_OPEN, FLOW_STALLED, FLOW_RESET, FLOW_CLOSED };

struct flow {
	const struct step *step; /* borrowed */
	enum flow_state state;
	struct flow_stream {
		uint32_t first;    /* sequence number of the first byte of data */
		uint64_t passed;   /* bytes that were let through, or are held */
		uint64_t released; /* STEP_SLOW: bytes that are held no more */
		bool ended;        /* its FIN was let through, too */
	} streams[FLOW_N_DIRECTIONS];
	int64_t free_ns; /* STEP_SLOW: when the line will have sent all it has */
	bool gone;       /* CLOSED, and data came: no socket is there any more */
	bool over;       /* it ended by itself */
};

enum flow_action {
	FLOW_PASS,
	FLOW_DROP,
	FLOW_TRIM,       /* to `keep` bytes of data */
	FLOW_HOLD,       /* until `due_ns`; then flow_released() */
	FLOW_ANSWER_RST, /* dropped, its sender gets a RST */
	FLOW_ANSWER_ACK, /* dropped, its sender's FIN is acknowledged */
};

struct flow_decision {
	enum flow_action action;
	uint32_t keep;
	int64_t due_ns;
	uint64_t end; /* HOLD: for flow_released() */
	bool fault;   /* the step's fault happens right after this packet */
};

/* @isn: the client's. */
void flow_init(struct flow *flow, const struct step *step, uint32_t isn);
/* The SYN-ACK that completed the handshake. Under STEP_HALF_OPEN nothing passes after it. */
void flow_answered(struct flow *flow, const struct packet *syn_ack);

/*
 * Takes a packet without SYN. @available: how many bytes of its data are at hand; a packet that has
 * to be cut behind more than these is dropped, for the sender to repeat.
 */
struct flow_decision flow_take(struct flow *flow, enum flow_direction direction,
			       const struct packet *packet, uint32_t available, int64_t now_ns);

/*
 * The fault happens now; for those that come with time. Returns false when it has happened, or can
 * not any more: the connection is over, or the server has closed it before it was to.
 */
bool flow_break(struct flow *flow);
/* The client's socket is gone. */
void flow_end(struct flow *flow);
/* A held packet was let go. */
void flow_released(struct flow *flow, uint64_t end);

/* The direction whose bytes the step counts. */
enum flow_direction flow_counted(const struct flow *flow);
/* The sequence number that follows what has passed. */
uint32_t flow_next(const struct flow *flow, enum flow_direction direction);
/* How many more bytes can pass before the fault; UINT64_MAX: no number of bytes brings it. */
uint64_t flow_left(const struct flow *flow);
enum fault_kind flow_fault_kind(const struct flow *flow);
/* The largest segment for a line of that speed: it has something to send twenty times a second. */
uint16_t flow_mss(uint64_t bytes_per_second);

#endif
