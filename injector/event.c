/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of events and faults: see event.h. */
#include "injector/event.h"

static const char *const event_kind_names[] = {
	[EVENT_SYN] = "syn",
	[EVENT_VERDICT] = "verdict",
	[EVENT_ESTABLISHED] = "established",
	[EVENT_FAULT] = "fault",
	[EVENT_OPEN] = "open",
	[EVENT_GONE] = "gone",
	[EVENT_CLIENT_END] = "client-end",
	[EVENT_STILL_OPEN] = "still-open",
	[EVENT_ORPHANED] = "orphaned",
	[EVENT_CLOSED] = "closed",
	[EVENT_START] = "start",
	[EVENT_OUTPUT] = "output",
	[EVENT_SERVER_EXIT] = "server-exit",
	[EVENT_STARVATION] = "starvation",
	[EVENT_OUTAGE] = "outage",
	[EVENT_STOP] = "stop",
	[EVENT_TIMEOUT] = "timeout",
	[EVENT_EXIT] = "exit",
};
_Static_assert(ARRAY_SIZE(event_kind_names) == EVENT_N_KINDS, "a name for each kind");

const char *event_kind_name(enum event_kind kind)
{
	return event_kind_names[kind];
}

const char *fault_kind_name(enum fault_kind kind)
{
	static const char *const names[] = {
		[FAULT_SYN_ACK_LOST] = "syn-ack-lost",
		[FAULT_STALLED] = "stalled",
		[FAULT_RESET] = "reset",
		[FAULT_CLOSED] = "closed",
		[FAULT_SLOWED] = "slowed",
		[FAULT_HEALED] = "healed",
		[FAULT_PACKET_LOST] = "packet-lost",
		[FAULT_DELAYED] = "delayed",
	};
	_Static_assert(ARRAY_SIZE(names) == FAULT_N_KINDS, "one name per kind");

	return names[kind];
}
