/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer and the reader of a run's JSON document have in common. */
#ifndef SYNFAULT_RUNNER_REPORT_RUN_JSON_NAMES_H
#define SYNFAULT_RUNNER_REPORT_RUN_JSON_NAMES_H

#include "runner/report/result.h"

#define RUN_JSON_FORMAT  "synfault-results"
#define RUN_JSON_VERSION 1

/* "none", "signal", …; NULL beyond the last. */
const char *stop_cause_name(enum stop_cause cause);

#endif
