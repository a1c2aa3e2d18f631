/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fullest window of each limited herd in the timeline picture. */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_HERD_H
#define SYNFAULT_RUNNER_REPORT_SVG_HERD_H

#include "runner/report/svg_picture.h"

/** picture_herds() - draw a row for each limited herd */
void picture_herds(struct picture *picture);
/** picture_herd_bands() - draw the windows behind all rows */
void picture_herd_bands(const struct picture *picture, struct markup *markup, double top,
			double bottom);

#endif
