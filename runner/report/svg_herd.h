/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fullest windows of limited herds in the timeline picture. */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_HERD_H
#define SYNFAULT_RUNNER_REPORT_SVG_HERD_H

#include "runner/report/svg_picture.h"

/* A row for each. */
void picture_herds(struct picture *picture);
/* The windows behind all rows. */
void picture_herd_bands(const struct picture *picture, struct markup *markup, double top,
			double bottom);

#endif
