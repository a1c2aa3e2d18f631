/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps any number of sessions side by side, each a process of its own (session.h), and answers the
 * commands about them (docs/protocol.md). A session that a connection opened ends with it. When a
 * session has ended, its record is judged and becomes a result.
 */
#ifndef SYNFAULT_RUNNER_SESSION_SESSION_HOST_H
#define SYNFAULT_RUNNER_SESSION_SESSION_HOST_H

#include "runner/schedule/captures.h"
#include "runner/session/session.h"

struct session_host_config {
	struct event_base *base;
	int control_fd;                    /* listening and non-blocking; stays the caller's */
	int tcp_fd;                        /* the same over TCP, if there is a token */
	const char *token;                 /* borrowed; NULL: no TCP */
	const struct isolation *isolation; /* shared */
	bool own_pids;                     /* the calling process is the first of a pid namespace */
	const struct rlimit *n_files;      /* what programs get back of RLIMIT_NOFILE; borrowed */
	uint64_t seed;                     /* of the run */
	struct judge_options judge;
	struct capture_policy capture;
	struct run_results *results; /* gets a result for each session that was armed, and more */
	/*
	 * Called for each new result. @checked: a client has asked for its judgement, so that it
	 * may have drawn its own conclusions.
	 */
	void (*on_result)(void *userdata, const struct result *result, bool checked);
	/* Called when a session has been armed or has ended. */
	void (*on_change)(void *userdata);
	void *userdata;
};

struct session_host;

/** session_host_new() - take commands until the process ends; @config is copied */
struct session_host *session_host_new(const struct session_host_config *config);

/**
 * session_host_open() - open a session that no connection owns
 * @file: becomes the host's; may be the same for several sessions
 *
 * It is armed when on_change() has been called and none is starting.
 *
 * Return: 0, or a negative errno with a message, owned by the caller.
 */
int session_host_open(struct session_host *host, struct scenario_file *file,
		      const struct scenario *scenario, char **ret_message);

/** session_host_n_open() - return how many sessions have not ended */
size_t session_host_n_open(const struct session_host *host);
/** session_host_n_starting() - return how many of them are not armed yet */
size_t session_host_n_starting(const struct session_host *host);
/**
 * session_host_variables() - return the environment variables of all endpoints
 *
 * Return: "NAME=value" texts, NULL-terminated, owned by the caller.
 */
char **session_host_variables(const struct session_host *host);

/** session_host_close_all() - end all sessions; new ones are refused */
void session_host_close_all(struct session_host *host);
/** session_host_kill_all() - kill what does not end */
void session_host_kill_all(struct session_host *host);
/** session_host_look_at_dead() - count a child that has ended; call it before it is reaped */
void session_host_look_at_dead(struct session_host *host, pid_t pid);
/**
 * session_host_take_dead() - take the end of a child
 *
 * Return: whether it was a session.
 */
bool session_host_take_dead(struct session_host *host, pid_t pid, int wait_status);

#endif
