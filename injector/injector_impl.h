/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only the injector's own files share. */
#ifndef SYNFAULT_INJECTOR_INJECTOR_IMPL_H
#define SYNFAULT_INJECTOR_INJECTOR_IMPL_H

#include "injector/flow_table.h"
#include "injector/injector.h"
#include "injector/outbox.h"
#include "injector/reinject.h"
#include "injector/sock_diag_monitor.h"
#include "injector/sock_lookup.h"
#include "injector/socket_watch.h"
#include "injector/udp_inject.h"

/* What can go wrong during a run. Each is reported only once: one is enough for an error. */
enum problem {
	PROBLEM_MALFORMED,
	PROBLEM_UNEXPECTED,
	PROBLEM_UNKNOWN_ENDPOINT,
	PROBLEM_OVERRUN,
	PROBLEM_DEATHS_LOST,
	PROBLEM_DEATHS_DEAD,
	PROBLEM_QUEUE_DEAD,
	PROBLEM_LOSSES,
	PROBLEM_LOSSES_UNREADABLE,
	PROBLEM_REFUSED_COUNT,
	PROBLEM_REINJECT,
	PROBLEM_REJECTED_COUNT,
	PROBLEM_FOLLOW,
	PROBLEM_CARRIER,
	PROBLEM_BLIND,
	PROBLEM_TOO_EARLY,
	PROBLEM_RULES,
	PROBLEM_OUTAGE,
	PROBLEM_N_KINDS,
};

struct injector {
	struct injector_config
		config; /* what it borrows but the base is gone after injector_new() */
	struct tracker *tracker;
	struct injector_kernel kernel;
	bool overtaken; /* a packet came before the clock was moved last, and was read after that */

	struct flow_table *connections; /* NULL: no script breaks or slows connections */
	struct udp_inject *carrier;
	uint64_t n_rejected; /* connections that the kernel had to answer with RST */

	struct queue *queue; /* NULL with a test's kernel, as all up to deaths_event */
	struct sock_diag_monitor *deaths;
	int64_t all_read_ns; /* all notices of deaths before this time have been read and reported
			      */
	struct rules *rules;
	size_t n_own;               /* addresses that .rules are for */
	bool *is_remote;            /* by endpoint */
	struct rules *remote_rules; /* NULL: no endpoint is remote */
	struct reinject *reinject;  /* NULL: impossible or unnecessary */
	struct event *queue_event, *deaths_event;

	struct sock_lookup *lookup; /* NULL: the kernel can't look up sockets */
	struct socket_watch *watch; /* NULL: not wanted */
	/*
	 * Attempts whose connection is stalled, or was and has data to retransmit, and that the
	 * client has not closed.
	 */
	struct stalled {
		uint32_t attempt;
		int64_t seen_ns; /* when the client had not closed it yet */
		bool healed;
	} * stalled;
	size_t n_stalled, stalled_capacity;
	struct event *poll_event; /* looks for unanswered attempts that are gone */
	bool polling;

	struct outbox *outbox;

	struct outage *outages; /* that end connections */
	size_t n_outages;
	bool outages_began; /* all of them know what their times count from */

	size_t n_waiting, n_connected;
	uint64_t n_refused; /* verdicts for RST or ICMP */
	int64_t max_lag_ns;
	bool reported[PROBLEM_N_KINDS];
};

/** injector_report() - report the first problem of its kind */
void injector_report(struct injector *injector, enum problem problem, enum injector_problem kind,
		     const char *format, ...) PRINTF(4, 5);
/** injector_now_ns() - return the time by the injector's clock */
int64_t injector_now_ns(const struct injector *injector);
/**
 * injector_report_dead() - report that the queue is dead
 * @r: a negative errno
 */
void injector_report_dead(struct injector *injector, int r);
/** injector_read_queue() - read the queue; return false if there is more to read */
bool injector_read_queue(struct injector *injector);
/** injector_read_deaths() - read the notices of dead sockets */
void injector_read_deaths(struct injector *injector);
/**
 * injector_outbox_new() - make the outbox, which gives its verdicts to the injector's kernel
 * @gathers: as outbox_new()
 */
struct outbox *injector_outbox_new(struct injector *injector, bool gathers);
/** injector_flow_table_new() - make the flow table, which gives its verdicts to the outbox */
struct flow_table *injector_flow_table_new(struct injector *injector);

/* ---- injector_outages.c: outages that end connections ---- */

/** injector_outages_init() - find them in the scripts, which are copied */
void injector_outages_init(struct injector *injector, const struct injector_config *config);
/** injector_outages_deinit() - free what injector_outages_init() set up */
void injector_outages_deinit(struct injector *injector);
/** injector_outages_stop() - begin no more of them */
void injector_outages_stop(struct injector *injector);
/** injector_outages_start() - set the client's start, from which some of them count */
void injector_outages_start(struct injector *injector, int64_t at_ns);
/** injector_outages_note_attempt() - take a new attempt, from which some of them may count */
void injector_outages_note_attempt(struct injector *injector, const struct attempt_info *attempt);
/**
 * injector_outages_note_established() - take a handshake that is complete for the client, and end
 * the connection if its server has gone down in between
 */
void injector_outages_note_established(struct injector *injector,
				       const struct attempt_info *attempt);
/**
 * injector_outages_follow() - return whether an outage may end the connections of attempts with
 * this step
 */
bool injector_outages_follow(const struct injector *injector, uint32_t endpoint,
			     const struct step *step);

/* ---- injector_sockets.c: what the clients' sockets do ---- */

/** injector_sockets_init() - set up the looks that @config asks for */
void injector_sockets_init(struct injector *injector, const struct injector_config *config);
/** injector_sockets_deinit() - free what injector_sockets_init() set up */
void injector_sockets_deinit(struct injector *injector);
/** injector_sockets_finish() - look a last time, and report when sockets were last seen */
void injector_sockets_finish(struct injector *injector);
/**
 * injector_sockets_begin() - find the socket of a new attempt, while its SYN is held
 *
 * Return: 0 or a negative errno.
 */
int injector_sockets_begin(struct injector *injector, struct attempt_info *attempt);
/**
 * injector_sockets_look() - look at the other attempts, after the first SYN of this one was
 * reported
 * @r: the result of injector_sockets_begin()
 * @outgoing: the SYN was queued in the output hook
 */
void injector_sockets_look(struct injector *injector, const struct attempt_info *attempt, int r,
			   bool outgoing);
/**
 * injector_sockets_is_late() - return whether the client of a held SYN-ACK has no socket for it any
 * more
 */
bool injector_sockets_is_late(struct injector *injector, uint32_t attempt);
/** injector_sockets_look_now() - look at everything now */
void injector_sockets_look_now(struct injector *injector);
/**
 * injector_sockets_stalled() - note that from now on nothing gets through on the attempt's
 * connection
 */
void injector_sockets_stalled(struct injector *injector, uint32_t attempt);
/**
 * injector_sockets_healed() - note that what was stalled gets through again
 *
 * Looks once more before: what the client does from now on, it does after the stall.
 */
void injector_sockets_healed(struct injector *injector, uint32_t attempt);
/** injector_sockets_end() - take a FIN or RST of either side */
void injector_sockets_end(struct injector *injector, const struct queued_packet *queued,
			  const struct packet *packet);

#endif
