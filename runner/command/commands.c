/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands: see commands.h. */
#include "runner/command/commands.h"

const struct command *const commands[] = {
	&command_run,
	&command_try,
	&command_record,
	&command_check,
	&command_list,
	&command_inject,
	&command_exec,
	&command_ctl,
	&command_judge,
	&command_report,
	&command_diagnose,
	&command_doctor,
	&command_compare,
	&command_schema,
	&command_completion,
	&command_merge,
	NULL,
};
