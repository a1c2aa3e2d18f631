/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments of the commands about sessions: see protocol.h. */
#include "runner/session/protocol.h"

#include "common/duration.h"

/* The beginning of the initializer of a command's arguments. */
#define REQUEST(word, S, rows, text)                                                               \
	JSON_TYPE(S, rows), .name = (word), .about = (text), .is_closed = true
#define SESSION_FIELD(S)                                                                           \
	{                                                                                          \
		"session", JSON_U32(S, session), .min = 1, .max = UINT32_MAX                       \
	}
#define ENDPOINT_FIELD(S)                                                                          \
	{                                                                                          \
		"endpoint", JSON_TEXT(S, endpoint), .optional = true,                              \
						    .about = "Missing: the first one."             \
	}

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
	REQUEST("open", struct open_arguments, open_fields,
		"Opens a session. The reply comes when its faults are armed."),
	.check = check_open};

static const struct json_field session_fields[] = {SESSION_FIELD(struct session_arguments)};
const struct json_type session_type = {REQUEST("session", struct session_arguments, session_fields,
					       "A session, by the number that open returned.")};

static const struct json_field status_fields[] = {
	{"session", JSON_U32(struct session_arguments, session), .min = 1, .max = UINT32_MAX,
	 .optional = true},
};
const struct json_type status_type = {REQUEST("status", struct session_arguments, status_fields,
					      "Shows one session, or lists all.")};

static const struct json_field wait_fields[] = {
	SESSION_FIELD(struct wait_arguments),
	ENDPOINT_FIELD(struct wait_arguments),
	{"attempt", JSON_U32(struct wait_arguments, attempt), .min = 1, .max = UINT32_MAX,
	 .optional = true, .about = "Its number at the endpoint, from 1. Missing: 1."},
	{"event",
	 JSON_WORD(struct wait_arguments, event, enum event_kind, event_kind_name,
		   EVENT_CLOSED + 1),
	 .about = "What has to happen to the attempt, as in a record."},
	{"timeout_ns", JSON_DURATION(struct wait_arguments, timeout_ns), .optional = true,
	 .about = "Missing: 30 s."},
};
const struct json_type wait_type = {REQUEST("wait", struct wait_arguments, wait_fields,
					    "Waits until something has happened to an attempt.")};

static const struct json_field faults_fields[] = {
	SESSION_FIELD(struct faults_arguments),
	ENDPOINT_FIELD(struct faults_arguments),
	{"steps", JSON_TEXT(struct faults_arguments, steps),
	 .about = "Fault steps, separated by commas: \"refuse x2, accept\"."},
};
const struct json_type faults_type = {REQUEST(
	"faults", struct faults_arguments, faults_fields,
	"Replaces the faults of an endpoint. The reply comes when the new ones are armed.")};

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
const struct json_type hold_type = {REQUEST("hold", struct hold_arguments, hold_fields,
					    "Holds an attempt until it is released.")};

static const struct json_field release_fields[] = {
	SESSION_FIELD(struct release_arguments),
	ENDPOINT_FIELD(struct release_arguments),
	{"attempt", JSON_U32(struct release_arguments, attempt), .min = 1, .max = UINT32_MAX,
	 .about = "Its number at the endpoint, which hold returned."},
	{"verdict", JSON_TEXT(struct release_arguments, verdict), .optional = true,
	 .about = "accept, refuse, drop or unreachable KIND. Missing: accept."},
};
const struct json_type release_type = {REQUEST("release", struct release_arguments, release_fields,
					       "Decides about an attempt that is held.")};

static const struct json_field restart_fields[] = {
	SESSION_FIELD(struct restart_arguments), /* first: see restart_here_type */
	{"endpoint", JSON_TEXT(struct restart_arguments, endpoint), .optional = true,
	 .about = "Missing: all endpoints with such an outage."},
	{"for_ns", JSON_DURATION(struct restart_arguments, for_ns), .optional = true,
	 .about = "How long it lasts. Missing: as the step says."},
};
const struct json_type restart_type = {REQUEST("restart", struct restart_arguments, restart_fields,
					       "Begins the outages that wait for a command.")};
const struct json_type restart_here_type = {
	.fields = restart_fields + 1,
	.n_fields = ARRAY_SIZE(restart_fields) - 1,
	.size = sizeof(struct restart_arguments),
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
	REQUEST("events", struct events_arguments, events_fields,
		"Lists a session's events, some 200 at once, and reports further ones.")};

static const struct json_field artefacts_fields[] = {
	SESSION_FIELD(struct artefacts_arguments),
	{"directory", JSON_TEXT(struct artefacts_arguments, directory),
	 .about = "Where to write; a relative path counts from synfault's directory."},
};
const struct json_type artefacts_type = {
	REQUEST("artefacts", struct artefacts_arguments, artefacts_fields,
		"Writes the record and the timeline picture of a session that has ended.")};

/* A document that has the arguments of each command under its name; only its schema is used. */
#define ARGUMENTS(command, rows)                                                                   \
	{                                                                                          \
#command, .kind = JSON_KIND_POINTER, .type = &(rows), .optional = true             \
	}
static const struct json_field requests_fields[] = {
	ARGUMENTS(open, open_type),           ARGUMENTS(status, status_type),
	ARGUMENTS(wait, wait_type),           ARGUMENTS(faults, faults_type),
	ARGUMENTS(hold, hold_type),           ARGUMENTS(release, release_type),
	ARGUMENTS(restart, restart_type),     ARGUMENTS(events, events_type),
	ARGUMENTS(artefacts, artefacts_type), ARGUMENTS(check, session_type),
	ARGUMENTS(close, session_type),
};
const struct json_type requests_type = {
	.fields = requests_fields,
	.n_fields = ARRAY_SIZE(requests_fields),
	.about = "The arguments of each command of synfault exec. A request has them beside "
		 "\"id\" and \"command\".",
	.is_closed = true,
};
