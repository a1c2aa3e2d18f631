/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which scenarios did not pass when they last ran from this directory (--last-failed). They are
 * kept in the user's state directory, $XDG_STATE_HOME or ~/.local/state, in one file per working
 * directory. The working directory itself, often a checkout, stays clean. If there is no writable
 * state directory, nothing is kept.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_LAST_FAILED_H
#define SYNFAULT_RUNNER_SCHEDULE_LAST_FAILED_H

#include "runner/report/result.h"

/* A scenario by its file's absolute path and its name. */
struct failed_scenario {
	char *path, *name;
};

struct last_failed {
	struct failed_scenario *items;
	size_t n_items, capacity;
};

/** last_failed_read() - read what is known of the working directory; empty if nothing is */
void last_failed_read(struct last_failed *ret);
/** last_failed_has() - return whether the result's scenario is in the list */
bool last_failed_has(const struct last_failed *failed, const struct result *result);
/**
 * last_failed_update() - update the list with the results of a run
 *
 * Results that failed are added. Those that passed or were skipped are removed. Scenarios that did
 * not run stay as they were.
 */
void last_failed_update(struct last_failed *failed, const struct run_results *results);
/** last_failed_write() - write the list, or remove the file if it is empty; errors are ignored */
void last_failed_write(const struct last_failed *failed);
void last_failed_free(struct last_failed *failed);

#endif
