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
	CAPTURE_FAILED, /* kept of what did not pass */
	CAPTURE_ALWAYS,
	CAPTURE_N_MODES,
};

#define CAPTURE_MIN_SIZE     INT64_C(4096)
#define CAPTURE_MAX_SIZE     (INT64_C(1) << 30)
#define CAPTURE_DEFAULT_SIZE (UINT64_C(16) << 20)

struct capture_policy {
	enum capture_mode mode;
	const char *directory; /* borrowed */
	uint64_t size;         /* most bytes of packets per scenario */
};

/* Makes the directory. Returns 0 or a negative errno with a diagnostic. */
int captures_prepare(const struct capture_policy *policy, struct diag_list *diags);
/* Opens an unnamed file for a scenario's packets. Returns -1 without captures, or a negative errno.
 */
int captures_open(const struct capture_policy *policy);
/*
 * Makes a capture file of what @fd holds, if one is to be kept of this result, which has been
 * judged; its `capture` names the file, or `no_capture` says why there is none. @index: as of
 * report_page_name().
 */
void captures_take(const struct capture_policy *policy, int fd, struct result *result,
		   size_t index);
/* Renames the capture of a result that runs again, so that the next one does not replace it. */
void captures_set_aside(struct result *result);

#endif
