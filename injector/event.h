/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events that the injector reports: SYNs, verdicts, handshakes, what sockets do. */
#ifndef SYNFAULT_INJECTOR_EVENT_H
#define SYNFAULT_INJECTOR_EVENT_H

#include "injector/tracker.h"

/*
 * What can happen in a run. The injector reports the events about attempts, except STILL_OPEN and
 * ORPHANED. The client's supervisor adds those and all others.
 */
enum event_kind {
	EVENT_SYN,         /* an attempt's SYN arrived; ordinal 2 and up: a retransmission */
	EVENT_VERDICT,     /* what was done to it */
	EVENT_ESTABLISHED, /* the handshake was completed for the client */
	EVENT_FAULT,       /* something was done to the connection after its SYN */
	EVENT_OPEN,        /* the kernel's table still has the attempt's socket */
	EVENT_GONE, /* the attempt left SYN_SENT without an answer, and no death was reported yet */
	EVENT_CLIENT_END,  /* the client's own first FIN or RST on the connection */
	EVENT_STILL_OPEN,  /* the client has ended, but a process it left has the socket open */
	EVENT_ORPHANED,    /* the client's socket is closed, but the kernel keeps it: its counts */
	EVENT_CLOSED,      /* the client's socket died; the last kind that is about an attempt */
	EVENT_START,       /* an instance of the client was started */
	EVENT_OUTPUT,      /* the client wrote to stdout or stderr */
	EVENT_SERVER_EXIT, /* a server command ended before the client did */
	EVENT_STARVATION,  /* how long processes have been ready without a processor so far */
	EVENT_OUTAGE,      /* a command began an outage at an endpoint */
	EVENT_STOP,        /* the client has run for its time, and was sent SIGTERM */
	EVENT_TIMEOUT,     /* the scenario's timeout ran out; the client was ended */
	EVENT_EXIT,        /* the first process of an instance of the client ended */
	EVENT_N_KINDS,
};
/** event_kind_name() - return the kind's name in JSON: "syn", "verdict", … */
const char *event_kind_name(enum event_kind kind);

/* What was done to a connection, or to its SYN-ACK. */
enum fault_kind {
	FAULT_SYN_ACK_LOST,
	FAULT_STALLED,     /* from now on nothing gets through, or nothing of one side */
	FAULT_RESET,       /* RST to the client */
	FAULT_CLOSED,      /* FIN to the client */
	FAULT_SLOWED,      /* the first byte had to wait */
	FAULT_HEALED,      /* what was stalled gets through again */
	FAULT_PACKET_LOST, /* a packet with data */
	FAULT_DELAYED,     /* the first packet has to wait, or one waited for too long */
	FAULT_N_KINDS,
};
/**
 * fault_kind_name() - return the kind's name in JSON: "syn-ack-lost", "stalled", "reset", "closed",
 * "slowed", "healed", "packet-lost", "delayed"
 */
const char *fault_kind_name(enum fault_kind kind);

/* CLIENT_END: no data was received, or the time is unknown. */
#define NEVER_RECEIVED INT64_MIN

/* What happened to an attempt. */
struct net_event {
	uint32_t attempt; /* id */
	uint32_t ordinal; /* SYN, VERDICT: which SYN of the attempt, from 1 */
	/* A union saves memory: a client in an endless loop makes a million events. */
	union {
		uint32_t payload_length; /* SYN */
		struct {                 /* VERDICT */
			enum verdict_kind verdict;
			int64_t lag_ns; /* how late it took effect, at most */
		};
		struct { /* FAULT */
			enum fault_kind fault;
			/*
			 * The outage that did it: its step, counted from 1; 0: the attempt's own
			 * step
			 */
			uint32_t outage;
			/* of data that had passed before, in the direction that the step counts */
			uint64_t bytes;
			/* DELAYED, HEALED: how late it came through our fault, all in all so far */
			int64_t late_ns;
		};
		unsigned tcp_state; /* OPEN: TCP_SYN_SENT, TCP_ESTABLISHED, … */
		struct {            /* CLIENT_END */
			bool rst;   /* else FIN */
			/* bytes of data that the client had sent and received before */
			uint64_t end_sent, end_received;
			/* when its last data came, or NEVER_RECEIVED */
			int64_t last_receive_ns;
		};
		struct { /* CLOSED, ORPHANED: the kernel's tcp_info; all 0 if it was cleared */
			uint32_t retransmissions;
			/* bytes_acked counts SYN and FIN, too */
			uint64_t bytes_received, bytes_acked;
			uint64_t bytes_sent; /* of data, without retransmissions */
		};
	};
};

struct injector_event {
	enum event_kind kind;
	/*
	 * CLOCK_MONOTONIC: the earliest and the latest time at which it can have happened, equal if
	 * the time is exact:
	 *
	 *     SYN          exact, by the kernel's time stamp; without one, from when the queue was
	 *                  last empty until the packet was read
	 *     VERDICT, ESTABLISHED, FAULT
	 *                  from before the verdict was handed to the kernel until afterwards: the
	 *                  kernel carries it out before the call returns
	 *     OPEN         exact: when the look began
	 *     GONE         from when a look last found the socket until one did not
	 *     CLIENT_END   as for a SYN
	 *     CLOSED       from when the socket was last known to be open until the notice was read
	 */
	int64_t earliest_ns, at_ns;
	struct attempt_info attempt; /* after the event */
	uint8_t tcp_flags;           /* SYN */
	uint32_t segments_in;        /* CLOSED: tcpi_segs_in */
	struct net_event net;        /* times in it are CLOCK_MONOTONIC, too */
};

#endif
