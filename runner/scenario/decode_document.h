/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a document. All other tables are reached from its table. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_DOCUMENT_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_DOCUMENT_H

#include "runner/scenario/loader.h"

/**
 * decode_document() - read a whole document into the loader's scenario, and free the loader's texts
 */
void decode_document(struct loader *loader, const struct node *root);

#endif
