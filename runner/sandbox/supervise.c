/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor of one scenario, from its fork to its end: see supervise.h. */
#include "runner/sandbox/supervise.h"
#include "injector/event_loop.h"

#include <errno.h>

#include "runner/sandbox/detach.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/supervisor_record.h"

/* How long to wait for another sandbox's end if no network namespace is left. */
#define ROOM_PATIENCE_NS (10 * NS_PER_S)

/* Returns false, with a problem in the record, if no shared sandbox is available. */
static bool open_shared(struct supervisor *self)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (shared_sandbox_open(self->config->number_hint, &diags, &self->shared) == 0)
		return true;
	recorder_diags(&self->recorder, &diags);
	return false;
}

/* Returns false, with a problem in the record, if no private namespaces are available. */
static bool enter_private(struct supervisor *self)
{
	int status = namespace_enter(ROOM_PATIENCE_NS);

	if (status < 0)
		record_add_problem(self->recorder.record, false,
				   "can't make a network namespace: %s%s", strerror(-status),
				   status == -ENOSPC ? " (sysctl user.max_net_namespaces)" : "");
	return status == 0;
}

/* Keeps what the parent gave us for our work, and nothing else of the parent's. */
static void detach(struct supervise_config *config)
{
	int *const kept[] = {&config->result_fd, &config->control_fd, &config->space,
			     &config->capture_fd};

	if (!config->capture)
		config->capture_fd = -1;
	detach_from_parent(kept, ARRAY_SIZE(kept));
}

void supervise(const struct supervise_config *config)
{
	struct supervise_config own = *config;
	struct supervisor self = {.config = &own};
	char *text;
	size_t length;

	detach(&own);
	self.base = event_loop_new();
	if (own.virtual_time && event_base_priority_init(self.base, CLOCK_N_PRIORITIES) < 0)
		out_of_memory();
	supervisor_init(&self);
	if (own.shared ? open_shared(&self) : enter_private(&self))
		supervisor_plan(&self);
	supervisor_describe(&self);
	if (self.sandbox.endpoints)
		supervisor_run(&self);
	supervisor_finish_record(&self);
	supervisor_clear_away(&self);
	text = record_write_json(self.recorder.record, &length);
	/* The process ends here with everything it has, so nothing is freed. */
	_exit(write_all(own.result_fd, text, length) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
