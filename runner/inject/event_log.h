/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `synfault inject` prints as it happens: lines for people, or one JSON object per line
 * (docs/inject.md).
 */
#ifndef SYNFAULT_RUNNER_INJECT_EVENT_LOG_H
#define SYNFAULT_RUNNER_INJECT_EVENT_LOG_H

#include "runner/report/result.h"

struct event_log {
	FILE *out;
	bool json, quiet; /* quiet: no single events */
};

/*
 * Armed, with the endpoints' addresses; @control: the socket. @whole: for the first time since the
 * scenario began, not after a reset.
 */
void event_log_armed(const struct event_log *events, const struct scenario *scenario,
		     const struct record *record, const char *control, bool whole);
void event_log_event(const struct event_log *events, const struct scenario *scenario,
		     const struct record *record, const struct event *event);
/* JSON only: for people there is the console (console.h). */
void event_log_result(const struct event_log *events, const struct result *result);

/* The kinds of a scenario's expectations that can't be judged without the client, "exit, stdout";
 * owned by the caller, NULL: none. *@ret_judged: whether others are left.
 */
char *event_log_not_judged(const struct scenario *scenario, bool *ret_judged);

#endif
