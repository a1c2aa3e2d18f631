/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a supervisor writes into its record, apart from events. */
#ifndef SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_RECORD_H
#define SYNFAULT_RUNNER_SANDBOX_SUPERVISOR_RECORD_H

#include "runner/sandbox/supervisor.h"

/** supervisor_plan() - plan the sandbox and add it to the record, or what prevents it */
void supervisor_plan(struct supervisor *self);
/** supervisor_describe() - begin the record with what is known before the sandbox runs */
void supervisor_describe(struct supervisor *self);
/**
 * supervisor_measure_lag() - record how late synfault itself was so far
 * @own_delay_ns: process_run_delay_ns() of this process
 */
void supervisor_measure_lag(struct supervisor *self, int64_t own_delay_ns);
/** supervisor_finish_record() - end the injector and complete the record */
void supervisor_finish_record(struct supervisor *self);

#endif
