/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many attempts as two strips of the timeline picture. */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_DENSITY_H
#define SYNFAULT_RUNNER_REPORT_SVG_DENSITY_H

#include "runner/report/svg_picture.h"

/**
 * picture_density() - draw how many attempts there were, how they ended, and their backoff
 * @ids: in the order of their starts
 */
void picture_density(struct picture *picture, const uint32_t *ids, size_t n_ids);

#endif
