/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the injector reports, as it happens: SYNs, verdicts, handshakes, what sockets do. */
#ifndef SYNFAULT_INJECTOR_EVENT_H
#define SYNFAULT_INJECTOR_EVENT_H

#include "injector/tracker.h"

enum injector_event_kind {
	INJECTOR_SYN,         /* an attempt's SYN arrived, the first or a retransmission */
	INJECTOR_VERDICT,     /* it was accepted, refused or dropped: done, not planned */
	INJECTOR_ESTABLISHED, /* the SYN-ACK was delivered to the client */
	INJECTOR_FAULT,       /* something was done to the connection after its SYN */
	INJECTOR_OPEN,        /* a look at the kernel's table found the attempt's socket there */
	INJECTOR_GONE,       /* an unanswered attempt left SYN-SENT, before any notice of a death */
	INJECTOR_CLIENT_END, /* the client's own first FIN or RST on the connection */
	INJECTOR_CLOSED,     /* the client's socket died */
	INJECTOR_N_KINDS,
};

/* What was done to a connection, or to its SYN-ACK. */
enum fault_kind {
	FAULT_SYN_ACK_LOST,
	FAULT_STALLED, /* from here on nothing gets through */
	FAULT_RESET,   /* RST to the client */
	FAULT_CLOSED,  /* FIN to the client */
	FAULT_SLOWED,  /* the first byte that had to wait */
	FAULT_N_KINDS,
};
/* "syn-ack-lost", "stalled", "reset", "closed", "slowed" */
const char *fault_kind_name(enum fault_kind kind);

struct injector_event {
	enum injector_event_kind kind;
	/*
	 * CLOCK_MONOTONIC: the earliest and the latest time at which it can have happened; equal
	 * where it is exact. From:
	 *
	 *     SYN          when the kernel received it; else the last time that nothing was there
	 *                  to read, until it was read
	 *     VERDICT, ESTABLISHED, FAULT
	 *                  before the verdict was handed to the kernel, until that was done: the
	 *                  kernel carries a verdict out before it returns
	 *     OPEN         exact: the look began
	 *     GONE         when a look last found the socket, until one did not
	 *     CLIENT_END   as of a SYN
	 *     CLOSED       when the socket was last known to be open, until the notice was read
	 */
	int64_t earliest_ns, at_ns;
	struct attempt_info attempt; /* after the event */
	uint32_t syn_ordinal;        /* SYN, VERDICT: which of the attempt's SYNs, from 1 */

	/* SYN */
	uint8_t tcp_flags;
	uint32_t payload_length;

	/* VERDICT */
	enum verdict_kind verdict;
	int64_t lag_ns; /* how much later than asked for the verdict took effect, at most */

	/* FAULT */
	enum fault_kind fault;
	uint64_t bytes; /* of data that had passed by then, in the direction that the step counts */

	/* OPEN: TCP_SYN_SENT, TCP_ESTABLISHED, … (netinet/tcp.h) */
	uint8_t tcp_state;

	/* CLIENT_END */
	bool rst; /* else FIN */
	/* When the last data came to the client; 0: none came, or it is not known when. */
	int64_t last_receive_ns;

	/* CLOSED: what the kernel's struct tcp_info said at the end; all 0 when it was cleared */
	uint32_t retransmissions; /* tcpi_total_retrans */
	uint32_t segments_in;     /* tcpi_segs_in */
	uint64_t bytes_acked;
	/* CLOSED, CLIENT_END: of data, without repetitions */
	uint64_t bytes_received;
	uint64_t bytes_sent; /* whether acknowledged or not */
};

#endif
