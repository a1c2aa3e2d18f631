/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock process's clocks and its failure: see clock_impl.h. */
#include <time.h>

#include "common/duration.h"
#include "runner/clock/clock_impl.h"
#include "runner/clock/protocol.h"

int64_t clock_process_now_ns(const struct clock_process *self)
{
	return clock_monotonic_ns() + self->ahead_ns;
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec now = {0};

	(void)clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct wait_clocks clock_process_clocks(const struct clock_process *self)
{
	return (struct wait_clocks){
		.monotonic_ns = clock_monotonic_ns() + self->ahead_ns,
		.realtime_ns = clock_realtime_ns() + self->ahead_ns,
		.boottime_ns = read_clock(CLOCK_BOOTTIME) + self->ahead_ns,
		.tai_ns = read_clock(CLOCK_TAI) + self->ahead_ns,
	};
}

void clock_process_fail(struct clock_process *self, const char *format, ...)
{
	struct clock_message message = {.kind = CLOCK_FAILED};
	va_list arguments;

	if (self->failed)
		return;
	self->failed = true;
	va_start(arguments, format);
	(void)vsnprintf(message.text, sizeof(message.text), format, arguments);
	va_end(arguments);
	(void)clock_message_send(self->control_fd, &message);
}
