/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives verdicts to the kernel, at once or when they are due: see outbox.h. */
#include "injector/outbox.h"

#include <utlist.h>

#include "common/duration.h"

/* A held packet's timer expires this much early; the rest is spent polling the clock. */
#define SPIN_NS (60 * NS_PER_US)

/* A SYN whose verdict is not due yet. */
struct held {
	struct held *prev, *next;
	struct outbox *outbox;
	struct event *timer;
	uint32_t packet_id;
	struct outbox_change change;
	bool dropped; /* the packet was dropped: send .change instead */
	struct outbox_note note;
};

struct outbox {
	struct event_base *base;
	bool gathers;
	struct outbox_host host;
	struct held *held;
	struct outbox_note *notes; /* of verdicts that were given */
	size_t n_notes, notes_capacity;
};

struct outbox *outbox_new(struct event_base *base, bool gathers, const struct outbox_host *host)
{
	struct outbox *outbox = xzalloc(sizeof(*outbox));

	outbox->base = base;
	outbox->gathers = gathers;
	outbox->host = *host;
	return outbox;
}

static void held_free(struct held *held)
{
	DL_DELETE(held->outbox->held, held);
	event_free(held->timer);
	free(held->change.data);
	free(held);
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	while (outbox->held)
		held_free(outbox->held);
	free(outbox->notes);
	free(outbox);
}

static int64_t now_ns(const struct outbox *outbox)
{
	return outbox->host.now_ns(outbox->host.context);
}

void outbox_note(struct outbox *outbox, const struct outbox_note *note)
{
	array_append(outbox->notes, outbox->n_notes, outbox->notes_capacity, *note);
}

void outbox_handed_over(struct outbox *outbox, int64_t handed_ns, int64_t done_ns)
{
	size_t n = outbox->n_notes;

	for (size_t i = 0; i < n; i++)
		outbox->host.done(outbox->host.context, &outbox->notes[i], handed_ns, done_ns);
	outbox->n_notes = 0;
}

void outbox_give(struct outbox *outbox, uint32_t packet_id, const struct packet_verdict *verdict,
		 const struct outbox_note *note)
{
	int64_t handed_ns = outbox->gathers ? 0 : now_ns(outbox);
	int r;

	if (note)
		outbox_note(outbox, note);
	r = outbox->host.set_verdict(outbox->host.context, packet_id, verdict);
	if (r < 0) {
		outbox->n_notes = 0;
		outbox->host.verdict_failed(outbox->host.context, r);
		return;
	}
	if (!outbox->gathers)
		outbox_handed_over(outbox, handed_ns, now_ns(outbox));
}

/* Gives the verdict on a SYN now. */
static void answer(struct outbox *outbox, uint32_t packet_id, const struct outbox_note *note,
		   const struct outbox_change *change)
{
	struct packet_verdict verdict = {
		.kind = note->verdict.kind,
		.unreachable = note->verdict.unreachable,
	};

	if (verdict.kind == VERDICT_ACCEPT) {
		verdict.data = change->data;
		verdict.length = change->length;
	}
	outbox_give(outbox, packet_id, &verdict, note);
}

/* Sends the copy of a dropped packet. */
static void send_copy(const struct held *held)
{
	struct outbox *outbox = held->outbox;
	int64_t handed_ns = now_ns(outbox);
	int r = 0;

	if (held->note.verdict.kind != VERDICT_DROP)
		r = outbox->host.send(outbox->host.context, held->change.data, held->change.length,
				      &held->note.verdict);
	if (r < 0) {
		outbox->host.send_failed(outbox->host.context, r);
		return;
	}
	outbox_note(outbox, &held->note);
	outbox_handed_over(outbox, handed_ns, now_ns(outbox));
}

static void schedule(struct held *held)
{
	struct outbox *outbox = held->outbox;
	int64_t left_ns = held->note.due_ns - now_ns(outbox);
	const struct timeval timeout =
		duration_timeval(outbox->gathers ? left_ns - SPIN_NS : left_ns);

	/*
	 * libevent counts a timeout from when it began its callbacks, so a timer that is set later
	 * would expire early. Without a cached time this does nothing.
	 */
	(void)event_base_update_cache_time(outbox->base);
	event_add(held->timer, &timeout);
}

static void release(struct held *held)
{
	struct outbox *outbox = held->outbox;

	if (held->dropped)
		send_copy(held);
	else
		answer(outbox, held->packet_id, &held->note, &held->change);
	held_free(held);
	outbox->host.released(outbox->host.context);
}

static void due(evutil_socket_t fd, short what, void *userdata)
{
	struct held *held = userdata;
	const struct outbox *outbox = held->outbox;

	if (held->note.due_ns - now_ns(outbox) > (outbox->gathers ? SPIN_NS : 0)) {
		schedule(held);
		return;
	}
	/* A sleeping processor needs about this long to wake up. */
	while (outbox->gathers && now_ns(outbox) < held->note.due_ns)
		;
	release(held);
}

/* Drops an outgoing packet if a copy, or its replacement, can be sent later. */
static void drop_and_keep(struct held *held, const struct queued_packet *queued)
{
	const struct outbox_host *host = &held->outbox->host;
	AUTO_FREE uint8_t *copy = NULL;
	size_t length = held->change.data ? held->change.length : queued->length;

	if (!queued->outgoing || !host->prepare)
		return;
	copy = xmemdup(held->change.data ? held->change.data : queued->data, length);
	if (host->prepare(host->context, copy, length) < 0)
		return;
	free(held->change.data);
	held->change = (struct outbox_change){steal_pointer(&copy), length};
	held->dropped = true;
	outbox_give(held->outbox, queued->id, &(struct packet_verdict){.kind = VERDICT_DROP}, NULL);
}

void outbox_answer(struct outbox *outbox, const struct queued_packet *queued,
		   const struct outbox_note *note, struct outbox_change *change, int64_t now)
{
	struct held *held;

	if (note->due_ns <= now) {
		answer(outbox, queued->id, note, change);
		free(change->data);
		*change = (struct outbox_change){0};
		return;
	}
	held = xzalloc(sizeof(*held));
	held->outbox = outbox;
	held->packet_id = queued->id;
	held->note = *note;
	held->change = *change;
	*change = (struct outbox_change){0};
	drop_and_keep(held, queued);
	held->timer = ALLOCATED(evtimer_new(outbox->base, due, held));
	DL_PREPEND(outbox->held, held);
	schedule(held);
}

bool outbox_holds(const struct outbox *outbox, uint32_t attempt_id)
{
	for (const struct held *held = outbox->held; held; held = held->next)
		if (held->note.attempt_id == attempt_id)
			return true;
	return false;
}

/* Returns the oldest held SYN of an attempt, or NULL. */
static struct held *find_oldest(const struct outbox *outbox, uint32_t attempt_id)
{
	struct held *found = NULL;

	for (struct held *held = outbox->held; held; held = held->next)
		if (held->note.attempt_id == attempt_id)
			found = held;
	return found;
}

void outbox_release(struct outbox *outbox, uint32_t attempt_id, const struct verdict *verdict)
{
	struct held *held;

	/* Each release can bring in more packets, so the list can change. */
	while ((held = find_oldest(outbox, attempt_id))) {
		held->note.verdict = *verdict;
		held->note.due_ns = now_ns(outbox);
		release(held);
	}
}

void outbox_drop_held(struct outbox *outbox)
{
	while (outbox->held) {
		struct held *held = outbox->held;

		if (!held->dropped)
			(void)outbox->host.set_verdict(
				outbox->host.context, held->packet_id,
				&(struct packet_verdict){.kind = VERDICT_DROP});
		held_free(held);
	}
}
