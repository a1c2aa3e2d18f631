/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distinguishes connection attempts, and decides what happens to each of their SYNs. It knows no
 * socket, clock or kernel: packets and times come in, verdicts come out.
 *
 * Theory of operation
 * -------------------
 * An attempt is one connect(). Its key is the 4-tuple and the initial sequence number (ISN). The
 * kernel retransmits a SYN with the same key (RFC 9293, 3.8.1; net/ipv4/tcp_output.c,
 * tcp_retransmit_skb), while a new connect() draws a new ISN even from the same port
 * (net/core/secure_seq.c). So a SYN with a known key is a retransmission of its attempt, and a SYN
 * with a new key starts the endpoint's next attempt. Times play no part: clients leave timed-out
 * sockets open, whose SYNs continue between those of later attempts.
 *
 *     new key ──► WAITING ──(SYN-ACK seen)──► ESTABLISHED ──┐
 *                   │  └──(RST sent)────────► REFUSED ──────┤
 *                   └───────────────────────────────────────┴──(socket dies)──► closed = true
 *
 * An attempt gets its step from the script when it starts. The same step serves all of its SYNs,
 * even after later attempts have got other steps, or the endpoint another script.
 *
 * An endpoint's script can be replaced at any time. Its steps are numbered on: the first step of
 * the second script comes after the last one of the first.
 */
#ifndef SYNFAULT_INJECTOR_TRACKER_H
#define SYNFAULT_INJECTOR_TRACKER_H

#include "injector/packet.h"
#include "injector/script.h"

enum attempt_state {
	ATTEMPT_WAITING,     /* no answer yet */
	ATTEMPT_REFUSED,     /* answered with RST or ICMP */
	ATTEMPT_ESTABLISHED, /* the SYN-ACK was delivered to the client */
	ATTEMPT_N_STATES,
};

/* Identifies an attempt. Without padding, since it is hashed as memory. */
struct attempt_key {
	struct address client, server;
	uint32_t isn;
};
_Static_assert(sizeof(struct attempt_key) == 44, "keys are hashed as memory");

struct attempt; /* one connect(); see attempt_info() */

/* What is known about an attempt; a copy, valid for ever. */
struct attempt_info {
	struct attempt_key key;
	uint32_t id;         /* 0, 1, 2 … in the order of first SYNs at all endpoints */
	uint32_t endpoint;   /* index into the tracker's endpoints */
	uint32_t number;     /* 1, 2, 3 … at this endpoint */
	uint32_t step;       /* index into the steps of the endpoint's scripts */
	uint32_t syns;       /* SYNs seen: 1 + retransmissions */
	uint32_t syn_acks;   /* SYN-ACKs seen */
	int64_t delay_ns;    /* drawn once for the attempt; 0 unless its step delays */
	int64_t started_ns;  /* arrival of its first SYN */
	int64_t seen_ns;     /* when its socket was last known to be open */
	uint64_t cookie;     /* the kernel's number for its socket; 0: unknown */
	uint64_t inode;      /* of the socket; 0: unknown */
	uint32_t server_isn; /* of the last SYN-ACK; 0: none yet */
	enum attempt_state state;
	bool closed;         /* its socket is gone */
	bool client_ended;   /* the client's first FIN or RST was seen */
	bool server_ended;   /* the server's FIN was seen */
	uint32_t server_fin; /* its sequence number */
};

/* What to do with a SYN. */
enum verdict_kind {
	VERDICT_ACCEPT,      /* to the server */
	VERDICT_REFUSE,      /* RST to the client */
	VERDICT_DROP,        /* no answer */
	VERDICT_UNREACHABLE, /* ICMP to the client */
	VERDICT_N_KINDS,
};
/** verdict_kind_name() - return the kind as a word: "accept", "refuse", "drop", "unreachable" */
const char *verdict_kind_name(enum verdict_kind kind);

struct verdict {
	enum verdict_kind kind;
	enum unreachable_kind unreachable; /* VERDICT_UNREACHABLE: what the ICMP answer says */
	int64_t hold_ns;                   /* how long after the SYN's arrival; 0: at once */
};

/* What to do with a packet now. */
struct packet_verdict {
	enum verdict_kind kind;
	enum unreachable_kind unreachable; /* VERDICT_UNREACHABLE */
	/* VERDICT_ACCEPT: replace the packet by this one; borrowed. NULL: leave it unchanged. */
	const uint8_t *data;
	size_t length;
};

/**
 * step_decide() - decide what a step does to a SYN
 * @syn_ordinal: 1 for the attempt's first SYN, more for retransmissions
 * @delay_ns: the delay that was drawn for the attempt
 *
 * Pure.
 */
struct verdict step_decide(const struct step *step, uint32_t syn_ordinal, int64_t delay_ns);

struct tracker;

/* An endpoint as the tracker sees it; everything is copied. */
struct tracker_endpoint {
	const struct address *addresses;
	size_t n_addresses;
	const struct script *script;
	bool remote;           /* an existing server, perhaps on another host (injector.h) */
	const uint32_t *lists; /* by address: the list of the script that applies; NULL: all 0 */
};

/**
 * tracker_new() - make a tracker without attempts
 * @endpoints: copied; their addresses must all be different
 * @n_endpoints: number of endpoints
 * @seed: for chances, and for delays from a range: the same seed, endpoint and attempt number
 * always give the same draw
 *
 * Return: the tracker, never NULL; free it with tracker_free().
 */
struct tracker *tracker_new(const struct tracker_endpoint *endpoints, size_t n_endpoints,
			    uint64_t seed);
/** tracker_free() - free the tracker; NULL is allowed */
void tracker_free(struct tracker *tracker);

/**
 * tracker_client_started() - set the time from which conditions count, by the clock of
 * tracker_syn(), more than 0
 *
 * Before this call they count from the first SYN.
 */
void tracker_client_started(struct tracker *tracker, int64_t at_ns);

/**
 * tracker_replace() - replace the script of an endpoint for all attempts that start from now on
 * @script: with one list; copied
 *
 * Its first step serves the next attempt.
 *
 * Return: the number of the endpoint's next attempt.
 */
uint32_t tracker_replace(struct tracker *tracker, uint32_t endpoint, const struct script *script);

/**
 * tracker_hold() - hold the SYNs of an attempt that has not started yet
 * @index: of the endpoint
 * @number: of the attempt at the endpoint; 0: the next one
 * @limit_ns: after this time its SYNs are let through
 * @ret_number: of the attempt, in any case
 *
 * The attempt has a step of its own, `delay LIMIT`, which takes a number after all steps so far. It
 * does not count for the endpoint's script.
 *
 * Return: 0, or -EEXIST if it has started or is to be held already.
 */
int tracker_hold(struct tracker *tracker, uint32_t index, uint32_t number, int64_t limit_ns,
		 uint32_t *ret_number);
/**
 * tracker_release() - decide about an attempt that is held
 * @verdict: an accept, refuse, drop or unreachable step; the attempt's own step becomes `delay
 * HELD then VERDICT`, or `drop`
 * @now_ns: the time of the decision, by the clock of tracker_syn()
 *
 * Return: 0 and writes the attempt; -EAGAIN if it has not started; -ENOENT if it was not to be held
 * or has been released; -ETIME if its limit has passed.
 */
int tracker_release(struct tracker *tracker, uint32_t endpoint, uint32_t number,
		    const struct step *verdict, int64_t now_ns, struct attempt_info *ret);

/**
 * tracker_command() - begin the outages at an endpoint that wait for a command, at this time by the
 * clock of tracker_syn()
 * @lasts_ns: as for step_select_command()
 */
void tracker_command(struct tracker *tracker, uint32_t endpoint, int64_t at_ns, int64_t lasts_ns);

struct tracker_decision {
	struct attempt_info attempt; /* after this SYN was counted */
	bool retransmission;         /* false: this SYN started the attempt */
	struct verdict verdict;
};

/**
 * tracker_syn() - take a SYN that arrived at @now_ns
 *
 * Return: 0 and writes @ret; or -ENOENT, and counts nothing, if no endpoint has the packet's
 * destination.
 */
int tracker_syn(struct tracker *tracker, const struct packet *packet, int64_t now_ns,
		struct tracker_decision *ret);

/**
 * tracker_syn_ack() - take a SYN-ACK on its way to the client
 * @tracker: the tracker
 * @packet: the SYN-ACK
 * @ret: the attempt that it answers
 *
 * Return: 0 if the attempt is now established; -EAGAIN if its step loses this SYN-ACK; -EALREADY if
 * it was established before; -ENOENT, without writing @ret, if it answers no known attempt (RFC
 * 9293, 3.5: its acknowledgment number must be ISN + 1, or more if the SYN carried data).
 */
int tracker_syn_ack(struct tracker *tracker, const struct packet *packet, struct attempt_info *ret);

/**
 * tracker_refused() - note that RST or ICMP was sent for an attempt
 *
 * Return: 0 and writes the attempt, or -ENOENT.
 */
int tracker_refused(struct tracker *tracker, uint32_t id, struct attempt_info *ret);

/**
 * tracker_pauses() - return whether at this time nothing gets through between the attempt's client
 * and its server (STEP_PAUSE)
 */
bool tracker_pauses(const struct tracker *tracker, uint32_t id, int64_t now_ns);

/**
 * tracker_find_answered() - find the attempt that a SYN-ACK answers
 *
 * Return: 0 and writes its id, or -ENOENT.
 */
int tracker_find_answered(const struct tracker *tracker, const struct packet *packet,
			  uint32_t *ret_id);

/**
 * tracker_find_open() - find the newest attempt with this 4-tuple whose socket is not known to be
 * gone
 *
 * Return: 0 and writes its id, or -ENOENT.
 */
int tracker_find_open(struct tracker *tracker, const struct address *client,
		      const struct address *server, uint32_t *ret_id);
/**
 * tracker_find_newest() - find the newest attempt with this 4-tuple
 *
 * Return: 0 and writes its id, or -ENOENT.
 */
int tracker_find_newest(const struct tracker *tracker, const struct address *client,
			const struct address *server, uint32_t *ret_id);
/** tracker_note_client_end() - note the client's first FIN or RST */
void tracker_note_client_end(struct tracker *tracker, uint32_t id);
/** tracker_note_server_fin() - note the server's FIN; only the first counts */
void tracker_note_server_fin(struct tracker *tracker, uint32_t id, uint32_t sequence);
/** tracker_close() - note that the attempt's socket is gone; return the attempt */
struct attempt_info tracker_close(struct tracker *tracker, uint32_t id);
/** tracker_note_socket() - note which socket made the attempt */
void tracker_note_socket(struct tracker *tracker, uint32_t id, uint64_t cookie, uint64_t inode);
/** tracker_note_seen() - note that the attempt's socket was open at @at_ns (CLOCK_MONOTONIC) */
void tracker_note_seen(struct tracker *tracker, uint32_t id, int64_t at_ns);

/** tracker_n_attempts() - return the number of attempts so far */
size_t tracker_n_attempts(const struct tracker *tracker);
/** tracker_attempt() - return an attempt by its id, which must exist */
struct attempt_info tracker_attempt(const struct tracker *tracker, uint32_t id);
/**
 * tracker_earlier() - find the attempt that had the same 4-tuple before this one
 *
 * Return: 0 or -ENOENT.
 */
int tracker_earlier(const struct tracker *tracker, uint32_t id, uint32_t *ret_id);
/** tracker_step() - return the step that serves an attempt; borrowed from the tracker */
const struct step *tracker_step(const struct tracker *tracker, uint32_t id);

#endif
