/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the supervisor: its state, and the steps that two ways to run a scenario share. One
 * starts a client (supervise.c), the other is attached to a client that others start (attached.c).
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_H
#define SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_H

#include "injector/injector.h"
#include "runner/sandbox/client_clock.h"
#include "runner/sandbox/client_progress.h"
#include "runner/sandbox/clients.h"
#include "runner/sandbox/lateness.h"
#include "runner/sandbox/packet_capture.h"
#include "runner/sandbox/servers.h"
#include "runner/sandbox/starvation_meter.h"
#include "runner/sandbox/supervise_config.h"
#include "runner/sandbox/sysctl_guard.h"

enum supervisor_phase {
	PHASE_STARTING,
	PHASE_RUNNING,
	PHASE_LEFTOVERS,
	PHASE_ENDING,
	PHASE_SETTLING,
};

/* A command to begin an outage at an endpoint, for later. */
struct outage_turn {
	struct supervisor *supervisor;
	uint32_t endpoint;
	int64_t lasts_ns;
	struct event *timer; /* NULL: there was none yet */
};

struct supervisor {
	const struct supervise_config *config;
	const struct scenario *scenario;
	struct shared_sandbox *shared; /* NULL: the sandbox is private */
	struct sandbox sandbox;
	struct event_base *base;
	struct recorder recorder;
	struct launcher launcher;
	struct servers servers;
	struct clients clients;
	struct sysctl_guard sysctls;
	struct starvation_meter *meter; /* NULL: the client has not been started */
	struct client_progress *progress;
	struct lateness_clock lateness; /* of this thread */
	struct lateness_mark unreaped;  /* when no child was dead */
	struct packet_capture *packets; /* NULL: they are not captured */
	struct injector *injector;      /* NULL: not armed */
	struct client_clock clock;      /* virtual time only */

	enum supervisor_phase phase;
	int64_t due_ns; /* when the timer is due */
	int64_t leftovers_until_ns;
	int64_t timer_lag_ns;
	int64_t own_delay_ns;      /* this process's scheduling delay when the client was started */
	bool killed;               /* ENDING: KILL was sent */
	unsigned n_settles;        /* SETTLING: how often its time has run out */
	bool done;                 /* the loop has nothing to wait for */
	bool under_way;            /* the parent knows that the client has started */
	bool stopped;              /* the round's client was sent TERM after its time (run-for) */
	struct outage_turn *turns; /* by endpoint; NULL: there was none yet */
	struct event *timer, *starter, *stopper, *children, *control;
};

/** supervisor_init() - make the parts; @self has config, shared and base */
void supervisor_init(struct supervisor *self);
/** supervisor_run() - build the sandbox and run the loop until everything has ended */
void supervisor_run(struct supervisor *self);

/** supervisor_clear_away() - remove what would outlive us; in a private sandbox nothing does */
void supervisor_clear_away(struct supervisor *self);

/** supervisor_begin_packets() - begin to capture packets, if the configuration asks for it */
void supervisor_begin_packets(struct supervisor *self);
/** supervisor_arm() - start the injector; return false, with a problem, if it can't work */
bool supervisor_arm(struct supervisor *self);
/** supervisor_begin_attached() - make this moment time 0 for a client that others start */
void supervisor_begin_attached(struct supervisor *self);
/** supervisor_end() - end everything in the sandbox, and the loop when that is done */
void supervisor_end(struct supervisor *self);

#endif
