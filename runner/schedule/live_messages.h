/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a supervisor reports while a scenario runs (supervise.h): its start, and events. */
#ifndef SYNFAULT_RUNNER_SCHEDULE_LIVE_MESSAGES_H
#define SYNFAULT_RUNNER_SCHEDULE_LIVE_MESSAGES_H

#include "common/strbuf.h"
#include "runner/sandbox/supervise.h"

/**
 * live_messages_send() - send an event as a line of text; for struct supervise_config
 *
 * Runs in the supervisor. Leaves events out rather than wait for a parent that is slow to read.
 */
void live_messages_send(const struct supervise_config *config, const struct record *record,
			const struct event *event);
/**
 * live_messages_take() - handle the messages that have arrived completely, and drop them
 * @heard: what was read so far; keeps the beginning of a message whose end is missing
 * @on_event: gets the line of each event
 * @on_start: called when the client has sent its first SYN, or ended
 */
void live_messages_take(struct strbuf *heard, void (*on_event)(void *userdata, const char *line),
			void (*on_start)(void *userdata), void *userdata);

#endif
