/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments of the commands about sessions (docs/protocol.md), as tables. */
#ifndef SYNFAULT_RUNNER_SESSION_PROTOCOL_H
#define SYNFAULT_RUNNER_SESSION_PROTOCOL_H

#include "injector/event.h"
#include "runner/record/json_fields.h"

struct open_endpoint {
	char *name, *faults;
	uint32_t port; /* 0: choose a free one */
};

/* A session is opened from endpoints, from the text of a scenario, or from a file. */
struct open_arguments {
	char *name; /* of the session; NULL: the scenario's */
	struct open_endpoint *endpoints;
	size_t n_endpoints, capacity;
	char *source, *file;
	char *scenario; /* which one of the file or text; NULL: the only one */
};
extern const struct json_type open_type;

struct session_arguments {
	uint32_t session; /* 0: left out */
};
extern const struct json_type session_type; /* the session is required */
extern const struct json_type status_type;  /* it is optional */

struct wait_arguments {
	uint32_t session;
	char *endpoint;   /* NULL: the first one */
	uint32_t attempt; /* its number at the endpoint; 0: the first one */
	enum event_kind event;
	int64_t timeout_ns; /* 0: left out */
};
extern const struct json_type wait_type;
#define WAIT_DEFAULT_NS (30 * NS_PER_S)

struct faults_arguments {
	uint32_t session;
	char *endpoint; /* NULL: the first one */
	char *steps;
};
extern const struct json_type faults_type;

struct hold_arguments {
	uint32_t session;
	char *endpoint;   /* NULL: the first one */
	uint32_t attempt; /* its number at the endpoint; 0: the next one */
	int64_t limit_ns; /* 0: left out */
};
extern const struct json_type hold_type;
#define HOLD_DEFAULT_NS (30 * NS_PER_S)
#define HOLD_MAX_NS     (600 * NS_PER_S)

struct release_arguments {
	uint32_t session;
	char *endpoint; /* NULL: the first one */
	uint32_t attempt;
	char *verdict; /* NULL: accept */
};
extern const struct json_type release_type;

struct restart_arguments {
	uint32_t session;
	char *endpoint; /* NULL: all that have a step for it */
	int64_t for_ns; /* 0: as the step says */
};
extern const struct json_type restart_type;
extern const struct json_type restart_here_type; /* of a daemon without sessions */

struct events_arguments {
	uint32_t session;
	uint32_t since; /* sequence number of the first event that is wanted */
	bool follow;    /* report further events as they happen */
};
extern const struct json_type events_type;

struct artefacts_arguments {
	uint32_t session;
	char *directory;
};
extern const struct json_type artefacts_type;

extern const struct json_type requests_type; /* the arguments of each command under its name */

#endif
