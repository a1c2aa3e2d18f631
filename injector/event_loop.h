/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop of a process that injects: its timers are as exact as the machine allows. */
#ifndef SYNFAULT_INJECTOR_EVENT_LOOP_H
#define SYNFAULT_INJECTOR_EVENT_LOOP_H

struct event_base;

/** event_loop_new() - make an event loop with precise timers; free it with event_base_free() */
struct event_base *event_loop_new(void);

#endif
