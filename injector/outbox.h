/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * Verdicts on their way to the kernel: those given at once, and those that wait until they are due.
 * Each comes with a note of what to report when it has taken effect.
 *
 *     outbox_give() ──────────► the queue gathers verdicts ──► it has handed them over:
 *                                   ▲                          outbox_handed_over() ──► done()
 *     outbox_answer() ──(due)───────┘
 *           └──(due, in the output hook)──► a copy of the packet is sent ──────► done()
 *
 * A held packet waits in the queue. In the output hook that would stop the sender's kernel from
 * retransmitting it (reinject.h): there the packet is dropped, and a copy waits.
 */
/* clang-format on */
#ifndef SYNFAULT_INJECTOR_OUTBOX_H
#define SYNFAULT_INJECTOR_OUTBOX_H

#include <event2/event.h>

#include "injector/event.h"
#include "injector/queue.h"

/* What to report when a packet's verdict has taken effect. */
struct outbox_note {
	enum event_kind kind;        /* VERDICT, ESTABLISHED or FAULT */
	struct attempt_info attempt; /* ESTABLISHED, FAULT */
	uint32_t attempt_id;         /* VERDICT */
	uint32_t syn_ordinal;
	struct verdict verdict;
	int64_t due_ns;        /* VERDICT: when it should take effect, by CLOCK_MONOTONIC */
	enum fault_kind fault; /* FAULT */
	uint64_t bytes;
	uint32_t outage; /* FAULT: as in struct net_event */
};

/* A packet that replaces another one; .data NULL: the packet goes on unchanged. */
struct outbox_change {
	uint8_t *data; /* owned */
	size_t length;
};

/* What the outbox needs from its owner. */
struct outbox_host {
	/* Works as queue_set_verdict(). */
	int (*set_verdict)(void *context, uint32_t packet_id, const struct packet_verdict *verdict);
	int64_t (*now_ns)(void *context);
	/*
	 * Prepare a packet to be sent, and send it: see reinject.h. NULL: held packets stay in the
	 * queue.
	 */
	int (*prepare)(void *context, uint8_t *data, size_t length);
	int (*send)(void *context, const uint8_t *data, size_t length,
		    const struct verdict *verdict);
	/* A verdict was handed to the kernel at @handed_ns, and had taken effect by @done_ns. */
	void (*done)(void *context, const struct outbox_note *note, int64_t handed_ns,
		     int64_t done_ns);
	/* A held packet was released. */
	void (*released)(void *context);
	/* set_verdict() or send() failed. */
	void (*verdict_failed)(void *context, int error);
	void (*send_failed)(void *context, int error);
	void *context;
};

struct outbox;

/**
 * outbox_new() - make an outbox
 * @base: borrowed; for the timers of held packets
 * @gathers: set_verdict() gathers verdicts, and outbox_handed_over() follows when the kernel has
 * them; held packets are released to the microsecond. Otherwise each verdict takes effect at once.
 * @host: copied
 *
 * Return: the outbox, never NULL; free it with outbox_free().
 */
struct outbox *outbox_new(struct event_base *base, bool gathers, const struct outbox_host *host);
/** outbox_free() - free the outbox, without verdicts on held packets; NULL is allowed */
void outbox_free(struct outbox *outbox);

/**
 * outbox_give() - give a verdict now
 * @note: what to report when it has taken effect, or NULL
 */
void outbox_give(struct outbox *outbox, uint32_t packet_id, const struct packet_verdict *verdict,
		 const struct outbox_note *note);
/** outbox_note() - add a note to the next verdict */
void outbox_note(struct outbox *outbox, const struct outbox_note *note);
/**
 * outbox_answer() - give the verdict on a SYN when it is due
 * @outbox: the outbox
 * @queued: the SYN
 * @note: the verdict, when it is due, and what to report
 * @change: a packet that replaces it; the outbox takes ownership of its data
 * @now_ns: CLOCK_MONOTONIC; a verdict that was due before is given at once
 */
void outbox_answer(struct outbox *outbox, const struct queued_packet *queued,
		   const struct outbox_note *note, struct outbox_change *change, int64_t now_ns);
/** outbox_handed_over() - note that the verdicts given so far have been handed over: see
 * queue_handed_over_fn */
void outbox_handed_over(struct outbox *outbox, int64_t handed_ns, int64_t done_ns);
/** outbox_holds() - return whether a SYN of the attempt is held */
bool outbox_holds(const struct outbox *outbox, uint32_t attempt_id);
/** outbox_release() - give another verdict on all held SYNs of an attempt, now */
void outbox_release(struct outbox *outbox, uint32_t attempt_id, const struct verdict *verdict);
/** outbox_drop_held() - drop all held packets, without a report, since no step did it */
void outbox_drop_held(struct outbox *outbox);

#endif
