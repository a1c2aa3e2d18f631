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
	bool json, quiet; /* quiet: don't print single events */
};

/**
 * event_log_armed() - print that a scenario is armed, with its endpoints' addresses
 * @control: path of the control socket
 * @whole: for the first time since the scenario began, not after a reset
 */
void event_log_armed(const struct event_log *events, const struct scenario *scenario,
		     const struct record *record, const char *control, bool whole);
/** event_log_event() - print an event, unless quiet */
void event_log_event(const struct event_log *events, const struct scenario *scenario,
		     const struct record *record, const struct event *event);
/** event_log_result() - print a result as JSON; console.h prints it for people */
void event_log_result(const struct event_log *events, const struct result *result);

#endif
