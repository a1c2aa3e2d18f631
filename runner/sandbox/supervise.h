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

#include <sys/resource.h>

#include "injector/nft_rules.h"
#include "runner/record/record.h"
#include "runner/sandbox/sandbox.h"

/* One byte each on the control socket; the text of an event follows. */
enum supervise_message {
	SUPERVISE_EVENT = 'e',     /* to the parent: a line of text follows, as on_event() sends */
	SUPERVISE_UNDER_WAY = 'u', /* to the parent: the client has sent its first SYN, or ended */
	SUPERVISE_INTERRUPT = 'i', /* to the supervisor: end everything, and write the record */
};

struct supervisor;
struct supervise_attached;

struct supervise_config {
	const struct scenario *scenario;
	char *const *command;           /* replaces the scenario's; NULL: the scenario's own */
	uint64_t seed;                  /* of this scenario */
	const struct sysctls *settings; /* to write in the sandbox */
	const struct rlimit *n_files;   /* RLIMIT_NOFILE for programs in the sandbox */
	enum nft_rules_queue_form queue_form; /* the one that works on this machine */
	bool shared;          /* no namespaces of its own: the child is of shared_sandbox_fork() */
	uint32_t number_hint; /* shared: where to look for a free number (shared_sandbox.h) */
	int space; /* shared: the run's claim among other runs (netns_tables.h); -1: private */
	uid_t uid; /* private: of the user who started synfault, outside the sandbox */
	gid_t gid;
	int result_fd;                       /* gets the record */
	bool want_sockets, want_client_ends; /* as in injector.h */
	bool virtual_time;                   /* private: the client's clock jumps while it sleeps */
	bool capture;                        /* capture packets (--capture) */
	int capture_fd;                      /* gets them */
	uint64_t capture_size;               /* maximum of their bytes */
	int control_fd; /* socket to the parent; when it is closed, the parent is dead */
	/* Called in the supervisor for each event that was added to the record; NULL: not. */
	void (*on_event)(const struct supervise_config *config, const struct record *record,
			 const struct event *event);
	/*
	 * Set if another program starts the client (below). Then only the fields before `uid`,
	 * those of the capture, and on_event matter.
	 */
	const struct supervise_attached *attached;
};

/*
 * A scenario whose client another program starts (`synfault inject`): there are only the endpoints
 * and the injector. It works in the calling process and on its event loop. The process has to be a
 * child subreaper (shared_sandbox_fork()) without children of its own.
 */
struct supervise_attached {
	struct event_base *base; /* as injector.h wants it */
	struct shared_sandbox *sandbox;
	/* Called at the start; the handle is valid until supervise_attached() returns. */
	void (*on_begin)(void *userdata, struct supervisor *supervisor);
	/* Called when it is armed: from now on nothing gets past the faults. */
	void (*on_armed)(void *userdata, const struct sandbox *sandbox,
			 const struct record *record);
	/*
	 * Attempts of this process and its descendants are of instance 0 in the record. 0, or if
	 * the scenario has several instances: all are of an unknown one.
	 */
	pid_t client;
	pid_t ancestor; /* of all clients that are not from outside; 0: not known */
	/*
	 * Maximum of attempts that are kept in the record. Further ones are answered and counted,
	 * but a problem is added, so that the outcome can't be pass. on_full is called for the
	 * first of them.
	 */
	size_t max_attempts;
	void (*on_full)(void *userdata);
	bool replaceable; /* supervise_replace() will be called */
	/*
	 * Called when it begins again (supervise_reset()). @record is of the time before, whose
	 * packets are all in capture_fd, which has to be empty when this returns. Called only if
	 * packets are captured.
	 */
	void (*on_restart)(void *userdata, const struct record *record);
	void *userdata;
};

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
 *
 * Return: 0; -ENOENT if the endpoint has none; another negative errno if it is not armed.
 */
int supervise_outage(struct supervisor *self, uint32_t endpoint, int64_t lasts_ns,
		     size_t *ret_n_ended);

/** supervise() - run a scenario in the child made by namespace_fork() or shared_sandbox_fork() */
NORETURN void supervise(const struct supervise_config *config);

#endif
