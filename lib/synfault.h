/* SPDX-License-Identifier: MIT */
/*
 * libsynfault: connection faults from a test's own code, under `synfault exec`; or without it where
 * the test itself has NET_ADMIN, and synfault is in PATH: then each session starts one, which
 * injects in the network namespace of the test, and ends with the session or the process.
 *
 *     struct synfault_session *session;
 *     struct synfault_error error;
 *
 *     if (synfault_open("retries", SYNFAULT_ENDPOINTS("api=refuse x2, accept"), &session, &error))
 *         ... error.code == SYNFAULT_UNAVAILABLE: skip the test, error.text says why
 *     my_client_get(synfault_address(session, "api"));
 *     if (synfault_expect_pass(session, &error))
 *         ... SYNFAULT_CLIENT_FAILED: fail the test, error.text has the findings
 *     synfault_free(session);
 *
 * Sessions are independent of each other. The functions on one session may be called by several
 * threads at once, except synfault_free(); only one at a time may call synfault_next_event().
 * Nothing here changes errno on purpose, prints, or has state of its own.
 *
 * Where a function takes an endpoint, NULL is the first one. What a function returns as text or
 * through a pointer to a structure lives as long as its session, an event until the next one.
 */
#ifndef SYNFAULT_H
#define SYNFAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/** enum synfault_code - what a function returns: 0, or why it could not do its work. */
enum synfault_code {
	SYNFAULT_OK = 0,
	/* This machine can't inject the faults, or there is no synfault: skip the test. */
	SYNFAULT_UNAVAILABLE = 1,
	/* What was waited for did not happen in time. */
	SYNFAULT_TIMED_OUT = 2,
	/* The session or synfault has ended. */
	SYNFAULT_ENDED = 3,
	/* There is no such endpoint, session or scenario. */
	SYNFAULT_NOT_FOUND = 4,
	/* An error in the steps or in the scenario. */
	SYNFAULT_BAD_SCENARIO = 5,
	/* An argument that synfault can't use, or a call at the wrong time. */
	SYNFAULT_BAD_REQUEST = 6,
	/* synfault refused for another reason, which the text has. */
	SYNFAULT_REFUSED = 7,
	/* The system refused: no memory, no descriptors. */
	SYNFAULT_SYSTEM = 8,
	/* Of synfault_expect_pass() alone: the client did not do what was expected. */
	SYNFAULT_CLIENT_FAILED = 9,
	/* Of synfault_expect_pass() alone: it is unknown whether it did, or a fault never fired. */
	SYNFAULT_UNJUDGED = 10,
	/* The attempt has not begun, or is not held, or not any more. */
	SYNFAULT_NOT_HELD = 11,
};

/** struct synfault_error - what went wrong: a code, and a text for people, which may be cut at the
 * end. */
struct synfault_error {
	enum synfault_code code;
	char text[2044];
};

/** enum synfault_outcome - what a session means. */
enum synfault_outcome {
	SYNFAULT_PASS = 0,
	SYNFAULT_FAIL = 1,
	/* The outcome is unknown, or a fault never fired: the test proved nothing. */
	SYNFAULT_ERROR = 2,
	SYNFAULT_SKIP = 3,
};

/**
 * struct synfault_finding - what is wrong with a client
 * @type: what the finding is about, as a scenario calls it: "attempts", "backoff", …
 * @message: all of it, as a sentence
 * @subject: what was measured; NULL if unknown, as the following two
 * @expected: what was expected
 * @actual: what was seen
 * @attempt: the number of the attempt that it is about, from 1; 0 if it is about no single one
 *
 * Later versions may append members: only the library makes these structures.
 */
struct synfault_finding {
	const char *type;
	const char *message;
	const char *subject;
	const char *expected;
	const char *actual;
	unsigned long attempt;
};

/**
 * struct synfault_artefacts - paths of files about a session
 * @record: what happened, as JSON
 * @picture: its timeline, as SVG
 * @capture: its packets, as pcapng; NULL if they were not kept
 *
 * Later versions may append members: only the library makes these structures.
 */
struct synfault_artefacts {
	const char *record;
	const char *picture;
	const char *capture;
};

/**
 * struct synfault_status - how far an endpoint is
 * @name: its name
 * @script: its steps
 * @next: the step that the next attempt gets
 * @next_step: the number of that step, from 1
 * @attempts: how many connection attempts there were so far
 * @refused: how many of them a fault refused
 * @established: how many became connections
 * @abandoned: how many the client gave up without an answer
 * @rejected: how many were let through to a port at which no process listens
 * @unreachable: how many a fault answered with ICMP
 * @timed_out: how many the client's kernel gave up
 * @open: how many have not ended
 *
 * Later versions may append members: only the library makes these structures.
 */
struct synfault_status {
	const char *name;
	const char *script;
	const char *next;
	unsigned long next_step;
	unsigned long attempts;
	unsigned long refused;
	unsigned long established;
	unsigned long abandoned;
	unsigned long rejected;
	unsigned long unreachable;
	unsigned long timed_out;
	unsigned long open;
};

/**
 * struct synfault_event - something that happened
 * @sequence: its number in the session, from 0
 * @kind: what it is, as in a record: "syn", "verdict", "established", "fault", "closed", "outage",
 *        …; or "lost": events are missing, since the program read them too late
 * @endpoint: at which endpoint; NULL if it is about none
 * @attempt: the number of the attempt at the endpoint, from 1; 0 if it is about none
 * @time_ns: when it happened, in nanoseconds since the faults were armed
 * @verdict: of "verdict": "refuse", "drop", "accept", …; else NULL
 * @fault: of "fault": "reset", …; else NULL
 * @count: of "lost": how many, from @sequence on; else 0
 *
 * Later versions may append members: only the library makes these structures.
 */
struct synfault_event {
	unsigned long sequence;
	const char *kind;
	const char *endpoint;
	unsigned long attempt;
	long long time_ns;
	const char *verdict;
	const char *fault;
	unsigned long count;
};

struct synfault_session;
struct synfault_judgement;

/* A list for synfault_open(): SYNFAULT_ENDPOINTS("api=refuse x2, accept", "db=drop"). */
#define SYNFAULT_ENDPOINTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/**
 * synfault_open() - open a session of endpoints with faults
 * @name: its name in reports, or NULL
 * @endpoints: "NAME=STEPS", as `synfault exec -e` takes them; the last item is NULL
 * @ret_session: gets the session, to be freed with synfault_free()
 * @error: gets what went wrong, and is unchanged on success; may be NULL, here and below
 *
 * When it returns, the faults are armed: no SYN to an endpoint gets past them.
 */
enum synfault_code synfault_open(const char *name, const char *const *endpoints,
				 struct synfault_session **ret_session,
				 struct synfault_error *error);

/**
 * synfault_open_file() - open a session of a scenario in a file
 * @name: its name in reports, or NULL
 * @path: the file, absolute or from the current directory
 * @scenario: which of the file's scenarios; NULL if it has only one
 * @ret_session: gets the session
 * @error: gets what went wrong
 */
enum synfault_code synfault_open_file(const char *name, const char *path, const char *scenario,
				      struct synfault_session **ret_session,
				      struct synfault_error *error);

/**
 * synfault_open_text() - open a session of a scenario in a text
 * @name: its name in reports, or NULL
 * @text: the scenario, YAML or JSON
 * @ret_session: gets the session
 * @error: gets what went wrong
 */
enum synfault_code synfault_open_text(const char *name, const char *text,
				      struct synfault_session **ret_session,
				      struct synfault_error *error);

/**
 * synfault_free() - end a session and free it, its texts and judgements
 * @session: the session, or NULL
 *
 * If it was not closed, and no check was asked for, `synfault exec` judges it and counts it in its
 * exit status; a synfault of its own prints the findings on the standard error.
 */
void synfault_free(struct synfault_session *session);

/** synfault_address() - return "HOST:PORT" of an endpoint, "[HOST]:PORT" for IPv6; NULL if there is
 * none. */
const char *synfault_address(const struct synfault_session *session, const char *endpoint);

/** synfault_host() - return the address of an endpoint alone; NULL if there is no such endpoint. */
const char *synfault_host(const struct synfault_session *session, const char *endpoint);

/** synfault_port() - return the port of an endpoint; 0 if there is no such endpoint. */
unsigned int synfault_port(const struct synfault_session *session, const char *endpoint);

/**
 * synfault_sockaddr() - get the address of an endpoint for connect()
 * @session: the session
 * @endpoint: its name
 * @ret_address: gets the address
 * @ret_length: gets its length
 *
 * Return: SYNFAULT_OK or SYNFAULT_NOT_FOUND.
 */
enum synfault_code synfault_sockaddr(const struct synfault_session *session, const char *endpoint,
				     struct sockaddr_storage *ret_address, socklen_t *ret_length);

/**
 * synfault_attempts() - count the connection attempts so far
 * @session: the session
 * @endpoint: at which endpoint; NULL: at all of them
 * @ret_attempts: gets their number
 * @error: gets what went wrong
 */
enum synfault_code synfault_attempts(struct synfault_session *session, const char *endpoint,
				     unsigned long *ret_attempts, struct synfault_error *error);

/**
 * synfault_status() - return how many attempts there were so far, how they ended, and what comes
 * next
 * @session: the session
 * @endpoint: at which endpoint
 * @ret_status: gets the status, which does not change later, and lives as long as the session
 * @error: gets what went wrong
 */
enum synfault_code synfault_status(struct synfault_session *session, const char *endpoint,
				   const struct synfault_status **ret_status,
				   struct synfault_error *error);

/**
 * synfault_wait() - wait until an attempt has had an event
 * @session: the session
 * @endpoint: at which endpoint
 * @attempt: which attempt, from 1
 * @event: "syn", "verdict", "established", "closed", …
 * @timeout_ms: how long to wait; then it returns SYNFAULT_TIMED_OUT
 * @error: gets what went wrong
 *
 * It returns at once if the event has happened already. Other threads can use the session at the
 * same time.
 */
enum synfault_code synfault_wait(struct synfault_session *session, const char *endpoint,
				 unsigned long attempt, const char *event, unsigned int timeout_ms,
				 struct synfault_error *error);

/**
 * synfault_begin_wait() - wait as synfault_wait() does, beside what a program's own loop waits for
 *
 * When synfault_fd() is readable, synfault_end_wait() returns the result without waiting. A session
 * has one such wait at a time; the other functions work beside it. The parameters are those of
 * synfault_wait().
 */
enum synfault_code synfault_begin_wait(struct synfault_session *session, const char *endpoint,
				       unsigned long attempt, const char *event,
				       unsigned int timeout_ms, struct synfault_error *error);

/** synfault_end_wait() - return the result of the wait that synfault_begin_wait() began. */
enum synfault_code synfault_end_wait(struct synfault_session *session,
				     struct synfault_error *error);

/** synfault_fd() - return the descriptor to poll after synfault_begin_wait(); -1 before the first
 * one. */
int synfault_fd(struct synfault_session *session);

/**
 * synfault_faults() - replace the faults of an endpoint
 * @session: the session
 * @endpoint: which endpoint
 * @steps: the new steps
 * @ret_attempt: gets the number of the first attempt that they serve; may be NULL
 * @error: gets what went wrong
 *
 * When it returns, the new steps are armed. Each fault of the old ones has to have fired, too.
 */
enum synfault_code synfault_faults(struct synfault_session *session, const char *endpoint,
				   const char *steps, unsigned long *ret_attempt,
				   struct synfault_error *error);

/**
 * synfault_hold() - hold an attempt that has not begun
 * @session: the session
 * @endpoint: at which endpoint
 * @attempt: which attempt, from 1; 0: the next one
 * @limit_ms: after how long it is let through, if nothing releases it
 * @ret_attempt: gets the number of the attempt; may be NULL
 * @error: gets what went wrong
 *
 * Its SYNs get no answer until synfault_release(). An attempt that is not released proves nothing:
 * then the outcome is an error.
 */
enum synfault_code synfault_hold(struct synfault_session *session, const char *endpoint,
				 unsigned long attempt, unsigned int limit_ms,
				 unsigned long *ret_attempt, struct synfault_error *error);

/**
 * synfault_release() - decide about an attempt that is held
 * @session: the session
 * @endpoint: at which endpoint
 * @attempt: which attempt
 * @verdict: "accept", "refuse", "drop" or "unreachable KIND"
 * @error: gets what went wrong
 *
 * Return: SYNFAULT_NOT_HELD if the attempt has not begun, or is not held any more.
 */
enum synfault_code synfault_release(struct synfault_session *session, const char *endpoint,
				    unsigned long attempt, const char *verdict,
				    struct synfault_error *error);

/**
 * synfault_restart() - begin the outages that wait for a command, as "restart 5s from command"
 * @session: the session
 * @endpoint: at which endpoint; NULL: at all that have such a step
 * @lasts_ms: for how long; 0: as the step says
 * @ret_ended: gets how many connections it has ended; may be NULL
 * @error: gets what went wrong
 */
enum synfault_code synfault_restart(struct synfault_session *session, const char *endpoint,
				    unsigned int lasts_ms, unsigned long *ret_ended,
				    struct synfault_error *error);

/**
 * synfault_next_event() - return the next event of the session, from the first one on
 * @session: the session
 * @timeout_ms: how long to wait for one; then it returns SYNFAULT_TIMED_OUT
 * @ret_event: gets the event, which lives until the next call
 * @error: gets what went wrong
 *
 * Return: SYNFAULT_ENDED after the last event of a session that has ended; SYNFAULT_NOT_FOUND if
 * it had ended before the first call. Only one thread at a time may call this.
 */
enum synfault_code synfault_next_event(struct synfault_session *session, unsigned int timeout_ms,
				       const struct synfault_event **ret_event,
				       struct synfault_error *error);

/**
 * synfault_check() - judge what has happened so far
 * @session: the session
 * @ret_judgement: gets the judgement
 * @error: gets what went wrong
 */
enum synfault_code synfault_check(struct synfault_session *session,
				  const struct synfault_judgement **ret_judgement,
				  struct synfault_error *error);

/**
 * synfault_close() - end a session and judge it
 * @session: the session
 * @ret_judgement: gets the judgement; a second call gets the same one. May be NULL.
 * @error: gets what went wrong
 *
 * Return: SYNFAULT_OK with any judgement, also if the client failed.
 */
enum synfault_code synfault_close(struct synfault_session *session,
				  const struct synfault_judgement **ret_judgement,
				  struct synfault_error *error);

/**
 * synfault_expect_pass() - close a session and make an error of a judgement other than pass
 * @session: the session
 * @error: gets the findings
 *
 * Return: SYNFAULT_CLIENT_FAILED should fail the test, SYNFAULT_UNJUDGED and others are errors of
 * the test.
 */
enum synfault_code synfault_expect_pass(struct synfault_session *session,
					struct synfault_error *error);

/**
 * synfault_artefacts() - write files about a closed session
 * @session: the session
 * @directory: where; made if it does not exist
 * @ret_artefacts: gets the paths of the files
 * @error: gets what went wrong
 */
enum synfault_code synfault_artefacts(struct synfault_session *session, const char *directory,
				      const struct synfault_artefacts **ret_artefacts,
				      struct synfault_error *error);

/** synfault_outcome() - return the outcome of a judgement. */
enum synfault_outcome synfault_outcome(const struct synfault_judgement *judgement);

/** synfault_finding() - return one of the findings of a judgement, from 0; NULL after the last one.
 */
const struct synfault_finding *synfault_finding(const struct synfault_judgement *judgement,
						size_t number);

/** synfault_text() - return the outcome and the messages of all findings, a line each. */
const char *synfault_text(const struct synfault_judgement *judgement);

#ifdef __cplusplus
}
#endif

#endif
