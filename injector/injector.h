/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The injector: combines firewall rules, the netfilter queue, the tracking of attempts, timers for
 * held SYNs, and notices of socket deaths, on the caller's event loop. It knows nothing of scenario
 * files, processes or reports.
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
 * The interface to the kernel. The real one (queue.h) is used unless a test gives another. Then the
 * injector opens no queue, no rules and no notices of deaths, and the test calls injector_packet()
 * and injector_death() itself.
 */
struct injector_kernel {
	int (*set_verdict)(void *context, uint32_t packet_id, const struct packet_verdict *verdict);
	int64_t (*now_ns)(void *context);
	/* Works as sock_lookup_find(); NULL: sockets can't be looked up. */
	int (*find_socket)(void *context, const struct address *local, const struct address *remote,
			   struct sock_found *ret);
	void *context;
};

enum injector_problem {
	INJECTOR_LOST, /* something is not known */
	INJECTOR_LATE, /* synfault did something too late: another run may do better */
	INJECTOR_DEAD, /* nothing works any more */
};

struct injector_config {
	/*
	 * Borrowed. It needs EVENT_BASE_FLAG_PRECISE_TIMER, without which libevent's clock advances
	 * in milliseconds.
	 */
	struct event_base *base;
	const char *table; /* name of the nftables table */
	uint16_t queue_number;
	uint32_t queue_length; /* the most packets that the kernel holds for us; 0: the default */
	/*
	 * Other processes use the network namespace, too: the table disappears with this process,
	 * even after `kill -9` (nft_rules.h). False if the namespace is our own.
	 */
	bool shared_namespace;
	enum nft_rules_queue_form queue_form; /* NFT_RULES_QUEUE_ANY if unknown (nft_rules.h) */
	/* Mark of packets to refuse; 0: a default, if no other injector uses the namespace. */
	uint32_t refuse_mark;
	/*
	 * Other injectors use the table and the network namespace, too. The table is a common one;
	 * this injector has the part with number @part, and all its endpoints are in these networks
	 * (nft_rules.h). NULL: the table is the injector's own.
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
	/* Report what the clients' sockets do: cookies, EVENT_OPEN, EVENT_GONE, deaths. */
	bool want_sockets;
	/*
	 * Report EVENT_CLIENT_END for all connections, not only for those that a step breaks or
	 * slows. Multipath TCP clients then fall back to plain TCP, whose ends and bytes are
	 * visible.
	 */
	bool want_client_ends;
	/* Prepare for any script, since scripts will be replaced (injector_replace()). */
	bool replaceable;
	/*
	 * Returns 1 if the client of an attempt with a complete handshake has gone on from its
	 * connect(), 0 if not yet, or a negative errno if that is unknown. Called every millisecond
	 * before a reset "after accept". NULL: such a reset comes 20 ms after the handshake, or
	 * with the client's next packet.
	 */
	int (*went_on)(void *userdata, const struct attempt_info *attempt);

	/*
	 * Called for each event, in the order in which the injector learns of them. Causes come
	 * before their effects. But verdicts of packets that were read together are handed over
	 * together: so a SYN that arrived before a verdict may be reported after it.
	 */
	void (*on_event)(void *userdata, const struct injector_event *event);
	/* Called if the run can't be judged. @message is one sentence for the user. */
	void (*on_problem)(void *userdata, enum injector_problem kind, const char *message);
	/*
	 * Converts a time of the kernel's CLOCK_MONOTONIC to the calling process's clock. NULL:
	 * both clocks are the same.
	 */
	int64_t (*to_own_ns)(void *userdata, int64_t kernel_ns);
	void *userdata;
};

/*
 * The priority of timers that only look what others have done (event_priority_set()), where the
 * event loop has several.
 */
enum { INJECTOR_PRIORITY_LOOKS = 0 };

struct injector;

/**
 * injector_new() - bind the queue, listen for socket deaths, install the rules
 * @config: copied, but for what it says is borrowed
 * @diags: gets a diagnostic for each error
 * @ret: the injector; free it with injector_free()
 *
 * From its return on, every SYN to an endpoint in this network namespace gets its verdict from the
 * scripts.
 *
 * Return: 0, or a negative errno with a diagnostic. Then nothing is left behind.
 */
int injector_new(const struct injector_config *config, struct diag_list *diags,
		 struct injector **ret);

/**
 * injector_client_started() - set the time from which conditions count (tracker.h), by
 * CLOCK_MONOTONIC
 */
void injector_client_started(struct injector *injector, int64_t at_ns);

/**
 * injector_replace() - replace the script of an endpoint for all attempts that start from now on
 * @script: with one list; copied
 *
 * SYNs that came in before are served by the script so far. Needs injector_config.replaceable.
 *
 * Return: the number of the endpoint's next attempt.
 */
uint32_t injector_replace(struct injector *injector, uint32_t endpoint,
			  const struct script *script);
/**
 * injector_hold() - hold the SYNs of an attempt that has not started yet
 *
 * Arguments and return value are those of tracker_hold().
 */
int injector_hold(struct injector *injector, uint32_t endpoint, uint32_t number, int64_t limit_ns,
		  uint32_t *ret_number);
/**
 * injector_release() - give the verdict on an attempt that is held
 *
 * Arguments and return value are those of tracker_release().
 */
int injector_release(struct injector *injector, uint32_t endpoint, uint32_t number,
		     const struct step *verdict, struct attempt_info *ret);
/**
 * injector_command_outage() - begin the outages at an endpoint that wait for a command
 * (TIME_FROM_COMMAND)
 * @lasts_ns: how long they last; 0: as their steps say
 * @ret_at_ns: when they began, by CLOCK_MONOTONIC
 * @ret_n_ended: how many connections they ended, without those of later turns
 *
 * Return: 0; -ENOENT if the endpoint has none that ends connections.
 */
int injector_command_outage(struct injector *injector, uint32_t endpoint, int64_t lasts_ns,
			    int64_t *ret_at_ns, size_t *ret_n_ended);

/** injector_packet() - take a packet, from the queue or from a test */
void injector_packet(struct injector *injector, const struct queued_packet *queued);
/**
 * injector_death() - take a notice of a dead socket, the server's or the client's, from the kernel
 * or from a test
 */
void injector_death(struct injector *injector, const struct socket_death *death);

/**
 * injector_reinjects() - return whether held SYNs to other hosts are retransmitted (reinject.h)
 *
 * Otherwise they are held in place, and the kernel does not retransmit them.
 */
bool injector_reinjects(const struct injector *injector);

/**
 * injector_look() - read what packets and notices of dead sockets there are
 *
 * The event loop does so, too, when there are any. Called now and then, this bounds how long ago a
 * socket died whose notice comes later.
 */
void injector_look(struct injector *injector);

/**
 * injector_n_waiting() - return the number of attempts that still wait for an answer and have their
 * socket open
 */
size_t injector_n_waiting(const struct injector *injector);
/**
 * injector_n_connected() - return the number of connections whose client's socket is not known to
 * be closed
 */
size_t injector_n_connected(const struct injector *injector);
/* The injector's tracker, to look up attempts; borrowed. */

/**
 * injector_finish() - end the injection and audit it: read what is left in the sockets, compare
 * what was decided with what the kernel counted (losses, answered RSTs), and report differences
 * through on_problem
 *
 * Drops SYNs that are still held. Call it once, before injector_free().
 */
void injector_finish(struct injector *injector);

/* ---- where the calling process's clocks are moved (injector_clock.c) ---- */

/**
 * injector_clock_moved() - note that the clocks were moved, and make all looks now
 * @awake_ns: for how long programs may have run since, by the kernel's clock; 0: none has
 */
void injector_clock_moved(struct injector *injector, int64_t awake_ns);
/** injector_has_input() - return whether something has come in that was not read yet */
bool injector_has_input(const struct injector *injector);
/** injector_has_deaths() - return whether a socket has died, and its notice was not read yet */
bool injector_has_deaths(const struct injector *injector);
/**
 * injector_was_overtaken() - return whether a packet was read that had come in before the last move
 * of the clocks
 */
bool injector_was_overtaken(const struct injector *injector);
/**
 * injector_withholds() - return whether a step holds, or loses for good, what a socket of either
 * side waits for
 */
bool injector_withholds(const struct injector *injector, const struct address *local,
			const struct address *remote, uint8_t tcp_state);

/**
 * injector_max_lag_ns() - return the longest delay so far, of a verdict or between a packet's
 * arrival and our reading it
 */
int64_t injector_max_lag_ns(const struct injector *injector);

/** injector_free() - remove the rules, close everything and free the injector; NULL is allowed */
void injector_free(struct injector *injector);
/**
 * injector_leave() - do the same, but leave the injector's part of a common table in place
 * (nft_rules_leave())
 *
 * The part drops SYNs until another injector takes it over, so that none gets past in between.
 */
void injector_leave(struct injector *injector);

#endif
