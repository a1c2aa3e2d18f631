/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fills in a scenario's record while it runs: what the injector reports, what programs write, when
 * they start and end. The injector's times become times since the client's start.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_RECORDER_H
#define SYNFAULT_RUNNER_SANDBOX_RECORDER_H

#include "injector/sock_lookup.h"
#include "runner/record/record.h"
#include "runner/sandbox/sandbox.h"

struct recorder {
	struct record *record;
	int64_t origin_ns;    /* CLOCK_MONOTONIC of time 0; before that of the reset */
	bool started;         /* time 0 has come */
	uint32_t n_instances; /* of the client */
	size_t max_attempts;  /* further ones are only counted; 0: no limit */

	/* Names the instance of the client that made an attempt whose SYN is held. */
	uint32_t (*instance_of)(void *userdata, const struct attempt_info *attempt);
	/* Called for each event that was added; NULL: not. */
	void (*on_event)(void *userdata, const struct event *event);
	/* Called when the first attempt is left out. */
	void (*on_full)(void *userdata);
	void *userdata;

	size_t n_output_events;
	uint64_t n_dropped_attempts;
	size_t dropped_problem; /* index of the problem that says so */
};

/** recorder_reset() - begin with an empty record; the record before is the caller's */
void recorder_reset(struct recorder *recorder);

/**
 * recorder_start() - make this moment time 0
 *
 * Events so far get negative times. They are reported now.
 */
void recorder_start(struct recorder *recorder);

/** recorder_now_ns() - return the time since the client's start */
int64_t recorder_now_ns(const struct recorder *recorder);

/** recorder_event() - add an event and report it */
void recorder_event(struct recorder *recorder, const struct event *event);

/** recorder_injector_event() - add what the injector reports; a new attempt is added first */
void recorder_injector_event(struct recorder *recorder, const struct injector_event *source);

/**
 * recorder_output() - add that a program wrote
 * @stream: index into the record's streams
 * @length: bytes; 0: nothing is added
 * @early_ns: it can have written as much earlier
 *
 * Writes in quick succession become one event.
 */
void recorder_output(struct recorder *recorder, uint32_t stream, size_t length, int64_t early_ns);

/** recorder_standing() - add that a process still holds the socket of an attempt */
void recorder_standing(struct recorder *recorder, uint32_t attempt);

/** recorder_orphan() - add what a closed socket that is not gone yet has carried */
void recorder_orphan(struct recorder *recorder, uint32_t attempt, const struct sock_found *socket);

/** recorder_diags() - add diagnostics as problems; frees them */
void recorder_diags(struct recorder *recorder, struct diag_list *diags);

/**
 * recorder_describe() - add what is known before the sandbox runs
 * @sandbox: planned; without endpoints when that failed
 */
void recorder_describe(struct recorder *recorder, const struct scenario *scenario,
		       const struct sandbox *sandbox);

/**
 * recorder_describe_delays() - add how SYNs to other hosts are delayed
 * @reinjected: sent again rather than held, which the client can notice (injector/reinject.h)
 */
void recorder_describe_delays(struct recorder *recorder, const struct sandbox *sandbox,
			      bool reinjected);

/** recorder_describe_kernel() - add the sysctls in force in the calling process's namespace */
void recorder_describe_kernel(struct recorder *recorder);

/** recorder_finish() - complete what is only known at the end; report what is not reported */
void recorder_finish(struct recorder *recorder);

#endif
