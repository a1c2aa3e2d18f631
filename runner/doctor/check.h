/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `synfault doctor` finds out about a machine, as a list of checks. Each says what was found
 * and, if something is missing, what does not work without it and how to get it.
 */
#ifndef SYNFAULT_RUNNER_DOCTOR_CHECK_H
#define SYNFAULT_RUNNER_DOCTOR_CHECK_H

#include "common/strbuf.h"
#include "runner/doctor/netns_probe.h"
#include "runner/record/json_fields.h"
#include "runner/record/syn_schedule.h"
#include "runner/sandbox/capability_hint.h"

struct check {
	const char *name; /* static */
	bool missing;
	char *found;                /* owned; one sentence without a full stop */
	const char *consequence;    /* if missing: what does not work; static */
	char *remedy;               /* if missing: what to do, or NULL; owned */
	const char *capability;     /* if missing: "NET_ADMIN", if that would help; static */
	enum capability_hint grant; /* how to get the capability */
};

enum doctor_isolation {
	DOCTOR_NONE,    /* `run` can't work */
	DOCTOR_SHARED,  /* `run` works in the given network namespace */
	DOCTOR_PRIVATE, /* each scenario gets namespaces of its own */
};

struct doctor {
	struct check *checks;
	size_t n_checks, capacity;
	enum doctor_isolation isolation;
	struct syn_schedule schedule;
};

/**
 * doctor_examine() - run all checks; takes about half a second and leaves nothing changed
 * @ret: free it with doctor_free()
 */
void doctor_examine(struct doctor *ret);
void doctor_free(struct doctor *doctor);
#define AUTO_DOCTOR CLEANUP(doctor_free)

/** doctor_check_queues() - say where packets can be queued, as probes of both namespaces found */
void doctor_check_queues(struct doctor *doctor, const struct probe *own, const struct probe *given);
/**
 * doctor_check_network() - say what else a probe found: socket deaths, IPv6, captures
 *
 * Without notices of socket deaths nothing runs: @doctor->isolation becomes DOCTOR_NONE.
 */
void doctor_check_network(struct doctor *doctor, const struct probe *probe);

/** doctor_format_text() - add the findings as text of 80 columns, wrapped at blanks */
void doctor_format_text(const struct doctor *doctor, struct strbuf *out);
/** doctor_format_json() - add the findings as one JSON object */
void doctor_format_json(const struct doctor *doctor, struct strbuf *out);
extern const struct json_type doctor_type; /* of that object */

#endif
