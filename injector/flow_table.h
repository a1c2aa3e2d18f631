/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections to which a step does something after their handshake: finds the one that a packet
 * belongs to, carries out what flow_state.h decides, and keeps the times.
 *
 * A packet of a slow connection waits where it came in. One on its way out to another host would,
 * as one that is still in the host, hold up its sender's kernel, which would repeat nothing and
 * send no more (net/ipv4/tcp_output.c, skb_still_in_host_queue and tcp_small_queue_check): such a
 * packet is dropped, and what was copied of it sent with a carrier (udp_inject.h) when its time has
 * come.
 */
#ifndef SYNFAULT_INJECTOR_FLOW_TABLE_H
#define SYNFAULT_INJECTOR_FLOW_TABLE_H

#include <event2/event.h>

#include "injector/flow_state.h"
#include "injector/queue.h"
#include "injector/segment.h"

/* What is to be reported of a connection. */
struct connection_fault {
	uint32_t attempt;
	enum fault_kind kind;
	uint64_t bytes;
	uint32_t fin; /* FAULT_CLOSED: the sequence number of the FIN */
};

/* Whoever has the queue and the rules. */
struct flow_table_host {
	/* Gives the verdict; @fault is to be reported when it has taken effect, or NULL. */
	void (*give)(void *context, uint32_t packet_id, const struct packet_verdict *verdict,
		     const struct connection_fault *fault);
	/* A fault without a packet. */
	void (*report)(void *context, const struct connection_fault *fault);
	/* Sends a carrier; it comes back through flow_table_udp_inject(). */
	void (*send)(void *context, const struct address *to, uint32_t serial);
	/* From now on packets are needed with all of their data, or not. */
	void (*need_data)(void *context, bool needed);
	/*
	 * Whether the client of an attempt has gone on from its connect(): 1, 0, or a negative
	 * errno when that is not known; -EOPNOTSUPP: it never will be.
	 */
	int (*went_on)(void *context, uint32_t attempt);
	/* A connection was reset though that was not known. @error: 0 when it had not gone on. */
	void (*too_early)(void *context, int error);
	int64_t (*now_ns)(void *context);
	void *context;
};

struct flow_table;

struct flow_table *flow_table_new(struct event_base *base, const struct flow_table_host *host);
void flow_table_free(struct flow_table *connections);

/* An attempt's first SYN. @step is borrowed. */
void flow_table_add(struct flow_table *connections, const struct attempt_info *attempt,
		    const struct step *step, const struct queued_packet *queued,
		    const struct packet *packet);
/* The SYN-ACK that completed its handshake. Does nothing when there is no such connection. */
void flow_table_answered(struct flow_table *connections, const struct attempt_info *attempt,
			 const uint8_t *data, const struct packet *packet);
/* A packet without SYN. Returns false when it belongs to none of them; then no verdict was given.
 */
bool flow_table_packet(struct flow_table *connections, const struct queued_packet *queued,
		       const struct packet *packet);
/* Its addresses and ports are another's now, which is not followed. */
void flow_table_forget(struct flow_table *connections, const struct attempt_info *attempt);
/* The client's socket is gone: nothing can be done to its connection any more. */
void flow_table_closed(struct flow_table *connections, const struct attempt_info *attempt);
/* A carrier has come to the queue. */
void flow_table_udp_inject(struct flow_table *connections, uint32_t packet_id, uint32_t serial);
/* Drops what is held. */
void flow_table_drop_held(struct flow_table *connections);

#endif
