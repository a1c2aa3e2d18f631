/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts that the client has begun: see connects.h. */
#include "runner/clock/connects.h"

void connects_add(struct connects *self, const struct connecting *connecting)
{
	for (size_t i = 0; i < self->n_items; i++) {
		if (self->items[i].inode != connecting->inode)
			continue;
		self->items[i] = *connecting;
		return;
	}
	array_append(self->items, self->n_items, self->capacity, *connecting);
}

void connects_keep(struct connects *self, const uint64_t *inodes, size_t n_inodes)
{
	size_t n = 0;

	for (size_t i = 0; i < self->n_items; i++) {
		bool found = false;

		for (size_t k = 0; !found && k < n_inodes; k++)
			found = inodes[k] == self->items[i].inode;
		if (found)
			self->items[n++] = self->items[i];
	}
	self->n_items = n;
}

struct connecting *connects_next(const struct connects *self)
{
	struct connecting *oldest = NULL;

	for (size_t i = 0; i < self->n_items; i++)
		if (!self->items[i].blocks &&
		    (!oldest || self->items[i].began_ns < oldest->began_ns))
			oldest = &self->items[i];
	return oldest;
}

const struct socket_times *connects_times(const struct connects *self, uint64_t inode)
{
	for (size_t i = 0; i < self->n_times; i++)
		if (self->times[i].inode == inode)
			return &self->times[i];
	return NULL;
}

void connects_set_times(struct connects *self, uint64_t inode, int64_t receive_ns, int64_t send_ns)
{
	struct socket_times *times = (struct socket_times *)(uintptr_t)connects_times(self, inode);

	if (!times) {
		array_append(self->times, self->n_times, self->times_capacity,
			     (struct socket_times){.inode = inode});
		times = &self->times[self->n_times - 1];
	}
	if (receive_ns >= 0)
		times->receive_ns = receive_ns;
	if (send_ns >= 0)
		times->send_ns = send_ns;
}
