/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a supervisor works on, and how it and its parent speak: see supervise.h. */
#ifndef SYNFAULT_RUNNER_SANDBOX_SUPERVISE_CONFIG_H
#define SYNFAULT_RUNNER_SANDBOX_SUPERVISE_CONFIG_H

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

#endif
