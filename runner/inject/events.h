/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `synfault inject` prints as it happens: lines for people, or one JSON object per line
 * (docs/inject.md).
 */
#ifndef SYNFAULT_RUNNER_INJECT_EVENTS_H
#define SYNFAULT_RUNNER_INJECT_EVENTS_H

#include "runner/report/result.h"

struct events {
	FILE *out;
	bool json, quiet; /* quiet: no single events */
};

/*
 * Armed, with the endpoints' addresses; @control: the socket. @whole: for the first time since the
 * scenario began, not after a reset.
 */
void events_armed(const struct events *events, const struct scenario *scenario,
		  const struct record *record, const char *control, bool whole);
void events_event(const struct events *events, const struct scenario *scenario,
		  const struct record *record, const struct event *event);
/* JSON only: for people there is the console (console.h). */
void events_result(const struct events *events, const struct result *result);

/* The kinds of a scenario's expectations that can't be judged without the client, "exit, stdout";
 * owned by the caller, NULL: none. *@ret_judged: whether others are left.
 */
char *events_not_judged(const struct scenario *scenario, bool *ret_judged);

#endif
