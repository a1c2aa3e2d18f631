/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Concludes from evidence why a connection is refused, dropped or slow. A pure function: the same
 * evidence always gives the same causes.
 *
 * A cause is named only when the evidence excludes all others that look alike. If several fit, one
 * cause names all of them, and says what would tell them apart.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_CAUSES_H
#define SYNFAULT_RUNNER_DIAGNOSE_CAUSES_H

#include "runner/diagnose/diagnosis.h"

/** cause_kind_name() - return "no-listener", "accept-queue-full", … as in JSON */
const char *cause_kind_name(enum cause_kind kind);

/** diagnose() - conclude from the evidence; free the result with diagnosis_free() */
struct diagnosis diagnose(const struct evidence *evidence);
void diagnosis_free(struct diagnosis *diagnosis);
#define AUTO_DIAGNOSIS CLEANUP(diagnosis_free)

#endif
