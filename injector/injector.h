/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The netfilter-queue daemon as a part: puts together rules, queue, attempt tracking, timers for
 * held SYNs and notices of socket deaths, on an event loop of the caller. It knows nothing of
 * scenario files, processes and reports.
 */
#ifndef SYNFAULT_INJECTOR_INJECTOR_H
#define SYNFAULT_INJECTOR_INJECTOR_H

#include <event2/event.h>

#include "common/diag.h"
#include "injector/event.h"
#include "injector/nft_rules.h"
#include "injector/queue.h"
#include "injector/sock_diag_monitor.h"
#include "injector/sock_lookup.h"

/*
 * The seam to the kernel. The real one (queue.h) is used unless a test gives another: then no
 * queue, no rules and no notices of deaths are opened, and the test drives injector_packet() and
 * injector_death() itself.
 */
struct injector_kernel {
	int (*set_verdict)(void *context, uint32_t packet_id, const struct packet_verdict *verdict);
	int64_t (*now_ns)(void *context);
	/* As sock_lookup_find(); NULL: sockets can't be looked up. */
	int (*find_socket)(void *context, const struct address *local, const struct address *remote,
			   struct sock_found *ret);
	void *context;
};

struct injector_config {
	/*
	 * Borrowed; with EVENT_BASE_FLAG_PRECISE_TIMER, without which libevent's clock goes in
	 * steps of milliseconds.
	 */
	struct event_base *base;
	const char *table; /* name of the nftables table */
	uint16_t queue_number;
	uint32_t queue_length; /* packets the kernel may hold for us; 0: a sensible large number */
	/*
	 * Others use the network namespace too: the table disappears with this process, `kill -9`
	 * included (nft_rules.h). Where the namespace is our own: false.
	 */
	bool shared_namespace;
	enum nft_rules_queue_form
		queue_form; /* NFT_RULES_QUEUE_ANY unless it is known (nft_rules.h) */
	/* Of packets to be refused; 0: one for a namespace that no other injector uses. */
	uint32_t refuse_mark;
	/*
	 * Other injectors use the table and the network namespace too: it is a common one, of which
	 * this one has the part with this number, and all its endpoints are in these networks
	 * (nft_rules.h). NULL: the table is its own.
	 */
	const struct address_networks *networks;
	uint32_t part;
	/*
	 * The table for endpoints that are remote (nft_rules.h, `outgoing`); it stays when the
	 * injector ends, unless it is freed. NULL: none is remote.
	 */
	const char *remote_table;
	uint64_t seed;
	const struct tracker_endpoint *endpoints;
	size_t n_endpoints;
	const struct injector_kernel *kernel; /* NULL: the real one */
	/* What the clients' sockets do is wanted: cookies, EVENT_OPEN, EVENT_GONE, deaths. */
	bool want_sockets;
	/*
	 * EVENT_CLIENT_END is wanted of all connections, not only of those that a step follows.
	 * Then Multipath TCP clients fall back to plain TCP, whose ends and bytes can be seen.
	 */
	bool want_client_ends;
	/*
	 * Returns 1 when the client of an attempt, whose handshake is complete, has gone on from
	 * its connect(), 0 when it has not yet, or a negative errno when that can't be found out.
	 * Asked every millisecond before a reset "after accept". NULL: such a reset comes 20 ms
	 * after the handshake, or with the client's next packet.
	 */
	int (*went_on)(void *userdata, const struct attempt_info *attempt);

	/*
	 * Called for each event, in the order in which we learn of them. Verdicts of packets that
	 * were read together are handed over together: a SYN can come after a verdict in this order
	 * and have arrived before it. Causes come before their effects.
	 */
	void (*on_event)(void *userdata, const struct injector_event *event);
	/*
	 * Something was lost, or the queue is dead (@fatal): from here on nothing can be vouched
	 * for. @message is one sentence for the user.
	 */
	void (*on_problem)(void *userdata, bool fatal, const char *message);
	void *userdata;
};

struct injector;

/*
 * Binds the queue, listens for deaths, installs the rules: when it returns 0 every SYN to an
 * endpoint in this network namespace gets its verdict from the scripts. Returns a negative errno
 * with a diagnostic otherwise, and nothing is left behind.
 */
int injector_new(const struct injector_config *config, struct diag_list *diags,
		 struct injector **ret);

/* From when times in conditions count (tracker.h): CLOCK_MONOTONIC. */
void injector_client_started(struct injector *injector, int64_t at_ns);

/* Takes one packet; for tests and for the queue. */
void injector_packet(struct injector *injector, const struct queued_packet *queued);
/* Takes notice of a dead socket, the server's or the client's; likewise. */
void injector_death(struct injector *injector, const struct socket_death *death);

/*
 * Whether SYNs to other hosts that are held go on to be repeated by the kernel (reinject.h); else
 * they are held in place, and it does not repeat them meanwhile.
 */
bool injector_reinjects(const struct injector *injector);

/* Attempts whose end is not known yet: waiting for an answer, socket still open. */
size_t injector_n_waiting(const struct injector *injector);
/* Connections whose client's socket is open, as far as we know. */
size_t injector_n_connected(const struct injector *injector);

/*
 * Ends the injection and settles the account: reads what is left in the sockets, then compares what
 * we decided with what the kernel counted (losses, answered RSTs); differences are reported through
 * on_problem. SYNs that are still held are dropped. Call it once, before injector_free().
 */
void injector_finish(struct injector *injector);

/* Longest lateness of a verdict so far, and the longest time from a SYN's arrival to our reading
 * it. */
int64_t injector_max_lag_ns(const struct injector *injector);

void injector_free(struct injector *injector);
/*
 * The same, but its part of a common table stays there and drops SYNs (nft_rules_leave()), until an
 * injector with the same part takes over: nothing gets past in between.
 */
void injector_leave(struct injector *injector);

#endif
