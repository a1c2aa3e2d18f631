/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the threads of all descendants, for clients that others start: any number of records
 * share it (starvation_meter.h has one record).
 *
 * Which of the descendants is the client is not known. A record is opened for a process, whose
 * descendants include the client as long as all sockets of the attempts belong to one of them; then
 * only their threads count. Otherwise the threads of all descendants do, which is coarser but never
 * wrong. If a socket belongs to no descendant, all threads of the machine do, as far as the kernel
 * says (machine_wait_ns() in starvation.h).
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STARVATION_SAMPLER_H
#define SYNFAULT_RUNNER_SANDBOX_STARVATION_SAMPLER_H

#include <event2/event.h>
#include <sys/types.h>

#include "runner/record/record.h"

struct starvation_sampler;

/* In place of a process: all threads of the machine. */
#define SAMPLER_MACHINE ((pid_t)-1)

/**
 * starvation_sampler_new() - prepare; it looks only while there is a record
 * @base: borrowed
 * @own_pids: whether the calling process is the first of a pid namespace
 */
struct starvation_sampler *starvation_sampler_new(struct event_base *base, bool own_pids);

/**
 * starvation_sampler_open() - look from now on, for another record
 * @root: the process whose descendants include the client; 0: unknown
 * @server: a child that serves the record's endpoints, as do its descendants
 */
void starvation_sampler_open(struct starvation_sampler *sampler, pid_t root, pid_t server);
/** starvation_sampler_close() - end what starvation_sampler_open() began */
void starvation_sampler_close(struct starvation_sampler *sampler, pid_t root, pid_t server);

/** starvation_sampler_take_dead() - count a child that has ended; call it before it is reaped */
void starvation_sampler_take_dead(struct starvation_sampler *sampler, pid_t pid);

/**
 * starvation_sampler_complete() - look, and add all looks since its time 0 to a record
 * @root: as for starvation_sampler_open(); or 0 if a socket belongs to another descendant, and
 *	SAMPLER_MACHINE if one does to none
 * @origin_ns: CLOCK_MONOTONIC of the record's time 0, after starvation_sampler_open()
 *
 * The record must have no event from after the call.
 */
void starvation_sampler_complete(struct starvation_sampler *sampler, pid_t root, int64_t origin_ns,
				 struct record *record);

#endif
