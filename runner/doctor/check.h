/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `synfault doctor` finds out about a machine: a list of checks, each of which says what there
 * is, and of what is missing what does not work without it and how to get it.
 */
#ifndef SYNFAULT_RUNNER_DOCTOR_CHECK_H
#define SYNFAULT_RUNNER_DOCTOR_CHECK_H

#include "common/strbuf.h"
#include "runner/doctor/syn_schedule.h"
#include "runner/sandbox/capability_hint.h"

struct check {
	const char *name; /* static */
	bool missing;
	char *found;             /* owned; one sentence without a point */
	const char *consequence; /* missing: what does not work; static */
	char *remedy;            /* owned; missing: what to do, or NULL */
	const char *capability; /* missing: the one that would help, "NET_ADMIN", or NULL; static */
	enum capability_hint grant; /* what that takes */
};

enum doctor_isolation {
	DOCTOR_NONE,   /* `run` can't work */
	DOCTOR_SHARED, /* in the network namespace that is given */
	DOCTOR_PRIVATE,
};

struct doctor {
	struct check *checks;
	size_t n_checks, capacity;
	enum doctor_isolation isolation;
	struct syn_schedule schedule;
};

/* Looks at everything; takes about half a second. Changes nothing that stays. */
void doctor_examine(struct doctor *ret);
void doctor_free(struct doctor *doctor);
#define AUTO_DOCTOR CLEANUP(doctor_free)

/* One screen of 80 columns; lines are broken at blanks. */
void doctor_format_text(const struct doctor *doctor, struct strbuf *out);
void doctor_format_json(const struct doctor *doctor, struct strbuf *out);

#endif
