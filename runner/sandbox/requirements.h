/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario needs of the machine in addition to synfault: programs and their libraries. */
#ifndef SYNFAULT_RUNNER_SANDBOX_REQUIREMENTS_H
#define SYNFAULT_RUNNER_SANDBOX_REQUIREMENTS_H

#include "runner/sandbox/process.h"
#include "runner/scenario/scenario.h"

/**
 * requirements_missing() - find out what a scenario requires and this machine lacks
 * @environment: the client's; its PATH finds the programs
 * @process: how clients are started; command, environment and descriptors are ignored
 *
 * Runs the command that the scenario gives as a check; it has to exit with status 0. Takes as long
 * as that command, at most 20 s.
 *
 * Return: one sentence, owned by the caller; NULL: nothing is missing.
 */
char *requirements_missing(const struct requirements_spec *spec, char *const *environment,
			   const struct process_config *process);

#endif
