/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempts of a record, each with its whole story: what judgement and the timeline work on.
 *
 * When does an attempt end? When the client could know its outcome: for a refused one when the RST
 * was sent, or the ICMP message, for an accepted one when the handshake was completed, for one that
 * never got an answer when its socket died: the client gave up. One that was let through to a
 * closed port ends when it was let through: the kernel answers with RST in the same instant, while
 * the client may keep the dead socket for as long as it likes.
 */
#ifndef SYNFAULT_RUNNER_RECORD_HISTORY_H
#define SYNFAULT_RUNNER_RECORD_HISTORY_H

#include "runner/record/record.h"

enum attempt_end {
	END_REFUSED,     /* RST sent by us */
	END_ESTABLISHED, /* handshake completed */
	END_ABANDONED,   /* the client closed its socket before any answer */
	END_REJECTED,    /* let through, but nobody listened: the kernel's own RST */
	END_UNREACHABLE, /* ICMP sent by us */
	END_OPEN,        /* none of these until the record's end */
	END_N_KINDS,
};
/* "refused", "established", "abandoned", "rejected", "unreachable", "open" */
const char *attempt_end_name(enum attempt_end end);

/*
 * A SYN this much after its attempt was answered shows that the answer was none: neither an RST nor
 * a SYN-ACK lets a kernel repeat a SYN. Shorter than any SYN retransmission time, longer than two
 * clocks or two processors can disagree.
 */
#define ANSWER_SLACK_NS (10 * INT64_C(1000000))

/* What faults did to a connection after its SYN. Most attempts have none: see attempt_details. */
struct attempt_faults {
	int64_t at_ns[FAULT_N_KINDS];  /* when each first happened; INT64_MAX: never */
	uint64_t bytes[FAULT_N_KINDS]; /* that had passed by then */
};

/* What is looked at once, or of few attempts. */
struct attempt_details {
	/* When each of these first happened; INT64_MAX: never. */
	int64_t accepted_ns, refused_ns, unreachable_ns, established_ns;
	int64_t last_syn_ns;                     /* arrival of its last SYN */
	int64_t max_lag_ns;                      /* of its verdicts */
	uint32_t dropped;                        /* SYNs dropped by us */
	uint32_t accepted, refused, unreachable; /* verdicts that took effect */
	uint32_t kernel_retransmissions;         /* the kernel's own count, when its socket died */
	/* Of data, both 0 unless told: with its socket's death, or when it outlives the client. */
	uint64_t bytes_received, bytes_sent;
	bool bytes_told;
	struct attempt_faults *faults; /* owned by the history; NULL: none */
};

/*
 * Judgement goes through all of them many times, and a long record has more than fit into a
 * processor's cache: each takes less than a line of it, and the details stand elsewhere.
 */
struct attempt_history {
	uint32_t id; /* index into record->attempts */
	enum attempt_end end;
	uint32_t syns;      /* seen by us */
	int64_t started_ns; /* first SYN */
	int64_t ended_ns;   /* meaningful unless end is END_OPEN */
	/*
	 * When the client could go on: ended_ns; of a connection that a fault broke when that came,
	 * of one that it stalled when the socket died. INT64_MAX: not until the record's end.
	 */
	int64_t over_ns;
	int64_t closed_ns;               /* socket death; INT64_MAX: not seen */
	struct attempt_details *details; /* one of the history's */
};

struct history {
	const struct record *record;      /* borrowed */
	struct attempt_history *attempts; /* by id: in the order of first SYNs */
	struct attempt_details *details;  /* of as many */
	size_t n_attempts;
	size_t n_with_faults; /* of the attempts */
	/* Starts, ends and the timeout: the few events that are about processes, in their order. */
	const struct event **process_events;
	size_t n_process_events, process_events_capacity;
	const struct event **standing; /* EVENT_STANDING, in their order */
	size_t n_standing, standing_capacity;
	const struct event **exits; /* by instance of the client: its end, or NULL */
};

/* Pure. Free it with history_free(). Events that name an attempt that is not there are ignored. */
struct history history_make(const struct record *record);
void history_free(struct history *history);

/* When a fault of that kind first happened to the attempt, INT64_MAX: never. */
int64_t attempt_fault_ns(const struct attempt_history *attempt, enum fault_kind kind);
bool attempt_had_fault(const struct attempt_history *attempt, enum fault_kind kind);
/* Bytes that had passed when it first happened, 0: never. */
uint64_t attempt_fault_bytes(const struct attempt_history *attempt, enum fault_kind kind);
/* The end of one instance of the client, or NULL. */
const struct event *history_instance_exit(const struct history *history, uint32_t instance);
/* As the functions of the same names say of a record, without going through all of its events. */
const struct event *history_exit(const struct history *history);
bool history_timed_out(const struct history *history);

/*
 * The attempts of one endpoint (or of all: SIZE_MAX, ALL_ENDPOINTS) in the order of their first
 * SYNs. Returns the number and writes an array of pointers, which the caller frees.
 */
size_t history_of(const struct history *history, size_t endpoint,
		  const struct attempt_history ***ret);

#endif
