/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference parts of the manual pages, as scdoc(5) takes them, made from the tables. */
#ifndef SYNFAULT_RUNNER_COMMAND_MANUAL_H
#define SYNFAULT_RUNNER_COMMAND_MANUAL_H

#include "runner/command/command.h"

/* Adds all commands (NULL-terminated) with their options. */
void manual_commands(const struct command *const *commands, struct strbuf *out);
/* Adds all keys of scenario files with their values, defaults and examples. */
void manual_keys(struct strbuf *out);

#endif
