/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts about a run that its records do not have: the program, the machine and the options. Reports
 * made later and elsewhere take them from here and so say the same as those of the run itself.
 */
#ifndef SYNFAULT_RUNNER_REPORT_RUN_METADATA_H
#define SYNFAULT_RUNNER_REPORT_RUN_METADATA_H

#include "common/util.h"

/* Texts are owned; each may be NULL if unknown. */
struct run_metadata {
	char *program;          /* its version */
	char *hostname;         /* of the machine */
	char *system;           /* "Debian GNU/Linux 12 (bookworm)" */
	char *kernel, *machine; /* as uname -r and uname -m */
	char *capabilities;     /* of the program: names joined by ", ", "all" or "none" */
	int64_t user;           /* effective user id; -1: unknown */
	int64_t processors;     /* that it could use; 0: unknown */

	/* Options that affect the outcome. */
	double timing_scale; /* 0: unknown, counts as 1 */
	char *isolation;     /* as asked for: "auto" */
	char *time; /* "real", "virtual" or "auto" as asked for; NULL: each scenario's own */
	int64_t timeout_ns; /* --timeout; 0: each scenario's own */
	unsigned retries;
	bool flaky_fails, require;
	char **command; /* replaced the clients' commands, NULL-terminated; NULL: none did */
};

/** run_metadata_find() - fill in what is known about the program and this machine */
void run_metadata_find(struct run_metadata *facts);
void run_metadata_free(struct run_metadata *facts);

#endif
