/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's timers: see client_timers.h. */
#include "runner/clock/client_timers.h"

static struct client_timer *find(const struct client_timers *self, enum client_timer_kind kind,
				 pid_t process, int number)
{
	for (size_t i = 0; i < self->n_items; i++)
		if (self->items[i].kind == kind && self->items[i].process == process &&
		    self->items[i].number == number)
			return &self->items[i];
	return NULL;
}

static void take_away(struct client_timers *self, struct client_timer *timer)
{
	*timer = self->items[--self->n_items];
}

void client_timers_set(struct client_timers *self, const struct client_timer *timer)
{
	struct client_timer *old = find(self, timer->kind, timer->process, timer->number);

	if (timer->deadline_ns == 0 && old)
		take_away(self, old);
	else if (timer->deadline_ns != 0 && old)
		*old = *timer;
	else if (timer->deadline_ns != 0)
		array_append(self->items, self->n_items, self->capacity, *timer);
}

const struct client_timer *client_timers_find(const struct client_timers *self,
					      enum client_timer_kind kind, pid_t process,
					      int number)
{
	return find(self, kind, process, number);
}

void client_timers_forget(struct client_timers *self, pid_t process)
{
	for (size_t i = self->n_items; i-- > 0;)
		if (self->items[i].process == process)
			take_away(self, &self->items[i]);
}

void client_timers_executed(struct client_timers *self, pid_t process)
{
	for (size_t i = self->n_items; i-- > 0;)
		if (self->items[i].process == process && self->items[i].kind != CLIENT_TIMER_ALARM)
			take_away(self, &self->items[i]);
}

int64_t client_timers_next_ns(const struct client_timers *self)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < self->n_items; i++)
		next_ns = MIN(next_ns, self->items[i].deadline_ns);
	return next_ns;
}

bool client_timers_take(struct client_timers *self, int64_t now_ns, int64_t ahead_ns,
			struct client_timer *ret, bool *ret_late)
{
	for (size_t i = 0; i < self->n_items; i++) {
		struct client_timer *timer = &self->items[i];

		if (timer->deadline_ns > now_ns)
			continue;
		*ret = *timer;
		*ret_late = timer->absolute ? ahead_ns != 0 : ahead_ns != timer->began_ahead_ns;
		if (timer->interval_ns == 0) {
			take_away(self, timer);
			return true;
		}
		timer->deadline_ns += timer->interval_ns;
		/* The caller fires the kernel's timer now, and its next interval starts here. */
		if (*ret_late) {
			timer->began_ahead_ns = ahead_ns;
			timer->absolute = false;
		}
		return true;
	}
	return false;
}
