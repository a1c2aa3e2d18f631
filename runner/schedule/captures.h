/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which scenarios' packets are captured and kept (--capture, --capture-dir, --capture-size), and
 * where.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_CAPTURES_H
#define SYNFAULT_RUNNER_SCHEDULE_CAPTURES_H

#include "common/diag.h"
#include "runner/report/result.h"

enum capture_mode {
	CAPTURE_NEVER,
	CAPTURE_FAILED, /* keep those of scenarios that fail or are errors */
	CAPTURE_ALWAYS,
	CAPTURE_N_MODES,
};

#define CAPTURE_MIN_SIZE     INT64_C(4096)
#define CAPTURE_MAX_SIZE     (INT64_C(1) << 30)
#define CAPTURE_DEFAULT_SIZE (UINT64_C(16) << 20)

struct capture_policy {
	enum capture_mode mode;
	const char *directory; /* borrowed */
	uint64_t size;         /* maximum of packet bytes per scenario */
};

/** captures_complete() - set what no option says; a given directory asks for captures */
void captures_complete(struct capture_policy *policy, const char *directory);
/** captures_prepare() - make the directory; return 0, or a negative errno with a diagnostic */
int captures_prepare(const struct capture_policy *policy, struct diag_list *diags);
/**
 * captures_open() - open an unnamed file for a scenario's packets
 *
 * Return: a descriptor, -1 if nothing is captured, or a negative errno.
 */
int captures_open(const struct capture_policy *policy);
/**
 * captures_take() - turn a scenario's packets into a capture file, if the policy keeps it
 * @fd: what captures_open() returned
 * @result: judged; its `capture` gets the name of the file, or its `no_capture` the reason why
 * there is none
 * @index: as for report_page_name()
 */
void captures_take(const struct capture_policy *policy, int fd, struct result *result,
		   size_t index);
/** captures_set_aside() - rename the capture of a result that runs again, which would replace it */
void captures_set_aside(struct result *result);

#endif
