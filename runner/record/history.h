/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempts of a record, each with its whole story: what judging and timelines work on.
 *
 * When does an attempt end? When the client could know its outcome. A refused attempt ends when the
 * RST or the ICMP message was sent; an accepted one when the handshake was completed. One that was
 * let through to a closed port ends when it was let through: the kernel answers with RST in the
 * same instant, however long the client keeps the dead socket. One that never got an answer ends
 * when the client gave it up (it closed the socket, took it back with connect(AF_UNSPEC) or
 * shutdown(), or connected it again), or when the kernel's own schedule timed it out, however long
 * the client keeps the socket after that. If synfault's TERM or the client's exit closed the
 * socket, the client did not give the attempt up: it was open until the client's end.
 *
 * A socket is not an attempt: attempts with the same cookie share one, which is gone when its last
 * attempt's is.
 *
 * Each time has an earliest value beside it, which is the same where the time is exact.
 */
#ifndef SYNFAULT_RUNNER_RECORD_HISTORY_H
#define SYNFAULT_RUNNER_RECORD_HISTORY_H

#include "runner/record/record.h"

enum attempt_end {
	END_REFUSED,     /* RST sent by us */
	END_ESTABLISHED, /* handshake completed */
	END_ABANDONED,   /* the client gave it up before any answer */
	END_REJECTED,    /* let through, but no socket listened: the kernel's own RST */
	END_UNREACHABLE, /* ICMP sent by us */
	END_TIMED_OUT,   /* no answer: the kernel's schedule of SYNs ended */
	END_OPEN,        /* none of these until the record's end */
	END_N_KINDS,
};
/** attempt_end_name() - return "refused", "established", "abandoned", "timed-out", … */
const char *attempt_end_name(enum attempt_end end);

/*
 * A SYN that comes this long after its attempt was answered shows that the answer did not arrive: a
 * kernel retransmits no SYN after an RST or a SYN-ACK. Shorter than any SYN retransmission time,
 * longer than two clocks or two processors can disagree.
 */
#define ANSWER_SLACK_NS (10 * INT64_C(1000000))

/* Faults on a connection after its SYN. Most attempts have none: see attempt_details. */
struct attempt_faults {
	int64_t at_ns[FAULT_N_KINDS];  /* when each first happened; INT64_MAX: never */
	uint64_t bytes[FAULT_N_KINDS]; /* that had passed by then */
	int64_t early_ns;              /* each may have happened this much earlier */
	int64_t late_ns; /* how much later packets came through our fault, all in all */
	/* The outage that broke the connection, as struct net_event has it, and how. */
	uint32_t outage; /* 0: none did */
	enum fault_kind outage_fault;
};

/* Parts that are read once, or for few attempts. */
struct attempt_details {
	/* When each of these first happened; INT64_MAX: never. */
	int64_t accepted_ns, refused_ns, unreachable_ns, established_ns;
	/* How much earlier the same may have happened. */
	int64_t accepted_early_ns, refused_early_ns, unreachable_early_ns, established_early_ns;
	/* Left SYN_SENT; last seen there. INT64_MAX and INT64_MIN: neither. */
	int64_t gone_ns, gone_earliest_ns, last_unanswered_ns;
	/* When its socket was last seen in the client's hands; INT64_MIN: never. */
	int64_t last_open_ns;
	/* The client's own FIN or RST; INT64_MAX: none. */
	int64_t client_end_ns, client_end_earliest_ns;
	int64_t last_receive_ns;         /* of data, before the client's end; or NEVER_RECEIVED */
	uint64_t end_received, end_sent; /* of data, by the client's end */
	bool client_reset;               /* the client's end was an RST */
	/*
	 * END_ABANDONED: the client's exit may have closed it. END_OPEN: the client's exit, or
	 * TERM, closed it.
	 */
	bool by_exit;
	int64_t last_syn_ns;                     /* arrival of its last SYN */
	int64_t max_lag_ns;                      /* of its verdicts */
	uint32_t dropped;                        /* SYNs dropped by us */
	uint32_t accepted, refused, unreachable; /* verdicts that took effect */
	uint32_t kernel_retransmissions;         /* the kernel's own count, when its socket died */
	/* Of data; reported with the socket's death, or when it outlives the client. */
	uint64_t bytes_received, bytes_sent;
	bool bytes_reported;           /* false: not reported, both are 0 */
	struct attempt_faults *faults; /* owned by the history; NULL: none */
};

/*
 * Judging goes through all attempts many times, and a long record has more than fit into a
 * processor's cache. So an attempt takes less than a cache line, and its details are elsewhere.
 */
struct attempt_history {
	uint32_t id; /* index into record->attempts */
	enum attempt_end end;
	uint32_t syns;                           /* seen by us */
	int64_t started_ns, started_earliest_ns; /* first SYN */
	int64_t ended_ns, ended_earliest_ns;     /* valid unless end is END_OPEN */
	/*
	 * When the client could go on: ended_ns; if a fault broke the connection, the time of the
	 * fault; if it was stalled to the end, the client's own end. INT64_MAX: not until the
	 * record's end.
	 */
	int64_t over_ns, over_earliest_ns;
	int64_t closed_ns, closed_earliest_ns; /* its socket's death; INT64_MAX: not seen */
	struct attempt_details *details;       /* one of the history's */
};

struct history {
	const struct record *record;      /* borrowed */
	struct attempt_history *attempts; /* by id: in the order of first SYNs */
	struct attempt_details *details;  /* of as many */
	size_t n_attempts;
	size_t n_with_faults; /* of the attempts */
	/* Starts, ends and the timeout: the few events about processes, in their order. */
	const struct event **process_events;
	size_t n_process_events, process_events_capacity;
	const struct event **still_open; /* EVENT_STILL_OPEN, in their order */
	size_t n_still_open, still_open_capacity;
	const struct event **exits; /* by instance of the client: its end, or NULL */
	int64_t stopped_ns;         /* when synfault sent TERM to the client; INT64_MAX: never */
};

/**
 * history_make() - make the history of a record; pure
 * @record: borrowed; events about attempts that it does not have are ignored
 *
 * Free it with history_free().
 */
struct history history_make(const struct record *record);
void history_free(struct history *history);

/** attempt_fault_ns() - return when such a fault first hit the attempt; INT64_MAX: never */
int64_t attempt_fault_ns(const struct attempt_history *attempt, enum fault_kind kind);
/** attempt_had_fault() - return whether such a fault hit the attempt */
bool attempt_had_fault(const struct attempt_history *attempt, enum fault_kind kind);
/**
 * attempt_had_own_fault() - return whether such a fault hit the attempt, and its own step did it,
 * not an outage
 */
bool attempt_had_own_fault(const struct attempt_history *attempt, enum fault_kind kind);
/**
 * attempt_outage() - return the outage that ended its connection: a step, counted from 1; 0: none
 * did
 */
uint32_t attempt_outage(const struct attempt_history *attempt);
/**
 * attempt_is_stalled() - return whether the connection was stalled when the client ended it
 *
 * True also if both lasted until the record's end; false if the stall healed before.
 */
bool attempt_is_stalled(const struct attempt_history *attempt);
/** attempt_fault_bytes() - return how many bytes had passed when it first did; 0: never */
uint64_t attempt_fault_bytes(const struct attempt_history *attempt, enum fault_kind kind);
/** history_instance_exit() - return the end of an instance of the client, or NULL */
const struct event *history_instance_exit(const struct history *history, uint32_t instance);
/** history_exit() - return what record_exit() returns, without going through all events */
const struct event *history_exit(const struct history *history);
/** history_timed_out() - return what record_timed_out() returns; likewise */
bool history_timed_out(const struct history *history);

/**
 * history_of() - list the attempts at one endpoint in the order of their first SYNs
 * @endpoint: its index; SIZE_MAX or ALL_ENDPOINTS: all
 * @ret: an array of borrowed pointers; the caller frees the array
 *
 * Attempts after synfault's TERM are left out: the client did not choose its end.
 *
 * Return: the number of attempts.
 */
size_t history_of(const struct history *history, size_t endpoint,
		  const struct attempt_history ***ret);

#endif
