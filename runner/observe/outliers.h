/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doubt: which of several runs of a client may be unlike the others by the machine's doing rather
 * than the client's. A wait that is 300 ms in most runs and 400 ms in one is drawn, or the client
 * waited 100 ms for a processor in that one; who wants to know looks at that run once more.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_OUTLIERS_H
#define SYNFAULT_RUNNER_OBSERVE_OUTLIERS_H

#include "runner/observe/standard_faults.h"

/*
 * Whether two times differ by no more than those of a client that does the same each time, on a
 * machine that is not slow.
 */
bool times_are_alike(int64_t low_ns, int64_t high_ns);

/*
 * Whether synfault was so late in each of these runs of the same that what was measured may be off
 * by more than a baseline tolerates, in all of them alike: they ran side by side.
 */
bool times_are_off(const struct observed *runs, size_t n_runs);

/*
 * @runs: by item of the standard_faults, @n_runs of each, those of an item that was not observed
 * (@seen false) are not looked at. Sets @ret_doubtful (as @runs) for those to be looked at again.
 * Returns whether the lag of any leaves open what the client does: when there is nothing more to
 * look at, the machine was too slow to tell.
 *
 * Runs of which all were late are in doubt, whether they differ or not.
 *
 * Runs that differ by more than their lag explains are different, and in no doubt. But not all lag
 * is seen (a machine that is itself a guest): nor does what one of many runs alone did count before
 * it was looked at again.
 */
bool outliers_find(struct observed *runs, size_t n_runs, const bool *seen, bool *ret_doubtful);

/*
 * When there is nothing more to look at: where two of three agree in a time and lag explains what
 * makes the others unlike them, these are taken for like them. Draws do not agree so.
 */
void outliers_settle(struct observed *runs, size_t n_runs, const bool *seen);

#endif
