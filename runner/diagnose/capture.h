/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the packets of the trials to a capture file (pcapng), with a comment at each trial. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_CAPTURE_H
#define SYNFAULT_RUNNER_DIAGNOSE_CAPTURE_H

#include "common/diag.h"
#include "runner/diagnose/diagnosis.h"

/**
 * capture_write() - write the evidence's packets, replacing the file
 *
 * Return: 0, or a negative errno with a diagnostic; then the old file stays.
 */
int capture_write(const char *path, const struct evidence *evidence,
		  const struct diagnosis *diagnosis, struct diag_list *diags);

#endif
