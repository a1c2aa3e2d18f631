/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of the timeline picture: one attempt from its first SYN to its end. */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_LANE_H
#define SYNFAULT_RUNNER_REPORT_SVG_LANE_H

#include "runner/report/svg_picture.h"

/** picture_lane() - draw the row of attempt @id */
void picture_lane(struct picture *picture, uint32_t id);

#endif
