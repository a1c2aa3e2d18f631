/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the injector reports, as it happens: SYNs, verdicts, handshakes, deaths of sockets. */
#ifndef SYNFAULT_INJECTOR_EVENT_H
#define SYNFAULT_INJECTOR_EVENT_H

#include "injector/tracker.h"

enum injector_event_kind {
	INJECTOR_SYN,         /* an attempt's SYN arrived, the first or a retransmission */
	INJECTOR_VERDICT,     /* it was accepted, refused or dropped: done, not planned */
	INJECTOR_ESTABLISHED, /* the SYN-ACK was delivered to the client */
	INJECTOR_FAULT,       /* something was done to the connection after its SYN */
	INJECTOR_CLOSED,      /* the client's socket died */
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
	 * CLOCK_MONOTONIC. Of a SYN: when the kernel received it, not when we read it. Of a
	 * verdict and of a SYN-ACK: when it was handed to the kernel, which carries it out before
	 * it returns, so that whatever the client does in answer is later.
	 */
	int64_t at_ns;
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

	/* CLOSED: what the kernel's struct tcp_info said at the end */
	uint32_t retransmissions; /* tcpi_total_retrans */
	uint32_t segments_in;     /* tcpi_segs_in */
	uint64_t bytes_received;
	uint64_t bytes_acked;
	uint64_t bytes_sent; /* of data, without repetitions, whether acknowledged or not */
};

#endif
