/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments of the commands about sessions: see protocol.h. */
#include "runner/session/protocol.h"

#include "common/duration.h"

static const struct json_field open_endpoint_fields[] = {
	{"name", JSON_TEXT(struct open_endpoint, name)},
	{"faults", JSON_TEXT(struct open_endpoint, faults),
	 .about = "Fault steps, separated by commas: \"refuse x2, accept\"."},
	{"port", JSON_U32(struct open_endpoint, port), .min = 1, .max = UINT16_MAX,
	 .optional = true, .about = "Missing: a free one."},
};
static const struct json_type open_endpoint_type = {
	JSON_TYPE(struct open_endpoint, open_endpoint_fields),
	.is_closed = true,
};

static bool check_open(struct json_reader *reader, void *object)
{
	const struct open_arguments *arguments = object;
	const int n = (arguments->n_endpoints > 0) + (arguments->source != NULL) +
		      (arguments->file != NULL);

	if (n != 1)
		return json_refuse(reader, "exactly one of endpoints, source and file is expected");
	if (arguments->scenario && arguments->n_endpoints > 0)
		return json_refuse(reader, "\"scenario\" goes with source or file");
	return true;
}

static const struct json_field open_fields[] = {
	{"name", JSON_TEXT(struct open_arguments, name), .optional = true,
	 .about = "Of the session, in reports. Missing: the scenario's."},
	{"endpoints",
	 JSON_LIST(struct open_arguments, endpoints, n_endpoints, struct open_endpoint,
		   &open_endpoint_type),
	 JSON_CAPACITY(struct open_arguments, capacity), .optional = true,
	 .about = "The faults, without a scenario."},
	{"source", JSON_TEXT(struct open_arguments, source), .optional = true,
	 .about = "The text of a scenario file, YAML or JSON."},
	{"file", JSON_TEXT(struct open_arguments, file), .optional = true,
	 .about = "The path of a scenario file; a relative one counts from synfault's directory."},
	{"scenario", JSON_TEXT(struct open_arguments, scenario), .optional = true,
	 .about = "The name of a scenario in the file or text. Missing: the only one."},
};
const struct json_type open_type = {
	JSON_TYPE(struct open_arguments, open_fields),
	.name = "open",
	.about = "Opens a session. The reply comes when its faults are armed.",
	.is_closed = true,
	.check = check_open,
};

#define SESSION_FIELD(S)                                                                           \
	{                                                                                          \
		"session", JSON_U32(S, session), .min = 1, .max = UINT32_MAX                       \
	}

static const struct json_field session_fields[] = {SESSION_FIELD(struct session_arguments)};
const struct json_type session_type = {
	JSON_TYPE(struct session_arguments, session_fields),
	.name = "session",
	.about = "A session, by the number that open returned.",
	.is_closed = true,
};

static const struct json_field status_fields[] = {
	{"session", JSON_U32(struct session_arguments, session), .min = 1, .max = UINT32_MAX,
	 .optional = true},
};
const struct json_type status_type = {
	JSON_TYPE(struct session_arguments, status_fields),
	.name = "status",
	.about = "Shows one session, or lists all.",
	.is_closed = true,
};

static const struct json_field wait_fields[] = {
	SESSION_FIELD(struct wait_arguments),
	{"endpoint", JSON_TEXT(struct wait_arguments, endpoint), .optional = true,
	 .about = "Missing: the first one."},
	{"attempt", JSON_U32(struct wait_arguments, attempt), .min = 1, .max = UINT32_MAX,
	 .optional = true, .about = "Its number at the endpoint, from 1. Missing: 1."},
	{"event",
	 JSON_WORD(struct wait_arguments, event, enum event_kind, event_kind_name,
		   EVENT_CLOSED + 1),
	 .about = "What has to happen to the attempt, as in a record."},
	{"timeout_ns", JSON_DURATION(struct wait_arguments, timeout_ns), .optional = true,
	 .about = "Missing: 30 s."},
};
const struct json_type wait_type = {
	JSON_TYPE(struct wait_arguments, wait_fields),
	.name = "wait",
	.about = "Waits until something has happened to an attempt.",
	.is_closed = true,
};

#define ENDPOINT_FIELD(S)                                                                          \
	{                                                                                          \
		"endpoint", JSON_TEXT(S, endpoint), .optional = true,                              \
						    .about = "Missing: the first one."             \
	}

static const struct json_field faults_fields[] = {
	SESSION_FIELD(struct faults_arguments),
	ENDPOINT_FIELD(struct faults_arguments),
	{"steps", JSON_TEXT(struct faults_arguments, steps),
	 .about = "Fault steps, separated by commas: \"refuse x2, accept\"."},
};
const struct json_type faults_type = {
	JSON_TYPE(struct faults_arguments, faults_fields),
	.name = "faults",
	.about = "Replaces the faults of an endpoint. The reply comes when the new ones are armed.",
	.is_closed = true,
};

static const struct json_field hold_fields[] = {
	SESSION_FIELD(struct hold_arguments),
	ENDPOINT_FIELD(struct hold_arguments),
	{"attempt", JSON_U32(struct hold_arguments, attempt), .min = 1, .max = UINT32_MAX,
	 .optional = true,
	 .about =
		 "Its number at the endpoint, which has not been made yet. Missing: the next one."},
	{"limit_ns", JSON_DURATION(struct hold_arguments, limit_ns), .optional = true,
	 .about = "After this time its SYNs are let through. Missing: 30 s; at most 10 minutes."},
};
const struct json_type hold_type = {
	JSON_TYPE(struct hold_arguments, hold_fields),
	.name = "hold",
	.about = "Holds an attempt until it is released.",
	.is_closed = true,
};

static const struct json_field release_fields[] = {
	SESSION_FIELD(struct release_arguments),
	ENDPOINT_FIELD(struct release_arguments),
	{"attempt", JSON_U32(struct release_arguments, attempt), .min = 1, .max = UINT32_MAX,
	 .about = "Its number at the endpoint, which hold returned."},
	{"verdict", JSON_TEXT(struct release_arguments, verdict), .optional = true,
	 .about = "accept, refuse, drop or unreachable KIND. Missing: accept."},
};
const struct json_type release_type = {
	JSON_TYPE(struct release_arguments, release_fields),
	.name = "release",
	.about = "Decides about an attempt that is held.",
	.is_closed = true,
};

static const struct json_field restart_fields[] = {
	SESSION_FIELD(struct restart_arguments),
	{"endpoint", JSON_TEXT(struct restart_arguments, endpoint), .optional = true,
	 .about = "Missing: all endpoints with such an outage."},
	{"for_ns", JSON_DURATION(struct restart_arguments, for_ns), .optional = true,
	 .about = "How long it lasts. Missing: as the step says."},
};
const struct json_type restart_type = {
	JSON_TYPE(struct restart_arguments, restart_fields),
	.name = "restart",
	.about = "Begins the outages that wait for a command.",
	.is_closed = true,
};

static const struct json_field events_fields[] = {
	SESSION_FIELD(struct events_arguments),
	{"since", JSON_U32(struct events_arguments, since), .optional = true,
	 .about = "Sequence number of the first event that is wanted. Missing: 0."},
	{"follow", JSON_BOOL(struct events_arguments, follow), .optional = true,
	 .about = "Whether to report further events as they happen."},
};
const struct json_type events_type = {
	JSON_TYPE(struct events_arguments, events_fields),
	.name = "events",
	.about = "Lists a session's events, some 200 at once, and reports further ones.",
	.is_closed = true,
};

static const struct json_field artefacts_fields[] = {
	SESSION_FIELD(struct artefacts_arguments),
	{"directory", JSON_TEXT(struct artefacts_arguments, directory),
	 .about = "Where to write; a relative path counts from synfault's directory."},
};
const struct json_type artefacts_type = {
	JSON_TYPE(struct artefacts_arguments, artefacts_fields),
	.name = "artefacts",
	.about = "Writes the record and the timeline picture of a session that has ended.",
	.is_closed = true,
};

/* A document that has the arguments of each command under its name. */
struct requests {
	struct open_arguments *open;
	struct session_arguments *status, *check, *close;
	struct wait_arguments *wait;
	struct faults_arguments *faults;
	struct hold_arguments *hold;
	struct release_arguments *release;
	struct restart_arguments *restart;
	struct events_arguments *events;
	struct artefacts_arguments *artefacts;
};
#define ARGUMENTS(member, T, type)                                                                 \
	{                                                                                          \
#member, JSON_POINTER(struct requests, member, T, type), .optional = true          \
	}
static const struct json_field requests_fields[] = {
	ARGUMENTS(open, struct open_arguments, &open_type),
	ARGUMENTS(status, struct session_arguments, &status_type),
	ARGUMENTS(wait, struct wait_arguments, &wait_type),
	ARGUMENTS(faults, struct faults_arguments, &faults_type),
	ARGUMENTS(hold, struct hold_arguments, &hold_type),
	ARGUMENTS(release, struct release_arguments, &release_type),
	ARGUMENTS(restart, struct restart_arguments, &restart_type),
	ARGUMENTS(events, struct events_arguments, &events_type),
	ARGUMENTS(artefacts, struct artefacts_arguments, &artefacts_type),
	ARGUMENTS(check, struct session_arguments, &session_type),
	ARGUMENTS(close, struct session_arguments, &session_type),
};
const struct json_type requests_type = {
	JSON_TYPE(struct requests, requests_fields),
	.about = "The arguments of each command of synfault exec. A request has them beside "
		 "\"id\" and \"command\".",
	.is_closed = true,
};
