/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replies say about a scenario that is armed (docs/protocol.md). */
#ifndef SYNFAULT_RUNNER_SESSION_PROGRESS_H
#define SYNFAULT_RUNNER_SESSION_PROGRESS_H

#include <jansson.h>

#include "runner/judge/judge.h"
#include "runner/record/history.h"

/** progress_addresses() - return the addresses of an endpoint as a list of texts */
json_t *progress_addresses(const struct record_endpoint *endpoint);
/**
 * progress_add_status() - add to a reply how far a scenario is: for how long it has been armed, its
 * endpoints with the attempts so far and how they ended, and why its record can't be judged
 * @record: NULL: it is not armed yet
 */
void progress_add_status(json_t *reply, const struct scenario *scenario,
			 const struct record *record, int64_t armed_ns);
/** progress_event() - return an event with its attempt and a sequence number */
json_t *progress_event(const struct record *record, const struct event *event, size_t sequence);
/** progress_judgement() - return a judgement as the JSON report has it */
json_t *progress_judgement(const struct judgement *judgement);

#endif
