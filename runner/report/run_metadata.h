/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is true of a whole run and not seen in its records: which program ran on what machine, with
 * which options. Reports that are made later and elsewhere take these from here, so that they say
 * the same as those that the run made itself.
 */
#ifndef SYNFAULT_RUNNER_REPORT_RUN_METADATA_H
#define SYNFAULT_RUNNER_REPORT_RUN_METADATA_H

#include "common/util.h"

/* Texts are owned; each may be NULL: not known. */
struct run_metadata {
	char *program;          /* its version */
	char *hostname;         /* of the machine */
	char *system;           /* "Debian GNU/Linux 12 (bookworm)" */
	char *kernel, *machine; /* as uname -r and uname -m */
	char *capabilities;     /* that the program had: names joined by ", ", "all" or "none" */
	int64_t user;           /* effective user id; -1: not known */
	int64_t processors;     /* that it could use; 0: not known */

	/* Options that have to do with the outcome. */
	double timing_scale; /* 0 when nothing is known: stands for 1 */
	char *isolation;     /* as asked for: "auto" */
	int64_t timeout_ns;  /* --timeout; 0: each scenario's own */
	unsigned retries;
	bool flaky_fails, require;
	char **command; /* what replaced the clients' commands, NULL-terminated; NULL: nothing */
};

/* Fills in what there is to know of the program and this machine. */
void run_metadata_find(struct run_metadata *facts);
void run_metadata_free(struct run_metadata *facts);

#endif
