/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands: see commands.h. */
#include "runner/command/commands.h"

#include "runner/command/adhoc_run.h"
#include "runner/command/check_list.h"
#include "runner/command/compare.h"
#include "runner/command/completion.h"
#include "runner/command/ctl.h"
#include "runner/command/diagnose.h"
#include "runner/command/doctor.h"
#include "runner/command/inject.h"
#include "runner/command/inject_options.h"
#include "runner/command/judge.h"
#include "runner/command/merge.h"
#include "runner/command/record.h"
#include "runner/command/report.h"
#include "runner/command/run.h"
#include "runner/command/run_options.h"
#include "runner/command/schema.h"
#include "runner/command/try.h"

const struct command commands[] = {
	{"run", "[OPTION...] PATH... [-- CLIENT ARG...]", "run scenarios and judge the client",
	 command_run, &run_option_table},
	{"try", "[OPTION...] STEPS -- CLIENT ARG...", "show what a client does when this happens",
	 command_try, &try_option_table},
	{"record", "[OPTION...] -- CLIENT ARG...", "tell how a client behaves, and write it down",
	 command_record, &record_option_table},
	{"check", "[OPTION...] PATH...", "find all errors in scenario files", command_check_main,
	 &check_option_table},
	{"list", "[OPTION...] PATH...", "list the scenarios in files", command_list_main,
	 &list_option_table},
	{"inject", "[OPTION...] FILE [SCENARIO]", "inject for a client that somebody else starts",
	 command_inject, &inject_option_table},
	{"ctl", "[OPTION...] ORDER [SCENARIO]", "give orders to a running synfault inject",
	 command_ctl, &ctl_option_table},
	{"judge", "[OPTION...] RUN [SCENARIO...]", "judge a run's records again, run nothing",
	 command_judge, &judge_option_table},
	{"report", "[OPTION...] RUN", "make reports of a run that is over", command_report,
	 &report_option_table},
	{"diagnose", "[OPTION...] HOST:PORT", "say why a connection is refused, dropped or slow",
	 command_diagnose, &diagnose_option_table},
	{"doctor", "[OPTION...]", "find out what this machine lacks", command_doctor,
	 &doctor_option_table},
	{"compare", "[OPTION...] OLD NEW", "what changed between two runs", command_compare,
	 &compare_option_table},
	{"schema", "[OPTION...]", "print the JSON Schema of scenario files", command_schema,
	 &schema_option_table},
	{"completion", "bash|zsh|fish", "print a script that completes commands",
	 command_completion, &completion_option_table},
	{"merge", "OUT IN...", "make one result of those of several machines", command_merge,
	 &merge_option_table},
};
const size_t n_commands = ARRAY_SIZE(commands);
