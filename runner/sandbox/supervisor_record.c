/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a supervisor says in the record of its plan, its settings, its lag and its end. */
#include "runner/sandbox/supervisor_record.h"

void supervisor_plan(struct supervisor *self)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (sandbox_plan(&self->sandbox, self->scenario, self->shared, &diags) < 0)
		recorder_diags(&self->recorder, &diags);
}

void supervisor_describe(struct supervisor *self)
{
	struct record *record = self->recorder.record;

	recorder_describe(&self->recorder, self->scenario, &self->sandbox);
	record->seed = self->config->seed;
	record->isolation = xstrdup(self->shared ? "shared" : "private");
	record->attached = self->config->attached != NULL;
	record->has_sockets = self->config->want_sockets;
	record->has_client_ends = self->config->want_client_ends;
}

void supervisor_measure_lag(struct supervisor *self, int64_t own_delay_ns)
{
	struct record *record = self->recorder.record;

	if (self->injector)
		record->harness_lag_ns =
			MAX(self->timer_lag_ns, injector_max_lag_ns(self->injector));
	/*
	 * Notices of deaths have no time of their own. They are late by at most the time for which
	 * this process was ready but did not run.
	 */
	if (own_delay_ns >= 0 && self->own_delay_ns >= 0 && record->client_started)
		record->harness_lag_ns =
			MAX(record->harness_lag_ns, own_delay_ns - self->own_delay_ns);
}

void supervisor_finish_record(struct supervisor *self)
{
	struct record *record = self->recorder.record;
	int64_t own_delay_ns = process_run_delay_ns(0);

	starvation_meter_free(self->meter);
	if (self->injector)
		injector_finish(self->injector);
	sysctl_guard_end(&self->sysctls, record);
	packet_capture_end(self->packets);
	self->packets = NULL;
	supervisor_measure_lag(self, own_delay_ns);
	record->n_streams = self->launcher.n_captures;
	record->streams = xzalloc(record->n_streams * sizeof(*record->streams));
	launcher_finish(&self->launcher, record->streams);
	recorder_finish(&self->recorder);
}
