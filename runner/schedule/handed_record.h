/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record that a supervisor hands over when it ends. */
#ifndef SYNFAULT_RUNNER_SCHEDULE_HANDED_RECORD_H
#define SYNFAULT_RUNNER_SCHEDULE_HANDED_RECORD_H

#include "runner/record/record.h"
#include "runner/scenario/scenario.h"

/**
 * handed_record() - take a record
 * @fd: a file with the record as JSON
 * @wait_status: of the supervisor
 * @interrupted: whether it was ended before its time
 *
 * Checks the file: processes of a sandbox may have changed it.
 *
 * Return: the record, owned by the caller; if there is none, one that says why.
 */
struct record *handed_record(const struct scenario *scenario, int fd, int wait_status,
			     bool interrupted);

/** handed_record_empty() - return a record, owned by the caller, of a scenario that did not run */
struct record *handed_record_empty(const struct scenario *scenario);

#endif
