/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts looks at threads into the record: around attempts, when processes end, and at intervals. A
 * look takes about 20 us a thread; looks take at most a twentieth of the time.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STARVATION_METER_H
#define SYNFAULT_RUNNER_SANDBOX_STARVATION_METER_H

#include "injector/injector.h"
#include "runner/sandbox/recorder.h"
#include "runner/sandbox/servers.h"

struct starvation_meter;

/**
 * starvation_meter_new() - begin to measure, just before the client starts
 * @base: borrowed, as are the next four
 * @clock: the calling thread's; each look is a turn
 * @injector: reads what it has received at each look
 * @own_pids: whether the sandbox has a pid namespace of its own
 */
struct starvation_meter *starvation_meter_new(struct event_base *base, struct recorder *recorder,
					      const struct servers *servers,
					      struct lateness_clock *clock,
					      struct injector *injector, bool own_pids);

/**
 * starvation_meter_stop() - look a last time; NULL is allowed
 *
 * Call it when the client has ended or is about to be ended: later waits don't count. Sets the
 * record's has_starvation and client_lag_ns.
 */
void starvation_meter_stop(struct starvation_meter *meter);

/** starvation_meter_free() - record that nothing has changed since the last look, and free it */
void starvation_meter_free(struct starvation_meter *meter);

/** starvation_meter_look_soon() - look after the event loop's current work; NULL is allowed */
void starvation_meter_look_soon(struct starvation_meter *meter);

/**
 * starvation_meter_before_jump() - look before the client's clock jumps; NULL is allowed
 *
 * What threads have waited so far belongs to the time before the jump.
 */
void starvation_meter_before_jump(struct starvation_meter *meter);

/**
 * starvation_meter_after_jump() - leave the jump out of the time between two looks
 * @took_ns: how long the jump took, by the kernel's clock. If that was long, it counts for the
 * client: it slept, but we did not wake it
 */
void starvation_meter_after_jump(struct starvation_meter *meter, int64_t by_ns, int64_t took_ns);

/** starvation_meter_take_dead() - count a child that has ended; call it before it is reaped */
void starvation_meter_take_dead(struct starvation_meter *meter, pid_t pid);

#endif
