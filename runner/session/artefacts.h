/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files about one ended session, for a test that shows or keeps them: see docs/protocol.md. */
#ifndef SYNFAULT_RUNNER_SESSION_ARTEFACTS_H
#define SYNFAULT_RUNNER_SESSION_ARTEFACTS_H

#include <jansson.h>

#include "common/diag.h"
#include "runner/report/result.h"

/**
 * artefacts_write() - write the record and the picture of a session
 * @index: of the result, from 0
 * @directory: made if it does not exist
 * @timing_scale: as in struct judge_options
 *
 * Return: the absolute paths of all files about the session, also of its capture if there is one;
 * or NULL with a diagnostic.
 */
json_t *artefacts_write(const struct result *result, size_t index, const char *directory,
			double timing_scale, struct diag_list *diags);

#endif
