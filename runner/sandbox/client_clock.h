/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time in a sandbox: what is looked at before and after each jump of the client's clock. In
 * real time the structure is all zero, and each function does nothing.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_CLIENT_CLOCK_H
#define SYNFAULT_RUNNER_SANDBOX_CLIENT_CLOCK_H

#include "injector/injector.h"
#include "runner/clock/quiet.h"
#include "runner/clock/virtual_clock.h"
#include "runner/sandbox/lateness.h"
#include "runner/sandbox/launcher.h"
#include "runner/sandbox/recorder.h"
#include "runner/sandbox/starvation_meter.h"

struct client_clock {
	struct virtual_clock *clock; /* NULL: real time */
	struct quiet *quiet;

	struct event_base *base; /* borrowed, as are the following */
	struct recorder *recorder;
	struct launcher *launcher;
	struct injector *injector; /* NULL: not armed; then the clock does not jump */
	struct starvation_meter *meter;
	const struct address_networks *networks; /* of a shared sandbox; NULL: private */
	struct lateness_mark *unreaped;
	/* The clock can't be trusted any more, and the record says so. */
	void (*on_failure)(void *userdata);
	void *userdata;
};

/** client_clock_start() - start the clock; return false, with a problem, if that is impossible */
bool client_clock_start(struct client_clock *self);

/** client_clock_arm() - let the clock jump from now on; the injector was just made */
void client_clock_arm(struct client_clock *self, struct injector *injector);

/** client_clock_pid() - return the pid of the clock process, or 0 */
pid_t client_clock_pid(const struct client_clock *self);

/** client_clock_to_own_ns() - return when a time of the kernel's was by the client's clock */
int64_t client_clock_to_own_ns(const struct client_clock *self, int64_t kernel_ns);

/** client_clock_finish() - end the clock process; programs that are left die with it */
void client_clock_finish(struct client_clock *self);

#endif
