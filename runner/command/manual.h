/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference parts of the manual pages, in scdoc(5) format, generated from the tables. */
#ifndef SYNFAULT_RUNNER_COMMAND_MANUAL_H
#define SYNFAULT_RUNNER_COMMAND_MANUAL_H

#include "runner/command/command.h"

/** manual_commands() - add all commands (NULL-terminated) with their options */
void manual_commands(const struct command *const *commands, struct strbuf *out);
/** manual_keys() - add all keys of scenario files with their values, defaults and examples */
void manual_keys(struct strbuf *out);

#endif
