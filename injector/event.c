/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of what the injector reports. */
#include "injector/event.h"

const char *fault_kind_name(enum fault_kind kind)
{
	static const char *const names[] = {
		[FAULT_SYN_ACK_LOST] = "syn-ack-lost",
		[FAULT_STALLED] = "stalled",
		[FAULT_RESET] = "reset",
		[FAULT_CLOSED] = "closed",
		[FAULT_SLOWED] = "slowed",
	};
	_Static_assert(ARRAY_SIZE(names) == FAULT_N_KINDS, "one name per kind");

	return names[kind];
}
