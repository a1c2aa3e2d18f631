/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One netfilter queue, over libmnl and libnetfilter_queue: packets in, verdicts out. Fails closed:
 * neither NFQA_CFG_F_FAIL_OPEN nor NETLINK_NO_ENOBUFS is set, so that every loss shows.
 */
#ifndef SYNFAULT_INJECTOR_QUEUE_H
#define SYNFAULT_INJECTOR_QUEUE_H

#include "common/diag.h"
#include "injector/tracker.h"

struct queue;

/* A packet as it comes from the queue; @data is valid during the callback only. */
struct queued_packet {
	uint32_t id; /* to be named in the verdict */
	const uint8_t *data;
	size_t length; /* bytes at @data, at most PACKET_COPY_RANGE unless all are copied */
	bool outgoing; /* it was queued in the output hook */
	/*
	 * CLOCK_MONOTONIC: when the kernel received it. Where the kernel did not say, the last time
	 * that there was nothing to read, and when it was read.
	 */
	int64_t earliest_ns, arrived_ns;
};

typedef void (*queue_packet_fn)(void *userdata, const struct queued_packet *packet);

/*
 * The verdicts given since the last call were handed to the kernel from @handed_ns on, and had
 * taken effect by @done_ns (CLOCK_MONOTONIC).
 */
typedef void (*queue_told_fn)(void *userdata, int64_t handed_ns, int64_t done_ns);

struct queue_config {
	uint16_t number;
	uint32_t length; /* packets the kernel may hold for us; 0: a sensible large number */
	/* Put on packets whose verdict is VERDICT_REFUSE; see fwmark.h for those of the others. */
	uint32_t refuse_mark;
	/* Marked packets come to the chain that queued them again (nft_rules_config.repeats). */
	bool repeats;
	/* Packets may be needed with all of their data (queue_copy_all()). */
	bool whole_packets;
	/* Packets that the kernel has joined come one by one, as they go over a line. */
	bool single_segments;
	/* … as long as all of their data is needed (queue_copy_all()). */
	bool whole_segments;
	queue_packet_fn on_packet;
	queue_told_fn on_told; /* or NULL; never called within on_packet */
	void *userdata;
};

/*
 * Binds the queue in the network namespace of the calling process. Returns 0; -EBUSY when another
 * process has that number, -EPERM without CAP_NET_ADMIN, -EOPNOTSUPP without nfnetlink_queue, or
 * another negative errno, each with a diagnostic.
 */
int queue_open(const struct queue_config *config, struct diag_list *diags, struct queue **ret);
void queue_free(struct queue *queue);

/* To be polled for reading. */
int queue_fd(const struct queue *queue);

/*
 * Reads what is there and calls on_packet for each packet. Verdicts given meanwhile are sent in few
 * system calls, each followed by on_told; all of them have been sent when it returns. Returns 0
 * when nothing is left; 1 when packets come in for so long that others should have a turn; -ENOBUFS
 * when the kernel had to drop messages (the queue goes on; losses are counted); or another negative
 * errno when the queue is dead.
 */
int queue_dispatch(struct queue *queue);

/*
 * Lets the packet go. Inside queue_dispatch() verdicts are gathered (queue_flush() sends them),
 * outside they go at once, and on_told is called before it returns. One with a packet of its own
 * costs a system call (and -EMSGSIZE means that it is too large for a message: no verdict was
 * given). Returns 0 or another negative errno: the queue is dead.
 */
int queue_set_verdict(struct queue *queue, uint32_t id, const struct packet_verdict *verdict);
int queue_flush(struct queue *queue);
/*
 * From now on packets are read with all of their data, or again with their first PACKET_COPY_RANGE
 * bytes; those that wait to be read already are as they are. Returns 0 or a negative errno.
 */
int queue_copy_all(struct queue *queue, bool all);

/*
 * Whether no packet waits for a verdict in any queue of the network namespace, whoever's it is;
 * true also when that can't be found out.
 */
bool queue_all_idle(void);

/* How many packets have been read. */
uint64_t queue_n_packets(const struct queue *queue);

/*
 * What was lost between the kernel and us. All zero: nothing was. The kernel's own two counters can
 * only be read by root; to others they are zero, and what the rules count (nft_rules.h) has to be
 * compared with what was read.
 */
struct queue_losses {
	uint64_t queue_dropped; /* the kernel's queue was full (/proc/net/netfilter/nfnetlink_queue)
				 */
	uint64_t user_dropped;  /* our socket buffer was full (same place) */
	uint64_t overruns;      /* ENOBUFS seen on the socket */
	uint64_t failed_verdicts; /* verdicts that the kernel refused */
};
/* Returns 0 or a negative errno when the queue is gone: then nothing can be vouched for. */
int queue_losses(struct queue *queue, struct queue_losses *ret);

/*
 * Both clocks at one moment, and how far from one moment it was. The kernel notes arrivals by
 * CLOCK_REALTIME, which anybody may set; nothing else in a run goes by that clock.
 */
struct queue_clocks {
	int64_t realtime_ns, monotonic_ns, error_ns;
};

/* Whether the real clock was set between two looks: more than a clock that is slewed moves. */
bool queue_clock_was_set(const struct queue_clocks *before, const struct queue_clocks *now);

/*
 * When a packet arrived, by CLOCK_MONOTONIC, that the kernel marked with @stamp_ns. @steady is the
 * first look since which the real clock was not set, @now the one after which the packet was read.
 * A stamp by a clock that was set since says nothing: then the time is that of @now, and not
 * @ret_known.
 */
int64_t queue_arrival_ns(int64_t stamp_ns, const struct queue_clocks *steady,
			 const struct queue_clocks *now, bool *ret_known);

#endif
