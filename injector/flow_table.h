/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows the connections that a step breaks, slows or delays after their handshake: finds the
 * connection of a packet, carries out what flow_state.h decides, and keeps the timers.
 *
 * A packet of a slow connection, or one that comes late, waits in the queue. If the queue
 * overflows, its owner reports that packets were lost. On its way out to another host it would hold
 * up its sender's kernel, which sends and retransmits nothing while a packet is still in the host
 * (net/ipv4/tcp_output.c, skb_still_in_host_queue and tcp_small_queue_check). So such a packet is
 * dropped, and a copy is sent with a carrier (udp_inject.h) when it is due.
 */
#ifndef SYNFAULT_INJECTOR_FLOW_TABLE_H
#define SYNFAULT_INJECTOR_FLOW_TABLE_H

#include <event2/event.h>

#include "injector/flow_state.h"
#include "injector/queue.h"
#include "injector/segment.h"

/* A fault of a connection, to be reported. */
struct connection_fault {
	uint32_t attempt;
	enum fault_kind kind;
	uint64_t bytes;
	uint32_t fin;    /* FAULT_CLOSED: the sequence number of the FIN */
	uint32_t outage; /* as struct net_event has it */
	int64_t late_ns; /* FAULT_HEALED, FAULT_DELAYED: as struct net_event has it */
};

/* What the flow table needs from the owner of the queue and the rules. */
struct flow_table_host {
	/* Gives a verdict. @fault: report it when the verdict has taken effect; or NULL. */
	void (*give)(void *context, uint32_t packet_id, const struct packet_verdict *verdict,
		     const struct connection_fault *fault);
	/* Reports a fault that comes without a packet. */
	void (*report)(void *context, const struct connection_fault *fault);
	/* Sends a carrier; it comes back through flow_table_udp_inject(). */
	void (*send)(void *context, const struct address *to, uint32_t serial);
	/* Says whether packets are needed with all of their data from now on. */
	void (*need_data)(void *context, bool needed);
	/*
	 * Whether the client of an attempt has gone on from its connect(): 1, 0, or a negative
	 * errno if that is unknown; -EOPNOTSUPP if it can never be known.
	 */
	int (*went_on)(void *context, uint32_t attempt);
	/* Reports a reset that may have come too early. @error: 0: the client had not gone on. */
	void (*too_early)(void *context, int error);
	int64_t (*now_ns)(void *context);
	void *context;
};

struct flow_table;

/**
 * flow_table_new() - make an empty table
 * @base: borrowed
 * @host: copied
 *
 * Free it with flow_table_free().
 */
struct flow_table *flow_table_new(struct event_base *base, const struct flow_table_host *host);
/** flow_table_free() - free the table, without verdicts on held packets; NULL is allowed */
void flow_table_free(struct flow_table *connections);

/**
 * flow_table_add() - add a connection with its attempt's first SYN
 * @step: borrowed
 * @seed: of the packets that it loses
 */
void flow_table_add(struct flow_table *connections, const struct attempt_info *attempt,
		    const struct step *step, uint64_t seed, const struct queued_packet *queued,
		    const struct packet *packet);
/**
 * flow_table_answered() - take the SYN-ACK that completes the handshake
 *
 * Does nothing if there is no such connection.
 */
void flow_table_answered(struct flow_table *connections, const struct attempt_info *attempt,
			 const uint8_t *data, const struct packet *packet);
/**
 * flow_table_packet() - take a packet without SYN, and give its verdict
 *
 * Return: false if it is of no connection here.
 */
bool flow_table_packet(struct flow_table *connections, const struct queued_packet *queued,
		       const struct packet *packet);
/**
 * flow_table_forget() - forget the connection with these addresses and ports: a new one, not
 * followed, has them now
 */
void flow_table_forget(struct flow_table *connections, const struct attempt_info *attempt);
/**
 * flow_table_closed() - note that the client's socket is gone: its connection can't be broken any
 * more
 */
void flow_table_closed(struct flow_table *connections, const struct attempt_info *attempt);
/* What an outage does to connections. */
struct flow_outage {
	enum step_ending ending; /* how it ends them; not STEP_ENDS_NONE */
	uint32_t number;         /* of the outage, as struct net_event has it */
	int64_t until_ns;        /* STEP_ENDS_PAUSE: when it ends */
	/* Returns whether the outage is one of the connection's server. */
	bool (*hits)(void *context, uint32_t attempt);
	void *context;
};
/**
 * flow_table_cut() - end all connections that an outage hits, and whose handshake is complete
 *
 * From now on nothing more gets through on them. FIN and RST follow a few connections at a time, so
 * that the queue is read in between. A client that connected only now, and may not have returned
 * from connect(), gets its RST when it has, as under `reset after accept`.
 *
 * Return: their number.
 */
size_t flow_table_cut(struct flow_table *connections, const struct flow_outage *outage);
/** flow_table_cut_one() - end the connection of this attempt, if it has one that is open */
void flow_table_cut_one(struct flow_table *connections, const struct attempt_info *attempt,
			const struct flow_outage *outage);
/**
 * flow_table_withholds() - return whether the connection's packets are lost for good by its step
 *
 * Those of a slow one are only late, and their senders' kernels retransmit them, as they do those
 * of a stall that heals.
 */
bool flow_table_withholds(const struct flow_table *connections, const struct attempt_info *attempt);
/**
 * flow_table_udp_inject() - take a carrier from the queue, and replace it by the packet with its
 * serial
 */
void flow_table_udp_inject(struct flow_table *connections, uint32_t packet_id, uint32_t serial);
/** flow_table_drop_held() - drop all held packets */
void flow_table_drop_held(struct flow_table *connections);

#endif
