/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the injector's files share, and no one else sees. */
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

/* What can go wrong while it runs. Each is reported once: one is enough to end all trust. */
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
	PROBLEM_N_KINDS,
};

struct injector {
	struct event_base *base;
	struct tracker *tracker;
	struct injector_kernel kernel;
	void (*on_event)(void *userdata, const struct injector_event *event);
	void (*on_problem)(void *userdata, bool fatal, const char *message);
	int (*went_on)(void *userdata, const struct attempt_info *attempt);
	void *userdata;
	bool want_client_ends;

	struct flow_table *connections; /* NULL: no script does anything to them */
	struct udp_inject *carrier;
	uint64_t n_rejected; /* connections that the kernel was to answer with RST */

	struct queue *queue; /* this and the following NULL with a test's kernel */
	struct sock_diag_monitor *deaths;
	struct rules *rules;
	size_t n_own;               /* addresses that these rules are for */
	bool *is_remote;            /* by endpoint */
	struct rules *remote_rules; /* NULL: no endpoint is remote */
	struct reinject *reinject;  /* NULL: not possible, or not needed */
	uint32_t refuse_mark;
	struct event *queue_event, *deaths_event;

	struct sock_lookup *lookup; /* NULL: the kernel can't be asked for sockets */
	struct socket_watch *watch; /* NULL: looks are not wanted */
	/* Attempts whose connection is stalled, and whose client has not closed it. */
	struct stalled {
		uint32_t attempt;
		int64_t seen_ns; /* when it had not */
	} * stalled;
	size_t n_stalled, stalled_capacity;
	struct event *poll_event; /* looks for unanswered attempts that are gone */
	bool polling;

	struct outbox *outbox;

	size_t n_waiting, n_connected;
	uint64_t n_refused; /* verdicts that asked for RST */
	int64_t max_lag_ns;
	bool reported[PROBLEM_N_KINDS];
};

/* Reports the first problem of its kind. */
void injector_report(struct injector *injector, enum problem problem, bool fatal,
		     const char *format, ...) PRINTF(4, 5);
int64_t injector_now_ns(const struct injector *injector);
/* The queue can't be used any more. */
void injector_report_dead(struct injector *injector, int r);
/* Reads the queue. Returns false when there is more to be read. */
bool injector_read_queue(struct injector *injector);
/* Reads the notices of dead sockets. */
void injector_read_deaths(struct injector *injector);
struct outbox *injector_outbox_new(struct injector *injector, bool gathers);
struct flow_table *injector_flow_table_new(struct injector *injector);

/* ---- injector_sockets.c: what the clients' sockets do ---- */

/* Sets up the looks that @config asks for. */
void injector_sockets_init(struct injector *injector, const struct injector_config *config);
void injector_sockets_deinit(struct injector *injector);
/* Looks for the last time, and reports when sockets were last seen. */
void injector_sockets_finish(struct injector *injector);
/* Finds the socket of a new attempt, while its SYN is held. Returns 0 or a negative errno. */
int injector_sockets_begin(struct injector *injector, struct attempt_info *attempt);
/* The SYN of this attempt was reported: looks at the others. @r: what _begin() returned. */
void injector_sockets_look(struct injector *injector, const struct attempt_info *attempt, int r,
			   bool outgoing);
/* The client of a SYN-ACK that is held has no socket for it any more. */
bool injector_sockets_is_late(struct injector *injector, uint32_t attempt);
/* From now on nothing gets through on the attempt's connection. */
void injector_sockets_stalled(struct injector *injector, uint32_t attempt);
/* A FIN or RST of either side. */
void injector_sockets_end(struct injector *injector, const struct queued_packet *queued,
			  const struct packet *packet);

#endif
