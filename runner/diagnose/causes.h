/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Concludes from evidence why a connection is refused, dropped or slow. A pure function: the same
 * evidence always gives the same causes.
 *
 * A cause is named only when the evidence excludes the others that would look alike; where several
 * fit, one cause says all of them and what would tell them apart.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_CAUSES_H
#define SYNFAULT_RUNNER_DIAGNOSE_CAUSES_H

#include "runner/diagnose/diagnosis.h"

/* "no-listener", "accept-queue-full", … as in JSON. */
const char *cause_kind_name(enum cause_kind kind);

/* Free the result with diagnosis_free(). */
struct diagnosis diagnose(const struct evidence *evidence);
void diagnosis_free(struct diagnosis *diagnosis);
#define AUTO_DIAGNOSIS CLEANUP(diagnosis_free)

#endif
