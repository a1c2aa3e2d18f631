/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor: the process that runs one scenario. It builds the sandbox, starts the servers and
 * waits until they listen, arms the injector, starts the client, and records what happens until
 * everything has ended. It never judges. Its result is a record, as JSON, in a file descriptor. A
 * record that is missing or incomplete means that the supervisor died, which its parent reports as
 * an error.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SUPERVISE_H
#define SYNFAULT_RUNNER_SANDBOX_SUPERVISE_H

#include "runner/sandbox/supervise_config.h"

/**
 * supervise_attached() - run the loop until supervise_stop(), or until something fails
 *
 * The rules stay, so that another scenario can follow in the same sandbox without a gap: between
 * the two, SYNs to the endpoints are lost.
 *
 * Return: the record, owned by the caller.
 */
struct record *supervise_attached(const struct supervise_config *config);
/**
 * supervise_look() - bring the record of an armed scenario up to date, so that it can be judged
 *
 * Losses that only the kernel's counters show are not known before the end.
 */
void supervise_look(struct supervisor *supervisor);
/** supervise_origin_ns() - return the CLOCK_MONOTONIC of the record's time 0, once it is armed */
int64_t supervise_origin_ns(const struct supervisor *supervisor);
/** supervise_stop() - make supervise_attached() return */
void supervise_stop(struct supervisor *supervisor);
/**
 * supervise_reset() - begin again with an empty record and each script's first attempt
 *
 * Servers and connections stay. Attempts without an answer lose their held SYNs; they count as new
 * attempts when the kernel retransmits the SYNs.
 *
 * Return: 0, or a negative errno before it is armed or after it was stopped.
 */
int supervise_reset(struct supervisor *self);

/**
 * supervise_replace() - replace the script of an endpoint
 * @steps: as text, which goes into the record; @script: the same; with one list
 *
 * Attempts that have started keep their steps. The first of the new ones serves the next attempt.
 *
 * Return: the number of that attempt, or 0 before it is armed or after it was stopped.
 */
uint32_t supervise_replace(struct supervisor *self, size_t endpoint, const char *steps,
			   const struct script *script);
/**
 * supervise_hold() - hold an attempt that has not started
 *
 * Return: as tracker_hold(), or -EBUSY before it is armed or after it was stopped.
 */
int supervise_hold(struct supervisor *self, size_t endpoint, uint32_t number, int64_t limit_ns,
		   uint32_t *ret_number);
/**
 * supervise_release() - give the verdict on a held attempt
 * @steps: @verdict as text, which goes into the record
 *
 * Return: as tracker_release(), or -EBUSY before it is armed or after it was stopped.
 */
int supervise_release(struct supervisor *self, size_t endpoint, uint32_t number, const char *steps,
		      const struct step *verdict);
/**
 * supervise_outage() - begin the outages at an endpoint that wait for a command
 * (injector_command_outage()), and record that
 * @after_ns: more than 0: later, unless there is another command at the endpoint before
 * @ret_n_ended: how many connections they ended; 0: those that begin later
 *
 * Return: 0; -ENOENT if the endpoint has none; -EBUSY before it is armed or after it was stopped.
 */
int supervise_outage(struct supervisor *self, uint32_t endpoint, int64_t lasts_ns, int64_t after_ns,
		     size_t *ret_n_ended);

/** supervise() - run a scenario in the child made by namespace_fork() or shared_sandbox_fork() */
NORETURN void supervise(const struct supervise_config *config);

#endif
