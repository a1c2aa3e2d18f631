/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands: see commands.h. */
#include "runner/command/commands.h"

#include "runner/command/check.h"
#include "runner/command/compare.h"
#include "runner/command/completion.h"
#include "runner/command/ctl.h"
#include "runner/command/diagnose.h"
#include "runner/command/doctor.h"
#include "runner/command/exec.h"
#include "runner/command/inject.h"
#include "runner/command/judge.h"
#include "runner/command/list.h"
#include "runner/command/merge.h"
#include "runner/command/record.h"
#include "runner/command/report.h"
#include "runner/command/run.h"
#include "runner/command/schema.h"
#include "runner/command/try.h"

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
