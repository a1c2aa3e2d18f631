/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What looks at threads have shown over time, kept apart from any record, for records that need a
 * part of it. Pure.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_STARVATION_LOG_H
#define SYNFAULT_RUNNER_SANDBOX_STARVATION_LOG_H

#include "runner/record/record.h"

/* One look. The times are CLOCK_MONOTONIC; for the bounds see EVENT_STARVATION (record.h). */
struct starvation_entry {
	int64_t began_ns, ended_ns;
	int64_t client_ns, server_ns, canary_ns;
	bool incomplete;
};

struct starvation_log {
	struct starvation_entry *items;
	size_t n_items, capacity;
};

/**
 * starvation_log_add() - add a look, after all others
 * @client_ns: by how much the bounds of the look before have to be raised
 * @server_ns: the same for servers
 *
 * Looks that show next to nothing new are left out. That only makes the bounds coarser, by a
 * millisecond at most.
 */
void starvation_log_add(struct starvation_log *log, const struct starvation_entry *entry,
			int64_t client_ns, int64_t server_ns);

/**
 * starvation_log_insert() - add to a record the looks of its time
 * @origin_ns: CLOCK_MONOTONIC of the record's time 0, which a look has preceded
 * @pending_ns: for how long clients may have been waiting at the last look, beyond its bound
 * @server_pending_ns: the same for servers
 */
void starvation_log_insert(const struct starvation_log *log, struct record *record,
			   int64_t origin_ns, int64_t pending_ns, int64_t server_pending_ns);

/** starvation_log_free() - free the entries; the log itself belongs to the caller */
void starvation_log_free(struct starvation_log *log);

#endif
