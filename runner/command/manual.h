/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The references of the manual pages, as scdoc(5) takes them, made from the tables. */
#ifndef SYNFAULT_RUNNER_COMMAND_MANUAL_H
#define SYNFAULT_RUNNER_COMMAND_MANUAL_H

#include "common/strbuf.h"

/* Adds all commands with their options. */
void manual_commands(struct strbuf *out);
/* Adds all keys of scenario files with what they take, their defaults and examples. */
void manual_keys(struct strbuf *out);

#endif
