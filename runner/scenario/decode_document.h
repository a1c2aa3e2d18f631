/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document: everything else is reached from its table. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_DOCUMENT_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_DOCUMENT_H

#include "runner/scenario/loader.h"

/* Reads a whole document into the loader's scenario; the loader's texts are freed after. */
void decode_document(struct loader *loader, const struct node *root);

#endif
