/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop of a process that injects: its timers are as exact as the machine allows. */
#ifndef SYNFAULT_INJECTOR_EVENT_LOOP_H
#define SYNFAULT_INJECTOR_EVENT_LOOP_H

#include <event2/event.h>

/** event_loop_new() - make an event loop with precise timers; free it with event_base_free() */
struct event_base *event_loop_new(void);
/** event_loop_readable() - call back whenever a descriptor is readable; free it with event_free()
 */
struct event *event_loop_readable(struct event_base *base, int fd, event_callback_fn callback,
				  void *userdata);
/** event_loop_signal() - call back whenever a signal comes; as event_loop_readable() */
struct event *event_loop_signal(struct event_base *base, int number, event_callback_fn callback,
				void *userdata);

#endif
