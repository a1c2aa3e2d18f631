/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A netfilter queue, over libmnl and libnetfilter_queue: packets come in, verdicts go out. It fails
 * closed: neither NFQA_CFG_F_FAIL_OPEN nor NETLINK_NO_ENOBUFS is set, so that every loss shows.
 */
#ifndef SYNFAULT_INJECTOR_QUEUE_H
#define SYNFAULT_INJECTOR_QUEUE_H

#include "common/diag.h"
#include "injector/tracker.h"

struct queue;

/* A packet from the queue; .data is valid only during the callback. */
struct queued_packet {
	uint32_t id; /* for the verdict */
	const uint8_t *data;
	size_t length; /* bytes at .data, at most PACKET_COPY_RANGE unless all are copied */
	bool outgoing; /* it was queued in the output hook */
	/*
	 * CLOCK_MONOTONIC: when the kernel received it. If the kernel did not say, when the queue
	 * was last empty, and when the packet was read.
	 */
	int64_t earliest_ns, arrived_ns;
	bool overtaken; /* it arrived before the clock was moved last (queue_clock_moved()) */
};

typedef void (*queue_packet_fn)(void *userdata, const struct queued_packet *packet);

/*
 * Called after verdicts: those given since the last call were handed to the kernel from @handed_ns
 * on, and had taken effect by @done_ns (CLOCK_MONOTONIC).
 */
typedef void (*queue_handed_over_fn)(void *userdata, int64_t handed_ns, int64_t done_ns);

struct queue_config {
	uint16_t number;
	uint32_t length; /* the most packets that the kernel holds for us; 0: the default */
	/* Mark of packets whose verdict is VERDICT_REFUSE; see fwmark.h for the others. */
	uint32_t refuse_mark;
	/* Marked packets come again to the chain that queued them (nft_rules_config.repeats). */
	bool repeats;
	/* Packets may be needed with all of their data (queue_copy_all()). */
	bool whole_packets;
	/* Split packets that the kernel has joined, as on a line. */
	bool single_segments;
	/* Split them only while all of their data is needed (queue_copy_all()). */
	bool whole_segments;
	queue_packet_fn on_packet;
	queue_handed_over_fn on_handed_over; /* or NULL; never called within on_packet */
	void *userdata;
};

/**
 * queue_open() - bind a queue in the network namespace of the calling process
 * @config: copied
 * @diags: gets a diagnostic for each error
 * @ret: the queue; free it with queue_free()
 *
 * Return: 0; -EBUSY if another process has that number; -EPERM without CAP_NET_ADMIN; -EOPNOTSUPP
 * without nfnetlink_queue; or another negative errno.
 */
int queue_open(const struct queue_config *config, struct diag_list *diags, struct queue **ret);
/** queue_free() - unbind and free the queue; NULL is allowed */
void queue_free(struct queue *queue);

/** queue_fd() - return the descriptor to poll for reading; the queue owns it */
int queue_fd(const struct queue *queue);

/**
 * queue_dispatch() - read packets, and call on_packet for each
 * @queue: the queue
 *
 * Verdicts given in on_packet are sent in few system calls, each followed by on_handed_over. All of
 * them have been sent when it returns.
 *
 * Return: 0 if nothing is left; 1 if packets keep coming and other events should have a turn;
 * -ENOBUFS if the kernel had to drop messages (the queue goes on; losses are counted); another
 * negative errno if the queue is dead.
 */
int queue_dispatch(struct queue *queue);

/**
 * queue_set_verdict() - give the verdict on a packet
 * @queue: the queue
 * @id: of the packet
 * @verdict: what happens to it; may replace the packet, which costs a system call
 *
 * Within queue_dispatch() verdicts are gathered, and queue_flush() sends them. Otherwise the
 * verdict is sent at once, and on_handed_over is called before it returns.
 *
 * Return: 0; -EMSGSIZE if the new packet is too large for a message, and no verdict was given;
 * another negative errno if the queue is dead.
 */
int queue_set_verdict(struct queue *queue, uint32_t id, const struct packet_verdict *verdict);
/** queue_flush() - send the gathered verdicts; return 0 or a negative errno: the queue is dead */
int queue_flush(struct queue *queue);
/**
 * queue_copy_all() - read packets with all of their data from now on, or again with their first
 * PACKET_COPY_RANGE bytes
 *
 * Packets that already wait are not changed.
 *
 * Return: 0 or a negative errno.
 */
int queue_copy_all(struct queue *queue, bool all);

/**
 * queue_all_idle() - return whether no packet waits for a verdict in any queue of the network
 * namespace, those of other processes included
 *
 * Return: true if that can't be found out.
 */
bool queue_all_idle(void);

/**
 * queue_clock_moved() - note that the calling process's clocks were moved, but not the kernel's:
 * everything left to read came in afterwards
 * @awake_ns: how long ago that was, by the kernel's clock, if programs have run since; otherwise 0
 *
 * Called with each move, and before the first.
 */
void queue_clock_moved(struct queue *queue, int64_t awake_ns);

/** queue_n_packets() - return how many packets have been read */
uint64_t queue_n_packets(const struct queue *queue);

/*
 * What was lost between the kernel and us. Only root can read the kernel's two counters. For other
 * users they are 0, and the count of the rules (nft_rules.h) must be compared with what was read.
 */
struct queue_losses {
	uint64_t queue_dropped; /* the kernel's queue was full (/proc/net/netfilter/nfnetlink_queue)
				 */
	uint64_t user_dropped;  /* our socket buffer was full (same place) */
	uint64_t overruns;      /* ENOBUFS seen on the socket */
	uint64_t failed_verdicts; /* verdicts that the kernel refused */
};
/**
 * queue_losses() - read the losses
 *
 * Return: 0, or a negative errno if the queue is gone and losses are unknown.
 */
int queue_losses(struct queue *queue, struct queue_losses *ret);

/*
 * Both clocks read at nearly the same moment, with the possible error. The kernel stamps arrivals
 * with CLOCK_REALTIME, which other programs may set. Nothing else in a run uses that clock.
 */
struct queue_clocks {
	int64_t realtime_ns, monotonic_ns, error_ns;
};

/**
 * queue_clock_was_set() - return whether the real clock was set between two readings: it moved more
 * than slewing does, or the readings are too far apart to tell
 */
bool queue_clock_was_set(const struct queue_clocks *before, const struct queue_clocks *now);

/**
 * queue_arrival_ns() - convert the kernel's time stamp of a packet
 * @stamp_ns: the stamp, by CLOCK_REALTIME
 * @steady: the first reading of the clocks since the real clock was last set
 * @now: the reading before the packet was read
 * @ret_known: false if the real clock was set after the stamp, which then means nothing; or if the
 * clocks of @now were read too far apart
 *
 * Return: when the packet arrived, by CLOCK_MONOTONIC; if unknown, the time of @now.
 */
int64_t queue_arrival_ns(int64_t stamp_ns, const struct queue_clocks *steady,
			 const struct queue_clocks *now, bool *ret_known);

#endif
