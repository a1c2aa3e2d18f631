/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See event_loop.h. */
#include "injector/event_loop.h"

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

struct event *event_loop_readable(struct event_base *base, int fd, event_callback_fn callback,
				  void *userdata)
{
	struct event *event =
		ALLOCATED(event_new(base, fd, EV_READ | EV_PERSIST, callback, userdata));

	if (event_add(event, NULL) < 0)
		out_of_memory();
	return event;
}

struct event *event_loop_signal(struct event_base *base, int number, event_callback_fn callback,
				void *userdata)
{
	struct event *event = ALLOCATED(evsignal_new(base, number, callback, userdata));

	if (event_add(event, NULL) < 0)
		out_of_memory();
	return event;
}
