/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The axis of time of the timeline picture. */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_AXIS_H
#define SYNFAULT_RUNNER_REPORT_SVG_AXIS_H

#include "runner/report/svg_picture.h"

/** picture_x() - return where a time is in the plot; times outside are at its edge */
double picture_x(const struct picture *picture, int64_t at_ns);
/** picture_axis() - draw ticks with their times at @top, and a grid down to @bottom */
void picture_axis(const struct picture *picture, struct markup *markup, double top, double bottom);

#endif
