/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdicts on their way to the kernel: those that are given now, and those that wait until they are
 * due. Each comes with a note of what there will be to report of it.
 *
 *     outbox_give() ──► the queue gathers them ──► it has handed them over: outbox_told() ──►
 * done() ▲ outbox_hold() ──(due)──► the packet itself, or a copy of it that is sent
 *
 * A held packet waits in the queue. In the output hook that would stop its sender's kernel from
 * repeating it (reinject.h): there it is dropped, and a copy waits.
 */
#ifndef SYNFAULT_INJECTOR_OUTBOX_H
#define SYNFAULT_INJECTOR_OUTBOX_H

#include <event2/event.h>

#include "injector/event.h"
#include "injector/queue.h"

/* What is to be reported of a packet when the kernel has its verdict. */
struct outbox_note {
	enum event_kind kind;        /* VERDICT, ESTABLISHED or FAULT */
	struct attempt_info attempt; /* ESTABLISHED, FAULT */
	uint32_t attempt_id;         /* VERDICT */
	uint32_t syn_ordinal;
	struct verdict verdict;
	int64_t due_ns;        /* VERDICT: when it was to take effect, CLOCK_MONOTONIC */
	enum fault_kind fault; /* FAULT */
	uint64_t bytes;
};

/* A packet that goes on in the place of another; data NULL: that one goes on as it is. */
struct outbox_change {
	uint8_t *data; /* owned */
	size_t length;
};

struct outbox_host {
	/* As queue_set_verdict(). */
	int (*set_verdict)(void *context, uint32_t packet_id, const struct packet_verdict *verdict);
	int64_t (*now_ns)(void *context);
	/*
	 * Makes a packet one that can be sent, and sends it: reinject.h. NULL: held packets stay in
	 * the queue.
	 */
	int (*prepare)(void *context, uint8_t *data, size_t length);
	int (*send)(void *context, const uint8_t *data, size_t length,
		    const struct verdict *verdict);
	/* It was handed to the kernel at @handed_ns, and had taken effect by @done_ns. */
	void (*done)(void *context, const struct outbox_note *note, int64_t handed_ns,
		     int64_t done_ns);
	/* A held packet was let go. */
	void (*released)(void *context);
	/* set_verdict() or send() failed. */
	void (*verdict_failed)(void *context, int error);
	void (*send_failed)(void *context, int error);
	void *context;
};

struct outbox;

/**
 * outbox_new() - make an outbox
 * @base: borrowed; its timers wake for held packets
 * @gathers: set_verdict() gathers verdicts, and outbox_told() follows when the kernel has them;
 *           held packets are let go to the microsecond. Else each verdict takes effect at once.
 */
struct outbox *outbox_new(struct event_base *base, bool gathers, const struct outbox_host *host);
void outbox_free(struct outbox *outbox);

/* Gives a verdict now. @note: what is to be reported of it, or NULL. */
void outbox_give(struct outbox *outbox, uint32_t packet_id, const struct packet_verdict *verdict,
		 const struct outbox_note *note);
/* Adds a report that goes with the next verdict. */
void outbox_note(struct outbox *outbox, const struct outbox_note *note);
/*
 * Gives the verdict on a SYN, @note->verdict, when it is due: at once, if that was before @now_ns.
 * Takes the change.
 */
void outbox_answer(struct outbox *outbox, const struct queued_packet *queued,
		   const struct outbox_note *note, struct outbox_change *change, int64_t now_ns);
/* The verdicts given so far have been handed over: see queue_told_fn. */
void outbox_told(struct outbox *outbox, int64_t handed_ns, int64_t done_ns);
/* Drops all packets that are held. That is not reported: no step asked for it. */
void outbox_drop_held(struct outbox *outbox);

#endif
