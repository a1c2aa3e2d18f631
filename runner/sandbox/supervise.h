/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervising process of one scenario: builds the sandbox, starts the servers and waits until
 * they listen, arms the injector, starts the client, and records what happens until everything has
 * ended. It never judges. Its result is a record, as JSON, in a file descriptor; a record that is
 * missing or not complete means that it died, which its parent reports as an error.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SUPERVISE_H
#define SYNFAULT_RUNNER_SANDBOX_SUPERVISE_H

#include <sys/resource.h>

#include "injector/nft_rules.h"
#include "runner/record/record.h"
#include "runner/sandbox/sandbox.h"

/* One byte each on the control socket, but for the text of an event. */
enum supervise_message {
	SUPERVISE_EVENT = 'e',     /* to the parent: a line of text follows, as on_event() sends */
	SUPERVISE_UNDER_WAY = 'u', /* to the parent: the client has sent its first SYN, or ended */
	SUPERVISE_INTERRUPT = 'i', /* to the supervisor: end everything, hand in what there is */
};

struct supervisor;
struct supervise_attached;

struct supervise_config {
	const struct scenario *scenario;
	char *const *command;           /* instead of the scenario's; NULL: the scenario's own */
	uint64_t seed;                  /* of this scenario */
	const struct sysctls *settings; /* to be written in the sandbox */
	const struct rlimit *n_files;   /* RLIMIT_NOFILE for what is started in the sandbox */
	enum nft_rules_queue_form queue_form; /* that works on this machine */
	bool shared;          /* no namespaces of its own: the child is of shared_sandbox_fork() */
	uint32_t number_hint; /* shared: where to look for a free number (shared_sandbox.h) */
	int space; /* shared: the run's place among others (netns_tables.h); -1: private */
	uid_t uid; /* private: of the user who started synfault, outside the sandbox */
	gid_t gid;
	int result_fd;                       /* the record goes there */
	bool want_sockets, want_client_ends; /* as the injector's (injector.h) */
	bool capture;                        /* packets are to be captured (--capture): */
	int capture_fd;                      /* they go there, */
	uint64_t capture_size;               /* at most so many bytes of them */
	int control_fd; /* socket to the parent; its end means that the parent is dead */
	/*
	 * Called in the supervising process for each event that was added to the record; NULL:
	 * nobody wants to know before the end.
	 */
	void (*on_event)(const struct supervise_config *config, const struct record *record,
			 const struct event *event);
	/* The client is somebody else's (below): then only what is above `uid`, the capture, and
	 * on_event, count. */
	const struct supervise_attached *attached;
};

/*
 * A scenario whose client somebody else starts (`synfault inject`): here the endpoints and the
 * injector are all there is. It works in the calling process, which has to be a child subreaper
 * (shared_sandbox_fork()) with no children of its own, and on its event loop.
 */
struct supervise_attached {
	struct event_base *base; /* as injector.h wants it */
	struct shared_sandbox *sandbox;
	/* It begins: the handle is valid until supervise_attached() returns. */
	void (*on_begin)(void *userdata, struct supervisor *supervisor);
	/* From now on nothing gets past the faults. */
	void (*on_armed)(void *userdata, const struct sandbox *sandbox,
			 const struct record *record);
	/*
	 * So many attempts are kept in the record. What comes after them is answered and counted,
	 * and nothing more: there is a problem then, so that the outcome is no pass. on_full is
	 * called for the first of them.
	 */
	size_t max_attempts;
	void (*on_full)(void *userdata);
	/*
	 * It begins again (supervise_reset()): @record is of what was before, and all packets of
	 * that are where they were to go, which has to be empty when this returns. Only where
	 * packets are captured.
	 */
	void (*on_restart)(void *userdata, const struct record *record);
	void *userdata;
};

/*
 * Runs the loop until supervise_stop(), or until something fails; returns the record, which the
 * caller owns. The rules stay, so that another scenario in the same sandbox can follow with no gap:
 * in between, SYNs to the endpoints are lost.
 */
struct record *supervise_attached(const struct supervise_config *config);
void supervise_stop(struct supervisor *supervisor);
/*
 * Begins again with an empty record and each script's first attempt; servers and connections stay.
 * Attempts that have no answer yet lose the SYNs that are held, and count anew when they repeat
 * them. Returns 0, or a negative errno before it is armed or after it was stopped.
 */
int supervise_reset(struct supervisor *self);

/* Runs in the child made by namespace_fork() or shared_sandbox_fork(). */
NORETURN void supervise(const struct supervise_config *config);

#endif
