/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual time in a sandbox: see client_clock.h. */
#include "runner/sandbox/client_clock.h"

#include <errno.h>

#include "runner/sandbox/process.h"

static bool withholds(void *userdata, const struct quiet_socket *socket)
{
	const struct client_clock *self = userdata;

	return injector_withholds(self->injector, &socket->local, &socket->remote, socket->state);
}

/* Returns whether nothing shows in the sockets before packets and notices have passed. */
static bool is_calm_before(struct client_clock *self)
{
	struct clock_waiting waiting = {0};
	bool calm = !self->networks || quiet_look(self->quiet, withholds, self, &waiting);

	free(waiting.inodes);
	return calm;
}

static bool is_quiet(void *userdata, struct clock_waiting *ret)
{
	struct client_clock *self = userdata;

	if (!self->injector || !is_calm_before(self) || !quiet_pass(self->quiet) ||
	    injector_has_input(self->injector))
		return false;
	return quiet_look(self->quiet, withholds, self, ret);
}

static bool stays_quiet(void *userdata)
{
	struct client_clock *self = userdata;

	return self->injector && !injector_has_input(self->injector) && quiet_stays(self->quiet);
}

static bool before_jump(void *userdata)
{
	struct client_clock *self = userdata;

	starvation_meter_before_jump(self->meter);
	return self->injector && !injector_has_input(self->injector);
}

/*
 * A jump that takes as long as the time that it skips comes too late: the kernel has ended the wait
 * that it was for, and a program may have gone on.
 */
static void after_jump(void *userdata, int64_t at_ns, int64_t by_ns, int64_t kernel_ns)
{
	struct client_clock *self = userdata;
	struct record *record = self->recorder->record;
	const struct clock_jump jump = {.at_ns = at_ns - self->recorder->origin_ns, .by_ns = by_ns};
	const bool died = injector_has_deaths(self->injector);
	const int64_t took_ns = clock_kernel_ns() - kernel_ns;
	const bool awake = took_ns >= by_ns;

	array_append(record->jumps, record->n_jumps, record->jumps_capacity, jump);
	self->unreaped->at_ns += by_ns;
	starvation_meter_after_jump(self->meter, by_ns, took_ns);
	injector_clock_moved(self->injector, awake ? took_ns : 0);
	/* Packets say themselves when they came. */
	if (died && !awake)
		virtual_clock_fail(self->clock, "a socket was closed during a jump");
}

static void on_failure(void *userdata, const char *reason)
{
	struct client_clock *self = userdata;
	struct record *record = self->recorder->record;

	if (record->clock_failure)
		return;
	record->clock_failure = xstrdup(reason);
	record_add_problem(record, false, "virtual time is impossible here: %s", reason);
	self->on_failure(self->userdata);
}

static int join(const void *clock)
{
	return virtual_clock_join(clock);
}

bool client_clock_start(struct client_clock *self)
{
	struct record *record = self->recorder->record;
	const struct virtual_clock_config config = {
		.base = self->base,
		.syn_retries = record->syn_retries,
		.syn_linear = record->syn_linear_timeouts,
		.networks = self->networks,
		.is_quiet = is_quiet,
		.stays_quiet = stays_quiet,
		.before_jump = before_jump,
		.after_jump = after_jump,
		.on_failure = on_failure,
		.userdata = self,
	};
	AUTO_FREE char *reason = NULL;
	int r;

	record->virtual_time = true;
	r = process_proc_is_ours() ? quiet_new(self->networks, &self->quiet) : -ENOTSUP;
	if (r < 0)
		reason = xasprintf("the kernel can't be asked what is under way: %s", strerror(-r));
	else
		r = virtual_clock_start(&config, &self->clock, &reason);
	if (r < 0) {
		on_failure(self, reason);
		return false;
	}
	self->launcher->template.join = join;
	self->launcher->template.clock = self->clock;
	return true;
}

void client_clock_arm(struct client_clock *self, struct injector *injector)
{
	if (!self->clock)
		return;
	self->injector = injector;
	injector_clock_moved(injector, 0);
}

pid_t client_clock_pid(const struct client_clock *self)
{
	return virtual_clock_pid(self->clock);
}

int64_t client_clock_to_own_ns(const struct client_clock *self, int64_t kernel_ns)
{
	return virtual_clock_to_virtual(self->clock, kernel_ns);
}

void client_clock_finish(struct client_clock *self)
{
	if (!self->clock)
		return;
	virtual_clock_finish(self->clock);
	if (self->injector && injector_was_overtaken(self->injector))
		virtual_clock_fail(self->clock, "a packet was on its way during a jump");
	self->injector = NULL;
}
