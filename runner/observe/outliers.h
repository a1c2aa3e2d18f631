/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outliers: runs that differ from the others because of the machine, not because of the client. If
 * a backoff is 300 ms in most runs and 400 ms in one, either the client draws it, or it waited 100
 * ms for a processor in that run. Repeating that run shows which.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_OUTLIERS_H
#define SYNFAULT_RUNNER_OBSERVE_OUTLIERS_H

#include "runner/observe/standard_faults.h"

/**
 * times_are_off() - return whether synfault was later in every run than a baseline tolerates
 *
 * Runs of one fault run side by side, so all of them may be off by the same amount.
 */
bool times_are_off(const struct observed *runs, size_t n_runs);

/**
 * given_up_unsteadily() - return whether a client that seems to give up after the same time does
 * not
 * @n_runs: number of runs of a fault
 * @ret_usual_ns: after what time it usually does
 *
 * That is, half of the shortest and longest times of all runs are alike, and the others are not. A
 * machine that pauses holds up all runs that go on side by side, and a guest machine does not see
 * that.
 */
bool given_up_unsteadily(struct observed *runs, size_t n_runs, int64_t *ret_usual_ns);

/**
 * outliers_find() - find the runs that need another look
 * @runs: by standard fault, @n_runs of each
 * @n_runs: number of runs per fault
 * @seen: by standard fault; runs of a fault that was not observed are ignored
 * @ret_doubtful: set, like @runs, for those to run again
 *
 * A run is in doubt where its lag may explain the difference, where it took longer than nearly all
 * others (a guest machine does not see all of its lag), and where every run of the fault was late.
 * Runs that differ by more than their lag explains do differ, and are in no doubt.
 *
 * Return: whether lag leaves open what the client does. If no run is left to repeat, the machine
 * was too slow to tell.
 */
bool outliers_find(struct observed *runs, size_t n_runs, const bool *seen, bool *ret_doubtful);

/**
 * outliers_settle() - correct outliers after the last repetition
 * @runs: as for outliers_find(); times of outliers are replaced
 * @n_runs: number of runs per fault
 * @seen: as for outliers_find()
 *
 * Where two of three runs agree and lag explains the others, the others count as like them. Random
 * backoff does not agree that way.
 */
void outliers_settle(struct observed *runs, size_t n_runs, const bool *seen);

#endif
