/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which scenarios did not pass when they were last run from this directory (--last-failed). Kept in
 * the user's state directory, $XDG_STATE_HOME or ~/.local/state, in one file per working directory:
 * nothing is left in the directory itself, which is often a checkout. Where neither is known or can
 * be written, nothing is kept.
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

/* Reads what is known of the working directory; nothing where there is nothing. */
void last_failed_read(struct last_failed *ret);
bool last_failed_has(const struct last_failed *failed, const struct result *result);
/*
 * Takes in what became of a run: results that failed are added, those that passed or were skipped
 * are taken out, and what was not run stays as it was.
 */
void last_failed_update(struct last_failed *failed, const struct run_results *results);
/* Writes it; without a failure in it the file is removed. Says nothing when that can't be done. */
void last_failed_write(const struct last_failed *failed);
void last_failed_free(struct last_failed *failed);

#endif
