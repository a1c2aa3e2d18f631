/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A step of a fault script: what happens to a connection attempt. step_text.h has its grammar. */
#ifndef SYNFAULT_INJECTOR_STEP_H
#define SYNFAULT_INJECTOR_STEP_H

#include "common/strbuf.h"
#include "injector/condition.h"

enum step_action {
	STEP_ACCEPT, /* the SYN goes to the server */
	STEP_REFUSE, /* answered with RST */
	STEP_DROP,   /* all SYNs of the attempt are dropped */
	STEP_LOSE,   /* the first `lose` SYNs of the attempt are dropped, later ones get through */
	STEP_DELAY,  /* every SYN is held for the attempt's delay, then accepted or refused */
	STEP_UNREACHABLE,  /* answered with ICMP */
	STEP_LOSE_SYN_ACK, /* the first `lose` SYN-ACKs are dropped, later ones get through */
	STEP_HALF_OPEN,    /* the client's handshake completes, then nothing gets through */
	STEP_BACKLOG_FULL, /* as with a full accept queue: SYNs are dropped, or (`abort`) the
			      handshake completes and RST follows */
	STEP_RESET,        /* connected, then RST to both sides */
	STEP_STALL,        /* connected, then nothing gets through */
	STEP_CLOSE,        /* connected, then FIN to the client */
	STEP_SLOW,         /* connected, data goes at a rate */
	STEP_PACKET_LOSS,  /* connected, some packets with data are lost */
	STEP_LATENCY,      /* connected, packets come late */
	STEP_PAUSE,        /* SYNs are lost while a pause lasts */
	STEP_N_ACTIONS,
};

/* What an ICMP answer says (RFC 792; RFC 4443, 3.1). */
enum unreachable_kind {
	UNREACHABLE_NET,
	UNREACHABLE_HOST,
	UNREACHABLE_PORT,
	UNREACHABLE_ADMIN,    /* prohibited */
	UNREACHABLE_PROTOCOL, /* IPv4 only */
	UNREACHABLE_N_KINDS,
};

/* When the fault of STEP_RESET, STEP_STALL and STEP_CLOSE comes. */
enum step_after {
	AFTER_ACCEPT, /* as soon as the handshake is complete */
	AFTER_BYTES,  /* after .bytes bytes; 0: instead of the first byte */
	AFTER_TIME,   /* .after_ns after the handshake */
};

/* How an outage ends established connections. */
enum step_ending {
	STEP_ENDS_NONE, /* not at all */
	STEP_ENDS_RESET,
	STEP_ENDS_CLOSE,
	STEP_ENDS_STALL,
	STEP_ENDS_PAUSE, /* stalled until the outage ends; only with STEP_PAUSE */
	STEP_N_ENDINGS,
};

/* What STEP_STALL stops, and what STEP_PACKET_LOSS and STEP_LATENCY are about. */
enum stall_way {
	STALL_BOTH_WAYS,
	STALL_FROM_SERVER,
	STALL_TO_SERVER,
};

struct step {
	enum step_action action;
	enum step_action then; /* what follows on the connection; STEP_ACCEPT: nothing */
	uint32_t list;         /* number of its list: see struct script */
	uint32_t repeat;       /* attempts that the step serves, at least 1 */
	bool repeat_explicit;  /* "xN" was written */
	bool then_refuse;      /* STEP_DELAY: refuse at the end instead of accepting */
	bool then_unreachable; /* STEP_DELAY: ICMP at the end instead of accepting */
	bool abort;            /* STEP_BACKLOG_FULL: with tcp_abort_on_overflow */
	bool to_server;        /* AFTER_BYTES: count those to the server */
	bool slow_to_server;   /* STEP_SLOW: slow those to the server */
	/* An outage of one address after the other; kept only for a command: others get times. */
	bool each;
	/* Of connections whenever the window of .when begins; it has no other part but a family. */
	enum step_ending ending;
	enum unreachable_kind unreachable; /* STEP_UNREACHABLE, or at the end of STEP_DELAY */
	enum step_after after;             /* RESET, STALL, CLOSE */
	enum stall_way way;                /* STEP_STALL, STEP_PACKET_LOSS, STEP_LATENCY */
	uint32_t lose;        /* STEP_LOSE: number of SYNs; STEP_LOSE_SYN_ACK: of SYN-ACKs */
	uint32_t loss;        /* STEP_PACKET_LOSS: of CHANCE_ALWAYS packets */
	uint32_t burst;       /* STEP_PACKET_LOSS: lost in a row, on average; 0: independently */
	int64_t delay_min_ns; /* STEP_DELAY: range to draw from; equal for a fixed delay */
	int64_t delay_max_ns;
	uint64_t bytes;        /* AFTER_BYTES */
	int64_t after_ns;      /* AFTER_TIME */
	uint64_t rate;         /* STEP_SLOW: bytes per second */
	int64_t for_ns;        /* STEP_STALL: how long; 0: for good */
	int64_t latency_ns;    /* STEP_LATENCY: how late packets come, on average */
	int64_t jitter_ns;     /* STEP_LATENCY: by how much more or less, at most */
	struct condition when; /* which attempts it applies to */
};

/** step_action_breaks() - return whether the action ends an established connection */
bool step_action_breaks(enum step_action action);
/**
 * step_break() - return what the step does to end an established connection: STEP_RESET,
 * STEP_STALL, STEP_CLOSE; or STEP_ACCEPT for nothing
 */
enum step_action step_break(const struct step *step);
/** step_connects() - return whether the step lets an attempt connect, if only for a moment */
bool step_connects(const struct step *step);
/** step_slows() - return whether the step slows the connection */
bool step_slows(const struct step *step);
/** step_loses_packets() - return whether the step loses packets of the connection */
bool step_loses_packets(const struct step *step);
/** step_is_late() - return whether packets of the connection come late under the step */
bool step_is_late(const struct step *step);

#define SCRIPT_MAX_REPEAT 1000000
#define SCRIPT_MAX_BYTES  UINT64_C(1000000000000000)

/**
 * step_hold() - turn a step into what happened to an attempt that was held for a time
 * @verdict: an accept, refuse, drop or unreachable step, decided at the end
 *
 * A dropped SYN has no end to wait for: the step becomes `drop`.
 */
void step_hold(struct step *step, const struct step *verdict, int64_t held_ns);
/** step_is_verdict() - return whether a step is a verdict that can be given at once */
bool step_is_verdict(const struct step *step);

extern const char *const step_action_names[]; /* ends with NULL */
/** step_action_name() - return the action as a word: "accept", "refuse", … */
const char *step_action_name(enum step_action action);
/** step_ending_name() - return "reset", "close", "stall" or "pause"; "" for STEP_ENDS_NONE */
const char *step_ending_name(enum step_ending ending);

/* Where and why a step's text is wrong. */
struct step_error {
	size_t offset, length; /* bytes of the text to mark */
	char message[192];
	char hint[256]; /* the remedy; empty: none */
};

#endif
