/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells connection attempts apart and decides what happens to each of their SYNs. Nothing here
 * knows a socket, a clock or the kernel: packets and times come in, verdicts come out.
 *
 * Theory of operation
 * -------------------
 * An attempt is one connect(): its key is the 4-tuple and the initial sequence number (ISN). The
 * kernel repeats a SYN with the same key (RFC 9293, 3.8.1; net/ipv4/tcp_output.c,
 * tcp_retransmit_skb), while a new connect() draws a new ISN even from the same port
 * (net/core/secure_seq.c). So a SYN with a known key is a retransmission of its attempt, one with a
 * new key starts the endpoint's next attempt. Time plays no part: clients leave timed-out sockets
 * open, whose SYNs go on between those of later attempts.
 *
 *     new key ──► WAITING ──(SYN-ACK seen)──► ESTABLISHED ──┐
 *                   │  └──(RST sent)────────► REFUSED ──────┤
 *                   └───────────────────────────────────────┴──(socket dies)──► closed = true
 *
 * An attempt gets its step from the script when it starts and keeps it: all of its SYNs are treated
 * by that step, whatever happens to the script's next attempts meanwhile.
 */
#ifndef SYNFAULT_INJECTOR_TRACKER_H
#define SYNFAULT_INJECTOR_TRACKER_H

#include "injector/packet.h"
#include "injector/script.h"

enum attempt_state {
	ATTEMPT_WAITING,     /* no answer yet */
	ATTEMPT_REFUSED,     /* we had it answered with RST, or ICMP */
	ATTEMPT_ESTABLISHED, /* the SYN-ACK was delivered to the client */
	ATTEMPT_N_STATES,
};

/* What identifies an attempt. Without padding: hashed as memory. */
struct attempt_key {
	struct address client, server;
	uint32_t isn;
};
_Static_assert(sizeof(struct attempt_key) == 44, "keys are hashed as memory");

struct attempt; /* one connect(); see attempt_info() */

/* What is known of an attempt; a copy, valid for ever. */
struct attempt_info {
	struct attempt_key key;
	uint32_t id;         /* 0, 1, 2 … in the order of first SYNs, over all endpoints */
	uint32_t endpoint;   /* index into the tracker's endpoints */
	uint32_t number;     /* 1, 2, 3 … at this endpoint */
	uint32_t step;       /* index into the endpoint's script */
	uint32_t syns;       /* SYNs seen: 1 + retransmissions */
	uint32_t syn_acks;   /* SYN-ACKs seen */
	int64_t delay_ns;    /* drawn once for the attempt; 0 unless its step delays */
	int64_t started_ns;  /* arrival of its first SYN */
	int64_t seen_ns;     /* the last moment at which its socket was known to be open */
	uint64_t cookie;     /* the kernel's number for its socket; 0: not known */
	uint64_t inode;      /* of the socket; 0: not known */
	uint32_t server_isn; /* of the last SYN-ACK; 0: there was none */
	enum attempt_state state;
	bool closed;       /* its socket is gone */
	bool client_ended; /* the client's first FIN or RST was seen */
	bool server_ended; /* the server's FIN was seen; its sequence number is */
	uint32_t server_fin;
};

/* What is to be done with one SYN. */
enum verdict_kind {
	VERDICT_ACCEPT,      /* to the server */
	VERDICT_REFUSE,      /* RST to the client */
	VERDICT_DROP,        /* no answer */
	VERDICT_UNREACHABLE, /* ICMP to the client */
	VERDICT_N_KINDS,
};
/* "accept", "refuse", "drop", "unreachable" */
const char *verdict_kind_name(enum verdict_kind kind);

struct verdict {
	enum verdict_kind kind;
	enum unreachable_kind unreachable; /* VERDICT_UNREACHABLE: what the ICMP answer says */
	int64_t hold_ns;                   /* do it this long after the SYN's arrival; 0: at once */
};

/* What is to be done with one packet, in the end. */
struct packet_verdict {
	enum verdict_kind kind;
	enum unreachable_kind unreachable; /* VERDICT_UNREACHABLE */
	/* VERDICT_ACCEPT: the packet is to be this one instead; borrowed. NULL: as it is. */
	const uint8_t *data;
	size_t length;
};

/*
 * The decision itself, pure: what the step does to the SYN with this ordinal (1 is the attempt's
 * first, later ones are retransmissions). @delay_ns is the attempt's own delay.
 */
struct verdict step_decide(const struct step *step, uint32_t syn_ordinal, int64_t delay_ns);

struct tracker;

/* An endpoint as the tracker sees it; everything is copied. */
struct tracker_endpoint {
	const struct address *addresses;
	size_t n_addresses;
	const struct script *script;
	bool remote;           /* others provide it, maybe on another host (injector.h) */
	const uint32_t *lists; /* by address: the list of the script that is for it; NULL: all 0 */
};

/*
 * @seed: for chances, and for delays that are drawn from a range; the same seed, endpoint and
 * attempt number always give the same. Addresses must be distinct over all endpoints. Never fails;
 * free it with tracker_free().
 */
struct tracker *tracker_new(const struct tracker_endpoint *endpoints, size_t n_endpoints,
			    uint64_t seed);
void tracker_free(struct tracker *tracker);

/*
 * From when the times in conditions count; on the clock of tracker_syn(), and more than 0. Until it
 * is told, they count from the first SYN.
 */
void tracker_client_started(struct tracker *tracker, int64_t at_ns);

struct tracker_decision {
	struct attempt_info attempt; /* after this SYN was counted */
	bool retransmission;         /* false: this SYN started the attempt */
	struct verdict verdict;
};

/*
 * Takes a SYN that arrived at @now_ns. Returns 0 and writes @ret; -ENOENT when no endpoint has the
 * packet's destination (nothing is counted then).
 */
int tracker_syn(struct tracker *tracker, const struct packet *packet, int64_t now_ns,
		struct tracker_decision *ret);

/*
 * Takes a SYN-ACK on its way to the client. Returns 0 and writes the attempt, now established;
 * -EAGAIN when its step loses this SYN-ACK, and -EALREADY when the attempt was established before,
 * with the attempt written, too; -ENOENT when it answers none that is known (RFC 9293, 3.5: its
 * acknowledgment number has to be ISN + 1, or more when the SYN carried data).
 */
int tracker_syn_ack(struct tracker *tracker, const struct packet *packet, struct attempt_info *ret);

/* The RST, or the ICMP message, for this attempt was sent. Returns 0 and writes the attempt, or
 * -ENOENT. */
int tracker_refused(struct tracker *tracker, uint32_t id, struct attempt_info *ret);

/* Like tracker_syn_ack(), but counts nothing. Returns 0 and writes the attempt's id, or -ENOENT. */
int tracker_find_answered(const struct tracker *tracker, const struct packet *packet,
			  uint32_t *ret_id);

/*
 * Finds the newest attempt with this 4-tuple whose socket is not known to be gone. Returns 0 and
 * writes its id, or -ENOENT.
 */
int tracker_find_open(struct tracker *tracker, const struct address *client,
		      const struct address *server, uint32_t *ret_id);
/* Finds the newest attempt with this 4-tuple. Returns 0 and writes its id, or -ENOENT. */
int tracker_find_newest(const struct tracker *tracker, const struct address *client,
			const struct address *server, uint32_t *ret_id);
/* Notes the client's first FIN or RST. */
void tracker_note_client_end(struct tracker *tracker, uint32_t id);
/* Notes the server's FIN; the first counts. */
void tracker_note_server_fin(struct tracker *tracker, uint32_t id, uint32_t sequence);
/* The socket of the attempt is gone. Returns the attempt. */
struct attempt_info tracker_close(struct tracker *tracker, uint32_t id);
/* Notes which socket made the attempt. */
void tracker_note_socket(struct tracker *tracker, uint32_t id, uint64_t cookie, uint64_t inode);
/* Notes that the attempt's socket was open at @at_ns (CLOCK_MONOTONIC). */
void tracker_note_seen(struct tracker *tracker, uint32_t id, int64_t at_ns);

/* Attempts seen so far, and one of them by id (below that number). */
size_t tracker_n_attempts(const struct tracker *tracker);
struct attempt_info tracker_attempt(const struct tracker *tracker, uint32_t id);
/* The attempt that had the same 4-tuple before this one. Returns 0, or -ENOENT: there is none. */
int tracker_earlier(const struct tracker *tracker, uint32_t id, uint32_t *ret_id);
/* The step that serves an attempt; borrowed from the tracker. */
const struct step *tracker_step(const struct tracker *tracker, uint32_t id);

#endif
