/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fills in the record while a scenario runs: what the injector reports, what programs write, and
 * when they start and end. Converts the injector's times to times since the client's start.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_RECORDER_H
#define SYNFAULT_RUNNER_SANDBOX_RECORDER_H

#include "injector/sock_lookup.h"
#include "runner/record/record.h"
#include "runner/sandbox/sandbox.h"

struct recorder {
	struct record *record;
	int64_t origin_ns;    /* CLOCK_MONOTONIC of time 0; until recorder_start(), of the reset */
	bool started;         /* time 0 has passed */
	uint32_t n_instances; /* of the client */
	size_t max_attempts;  /* more are only counted, not recorded; 0: no limit */

	/* Names the instance of the client that made an attempt whose SYN is held. */
	uint32_t (*instance_of)(void *userdata, const struct attempt_info *attempt);
	/* Called for each event that is added, unless NULL. */
	void (*on_event)(void *userdata, const struct event *event);
	/* Called when the first attempt is not recorded, because of max_attempts. */
	void (*on_full)(void *userdata);
	void *userdata;

	size_t n_output_events;
	uint64_t n_dropped_attempts;
	size_t dropped_problem; /* index of the problem that reports them */
};

/** recorder_reset() - begin with an empty record; the caller owns the previous one */
void recorder_reset(struct recorder *recorder);

/**
 * recorder_start() - make this moment time 0
 *
 * Earlier events get negative times, and are reported now.
 */
void recorder_start(struct recorder *recorder);

/** recorder_now_ns() - return the time since the client's start */
int64_t recorder_now_ns(const struct recorder *recorder);

/** recorder_event() - add an event and report it */
void recorder_event(struct recorder *recorder, const struct event *event);

/** recorder_injector_event() - add an event from the injector, and first its attempt if it is new
 */
void recorder_injector_event(struct recorder *recorder, const struct injector_event *source);

/**
 * recorder_output() - record that a program wrote
 * @stream: index into the record's streams
 * @length: in bytes; if 0, nothing is recorded
 * @early_ns: how much earlier it may have written
 *
 * Writes in quick succession become one event.
 */
void recorder_output(struct recorder *recorder, uint32_t stream, size_t length, int64_t early_ns);

/** recorder_still_open() - record that a process still holds the socket of an attempt */
void recorder_still_open(struct recorder *recorder, uint32_t attempt);

/** recorder_orphan() - record what a socket carried that is closed but not gone yet */
void recorder_orphan(struct recorder *recorder, uint32_t attempt, const struct sock_found *socket);

/** recorder_diags() - record diagnostics as problems, and free them */
void recorder_diags(struct recorder *recorder, struct diag_list *diags);

/**
 * recorder_describe() - record what is known before the sandbox runs
 * @sandbox: the planned sandbox; without endpoints if planning failed
 */
void recorder_describe(struct recorder *recorder, const struct scenario *scenario,
		       const struct sandbox *sandbox);

/**
 * recorder_describe_delays() - record how SYNs to other hosts are delayed
 * @reinjected: whether they are sent again, not held; clients can notice (injector/reinject.h)
 */
void recorder_describe_delays(struct recorder *recorder, const struct sandbox *sandbox,
			      bool reinjected);

/** recorder_describe_kernel() - record the sysctls of the calling process's network namespace */
void recorder_describe_kernel(struct recorder *recorder);

/** recorder_finish() - complete the record at the end, and report events not reported yet */
void recorder_finish(struct recorder *recorder);

#endif
