/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts looks at threads into the record: around attempts, at ends of processes, and regularly. A
 * look costs some 20 us a thread; looks take a twentieth of the time at most.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STARVATION_METER_H
#define SYNFAULT_RUNNER_SANDBOX_STARVATION_METER_H

#include "injector/injector.h"
#include "runner/sandbox/recorder.h"
#include "runner/sandbox/servers.h"

struct starvation_meter;

/**
 * starvation_meter_new() - begin to measure; the client is about to start
 * @base: borrowed, as are the next four
 * @clock: of the calling thread: each look is a turn
 * @injector: is told to read at each look
 * @own_pids: the pid namespace is the sandbox's own
 */
struct starvation_meter *starvation_meter_new(struct event_base *base, struct recorder *recorder,
					      const struct servers *servers,
					      struct lateness_clock *clock,
					      struct injector *injector, bool own_pids);

/**
 * starvation_meter_stop() - look a last time; NULL is allowed
 *
 * The client is about to be ended, or has ended: from here on it waits for nothing. Sets the
 * record's has_starvation and client_lag_ns.
 */
void starvation_meter_stop(struct starvation_meter *meter);

/** starvation_meter_free() - add to the record that nothing has changed since the last look */
void starvation_meter_free(struct starvation_meter *meter);

/** starvation_meter_look_soon() - look once the loop has done what it is doing; NULL is allowed */
void starvation_meter_look_soon(struct starvation_meter *meter);

/**
 * starvation_meter_before_jump() - look before the client's clock jumps; NULL is allowed
 *
 * What threads have waited until then belongs to the time before.
 */
void starvation_meter_before_jump(struct starvation_meter *meter);

/** starvation_meter_after_jump() - leave the jump out of what is between two looks */
void starvation_meter_after_jump(struct starvation_meter *meter, int64_t by_ns);

/** starvation_meter_take_dead() - count a child that has ended; call it before it is reaped */
void starvation_meter_take_dead(struct starvation_meter *meter, pid_t pid);

#endif
