/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record as a container: makes, fills and frees it. See record.h. */
#include "runner/record/record.h"

#include <netinet/tcp.h>

const char *tcp_state_name(unsigned state)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "established",
		[TCP_SYN_SENT] = "syn-sent",
		[TCP_SYN_RECV] = "syn-recv",
		[TCP_FIN_WAIT1] = "fin-wait-1",
		[TCP_FIN_WAIT2] = "fin-wait-2",
		[TCP_TIME_WAIT] = "time-wait",
		[TCP_CLOSE] = "close",
		[TCP_CLOSE_WAIT] = "close-wait",
		[TCP_LAST_ACK] = "last-ack",
		[TCP_LISTEN] = "listen",
		[TCP_CLOSING] = "closing",
	};

	return state < ARRAY_SIZE(names) ? names[state] : NULL;
}

struct record *record_new(void)
{
	struct record *record = xzalloc(sizeof(*record));

	record->client_lag_ns = -1;
	record->n_instances = 1;
	return record;
}

void record_free(struct record *record)
{
	if (!record)
		return;
	free(record->scenario);
	free(record->path);
	free(record->kernel);
	free(record->isolation);
	for (size_t i = 0; i < record->n_endpoints; i++) {
		free(record->endpoints[i].name);
		free(record->endpoints[i].script);
		free(record->endpoints[i].addresses);
		free(record->endpoints[i].hostname);
		free(record->endpoints[i].remote);
		free(record->endpoints[i].delays);
	}
	free(record->endpoints);
	for (size_t i = 0; i < record->n_changes; i++)
		free(record->changes[i].steps);
	free(record->changes);
	free(record->attempts);
	free(record->events);
	for (size_t i = 0; i < record->n_streams; i++) {
		free(record->streams[i].name);
		free(record->streams[i].head);
		free(record->streams[i].tail);
	}
	free(record->streams);
	for (size_t i = 0; i < record->n_problems; i++)
		free(record->problems[i].message);
	free(record->problems);
	for (size_t i = 0; i < record->n_sections; i++) {
		free(record->sections[i].title);
		free(record->sections[i].text);
	}
	free(record->sections);
	free(record->jumps);
	free(record->clock_failure);
	free(record);
}

void record_freep(struct record **record)
{
	record_free(*record);
}

/*
 * Keeps the list in the order of time. A SYN has the time at which the kernel received it, which
 * can be earlier than that of events read before. So an event may move up a few places, though
 * never past one of the same time.
 */
void record_add_event(struct record *record, const struct event *event)
{
	size_t at = record->n_events;

	array_append(record->events, record->n_events, record->events_capacity, *event);
	while (at > 0 && record->events[at - 1].at_ns > event->at_ns) {
		record->events[at] = record->events[at - 1];
		at--;
	}
	record->events[at] = *event;
}

void record_add_problem(struct record *record, bool missing_capability, const char *format, ...)
{
	struct problem problem = {.missing_capability = missing_capability};

	problem.message = FORMAT_REST(format);
	array_append(record->problems, record->n_problems, record->problems_capacity, problem);
}

void record_add_section(struct record *record, const char *title, const char *text)
{
	array_append(record->sections, record->n_sections, record->sections_capacity,
		     (struct section){.title = xstrdup(title), .text = xstrdup(text)});
}

static const struct event *last_of_kind(const struct record *record, enum event_kind kind)
{
	for (size_t i = record->n_events; i > 0; i--)
		if (record->events[i - 1].kind == kind)
			return &record->events[i - 1];
	return NULL;
}

const struct event *record_exit(const struct record *record)
{
	return last_of_kind(record, EVENT_EXIT);
}

int64_t record_watched_until(const struct record *record)
{
	for (size_t i = record->n_events; i > 0; i--)
		if (record->events[i - 1].kind != EVENT_STARVATION)
			return record->events[i - 1].at_ns;
	return 0;
}

const struct event *record_instance_start(const struct record *record, uint32_t instance)
{
	for (size_t i = 0; i < record->n_events; i++)
		if (record->events[i].kind == EVENT_START &&
		    record->events[i].u.start.instance == instance)
			return &record->events[i];
	return NULL;
}

const struct event *record_instance_exit(const struct record *record, uint32_t instance)
{
	for (size_t i = record->n_events; i > 0; i--) {
		const struct event *event = &record->events[i - 1];

		if (event->kind == EVENT_EXIT && event->u.exit.instance == instance)
			return event;
	}
	return NULL;
}

bool record_timed_out(const struct record *record)
{
	return last_of_kind(record, EVENT_TIMEOUT) != NULL;
}
