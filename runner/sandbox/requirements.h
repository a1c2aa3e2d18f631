/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario needs of the machine besides synfault: programs, and what they need in turn. */
#ifndef SYNFAULT_RUNNER_SANDBOX_REQUIREMENTS_H
#define SYNFAULT_RUNNER_SANDBOX_REQUIREMENTS_H

#include "runner/sandbox/process.h"
#include "runner/scenario/scenario.h"

/*
 * Whether all is there, as a client with the given environment would find it: programs in PATH, and
 * a command that ends with status 0, which is run for it. @process: how clients are started; its
 * command, environment and descriptors are not looked at. Returns NULL, or what is missing: one
 * sentence, owned by the caller. Takes as long as the command, a few seconds at most.
 */
char *requirements_missing(const struct requirements_spec *spec, char *const *environment,
			   const struct process_config *process);

#endif
