/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See event_loop.h. */
#include "injector/event_loop.h"

#include <event2/event.h>

#include "common/util.h"

struct event_base *event_loop_new(void)
{
	struct event_config *config = ALLOCATED(event_config_new());
	struct event_base *base;

	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = ALLOCATED(event_base_new_with_config(config));
	event_config_free(config);
	return base;
}
